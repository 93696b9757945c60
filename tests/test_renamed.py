"""A finished run counts under any name: it is taken over, whole, or trained."""

from pathlib import Path

import pytest
import toy_run
from evaluation import checked

from tessera import files, renamed, study
from tessera.evaluation import faithfulness
from tessera.experiment import Cnn, Experiment, Hybrid, Regime
from tessera.record import StudyFolder, finished

ASKED = toy_run.experiment([Cnn()], seeds=(0, 1))


def under(model: str, regime: str) -> Experiment:
    """The same cell by other names."""
    named = {"models": (Cnn(name=model),), "regimes": (Regime(name=regime),)}
    return ASKED.model_copy(update=named)


def written(experiment: Experiment, out: Path) -> None:
    data = toy_run.digits()
    for run in experiment.runs():
        toy_run.write_run(study.run_folder(StudyFolder(out), run, data), run)


def test_finished_runs_of_another_name_are_taken_over(tmp_path: Path) -> None:
    written(under("old", "before"), tmp_path)
    data = toy_run.digits()
    assert renamed.take_over(ASKED, data, tmp_path) == 2
    survey = study.survey(ASKED, data, tmp_path)
    assert not survey.missing
    for task in survey.finished:
        record = finished(task.folder, task.run.digest(data.fingerprint))
        assert record is not None
        assert (record.model, record.regime) == ("cnn", "balanced")
        assert "old" not in task.folder.experiment.read_text()
        assert task.folder.weights.is_file() and task.folder.predictions.is_file()
    assert renamed.take_over(ASKED, data, tmp_path) == 0
    # Under the old names they are still there.
    assert not study.survey(under("old", "before"), data, tmp_path).missing


def test_a_folder_that_was_renamed_by_hand_holds_a_run_of_its_new_name(
    tmp_path: Path,
) -> None:
    """Its record's old names would leave it out of the comparison without a word."""
    written(under("old", "before"), tmp_path)
    data, run = toy_run.digits(), ASKED.runs()[0]
    old = study.run_folder(
        StudyFolder(tmp_path), under("old", "before").runs()[0], data
    )
    new = study.run_folder(StudyFolder(tmp_path), run, data)
    old.path.parent.rename(new.path.parent)
    assert renamed.take_over(ASKED, data, tmp_path) == 0
    record = finished(new, run.digest(data.fingerprint))
    assert record is not None
    assert (record.model, record.regime) == ("cnn", "balanced")
    assert "old" not in new.experiment.read_text()


def test_another_training_another_seed_and_unfinished_runs_are_not(
    tmp_path: Path,
) -> None:
    data = toy_run.digits()
    other = ASKED.model_copy(update={"models": (Hybrid(name="cnn2"),)})
    written(other, tmp_path)
    seventh = under("old", "before").model_copy(update={"seeds": (7,)})
    written(seventh, tmp_path)
    begun = under("older", "before")
    written(begun, tmp_path)
    for run in begun.runs():
        study.run_folder(StudyFolder(tmp_path), run, data).record.unlink()
    assert renamed.take_over(ASKED, data, tmp_path) == 0
    assert len(study.survey(ASKED, data, tmp_path).missing) == 2


def test_an_interrupted_copy_is_no_finished_run_and_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(under("old", "before"), tmp_path)
    data = toy_run.digits()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        renamed.take_over(ASKED, data, tmp_path)
    monkeypatch.undo()
    assert len(study.survey(ASKED, data, tmp_path).missing) == 2
    assert renamed.take_over(ASKED, data, tmp_path) == 2


def test_checked_heatmaps_go_along_under_the_new_names(tmp_path: Path) -> None:
    data, run = toy_run.digits(), under("old", "before").runs()[0]
    first = study.run_folder(StudyFolder(tmp_path), run, data)
    was = checked.faithfulness(toy_run.write_run(first, run))
    files.write_text(first.faithfulness, was.model_dump_json())
    renamed.take_over(ASKED, data, tmp_path)
    new = study.run_folder(StudyFolder(tmp_path), ASKED.runs()[0], data)
    record = finished(new, ASKED.runs()[0].digest(data.fingerprint))
    assert record is not None
    found = faithfulness.read(new.faithfulness, record)
    assert found == was.model_copy(update={"model": "cnn", "regime": "balanced"})

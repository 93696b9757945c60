"""Which run a folder means, or which runs, and why."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import toy_run
from evaluation.studies import picking

from tessera import files, meant, trained
from tessera.experiment import Cnn, Hybrid
from tessera.models import rebuild
from tessera.models.rebuild import RunError
from tessera.record import RunFolder, StudyFolder, StudyRecord


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = toy_run.experiment([Cnn(), Hybrid()], seeds=(0, 1))
    return toy_run.write_study(tmp_path_factory.mktemp("study"), asked)


def validate(run: RunFolder, right: int) -> None:
    """Give a run validation predictions of which `right` of 10 are right."""
    labels = np.arange(10)
    answers = np.where(labels < right, labels, (labels + 1) % 10)
    logits = np.eye(10, dtype=np.float32)[answers]
    files.write_arrays(run.validation_predictions, logits=logits, labels=labels)


def scored(study: Path, place: Path) -> StudyFolder:
    """A copy of a study whose hybrid is better on average, and a CNN the best once."""
    shutil.copytree(study, place)
    right = {("cnn", 0): 9, ("cnn", 1): 1, ("hybrid", 0): 6, ("hybrid", 1): 7}
    for (model, seed), count in right.items():
        run = RunFolder(place / "runs" / f"{model}--balanced" / f"seed-{seed}")
        validate(run, count)
    return StudyFolder(place)


def picked(folder: StudyFolder, model: str) -> StudyFolder:
    """The study on disk, recommending this model's regime."""
    record = StudyRecord.model_validate_json(folder.study.read_bytes())
    folder.study.write_text(picking(record, model).model_dump_json())
    return folder


def test_without_a_recommendation_the_best_cell_on_validation_is_used_and_it_is_said(
    study: Path, tmp_path: Path
) -> None:
    folder = scored(study, tmp_path / "study")
    chosen = meant.choose(folder.path)
    assert chosen.folder.path == folder.path / "runs/hybrid--balanced/seed-1"
    assert chosen.because == (
        "The study's report recommends no remedy beyond doubt. The run used is hybrid, "
        "balanced, seed 1: the best on average over seeds on 100 validation images, "
        "and of it the best seed."
    )


def test_what_the_report_recommends_is_used_though_another_is_better_on_validation(
    study: Path, tmp_path: Path
) -> None:
    folder = picked(scored(study, tmp_path / "study"), "cnn")
    chosen = meant.choose(folder.path)
    assert chosen.folder.path == folder.path / "runs/cnn--balanced/seed-0"
    assert chosen.because == (
        "The run used is cnn, balanced, seed 0: what the study's report recommends. Of "
        "its seeds it is the best on 100 validation images."
    )


def test_a_run_stands_for_itself_and_needs_no_reason(toy: RunFolder) -> None:
    assert meant.choose(toy.path) == meant.ChosenRun(RunFolder(toy.path))


def test_a_study_that_is_not_finished_says_so(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with pytest.raises(RunError, match="expected a finished study"):
        meant.choose(tmp_path)


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RunError,
        match="expected the folder of a finished run or study, such as runs/photos",
    ):
        meant.choose(tmp_path)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_study_that_lost_a_run_says_how_to_have_it_again(
    study: Path, tmp_path: Path, seed: int
) -> None:
    shutil.copytree(study, tmp_path / "study")
    lost = tmp_path / f"study/runs/cnn--balanced/seed-{seed}"
    shutil.rmtree(lost)
    with pytest.raises(RunError) as error:
        meant.choose(tmp_path / "study")
    assert str(error.value) == (
        f"{lost}: expected a finished run, as {tmp_path / 'study/study.json'} has it. "
        "Received: no record.json in it. Give the study's command again: finished "
        "runs are kept."
    )


def test_a_damaged_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(RunError, match=r"study\.json.*damaged"):
        meant.choose(tmp_path)


def test_a_study_of_a_later_version_is_told_apart_from_a_damaged_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "study.json").write_text('{"schema_version": 3}')
    with pytest.raises(RunError, match=r"a study\.json of a later Tessera"):
        meant.choose(tmp_path)


def test_all_runs_of_the_cell_that_is_used_can_answer_together(
    study: Path, tmp_path: Path
) -> None:
    folder = picked(scored(study, tmp_path / "study"), "cnn")
    taken = meant.choose(folder.path, ensemble=True)
    cell = folder.path / "runs/cnn--balanced"
    assert taken.together == tuple(RunFolder(cell / f"seed-{seed}") for seed in (0, 1))
    assert taken.because == (
        "The runs used are all 2 of cnn, balanced: what the study's report recommends. "
        "They answer together, with the mean of their probabilities."
    )
    assert taken.folder == meant.choose(folder.path).folder


def test_one_run_is_no_ensemble_and_a_study_is_asked_for(toy: RunFolder) -> None:
    with pytest.raises(RunError) as error:
        trained.load(toy.path, ensemble=True)
    assert str(error.value) == (
        f"{toy.path}: expected a study, of which all seeds' runs of a model answer "
        "together. Received: a run, which is one. Give the study's folder, or ask this "
        "run alone: leave --ensemble out (in Python `ensemble=True`)."
    )


def test_a_study_of_one_seed_is_no_ensemble_and_more_seeds_are_asked_for(
    tmp_path: Path,
) -> None:
    place = toy_run.write_study(tmp_path, toy_run.experiment([Cnn()], seeds=(3,)))
    with pytest.raises(RunError) as error:
        trained.load(place, ensemble=True)
    assert str(error.value) == (
        f"{place}: expected runs of cnn, balanced with two seeds or more, to answer "
        "together. Received: one, of seed 3. Give the study's command again with more "
        "--seeds: finished runs are kept. Or ask this run alone: leave --ensemble out "
        "(in Python `ensemble=True`)."
    )


def test_an_ensemble_of_which_a_run_is_gone_says_how_to_have_it_again(
    two_seeds: Path, tmp_path: Path
) -> None:
    place = shutil.copytree(two_seeds, tmp_path / "study")
    lost = place / "runs/hybrid--balanced/seed-1"
    shutil.rmtree(lost)
    with pytest.raises(RunError, match=rf"{lost}: expected a finished run.*again: fin"):
        trained.load(place, ensemble=True)


def test_the_runs_of_all_folds_can_answer_together(in_folds: Path) -> None:
    taken = meant.choose(in_folds, ensemble=True)
    assert [run.path.relative_to(in_folds).parts[0] for run in taken.together] == [
        *("fold-1", "fold-2"),
        *("fold-1", "fold-2"),
    ]
    assert [run.path.name for run in taken.pooled] == ["seed-0", "seed-1"]
    assert taken.because == (
        "The study's report recommends no remedy beyond doubt. The runs used are all 4 "
        "of cnn, balanced (2 folds of 2 seeds): the best on average over seeds on the "
        "validation images of all folds. They answer together, with the mean of their "
        "probabilities."
    )


def test_one_run_of_a_study_in_folds_is_not_chosen_and_both_ways_out_are_told(
    in_folds: Path,
) -> None:
    with pytest.raises(RunError) as error:
        trained.load(in_folds)
    assert str(error.value) == (
        f"{in_folds}: expected a study with one model for each run. Received: what 2 "
        f"folds answered, each by a model of its own. Give the study of one, such as "
        f"{in_folds / 'fold-1'}. Or ask all of them together: `tessera predict` and "
        "`tessera export` do, with --ensemble (in Python `ensemble=True`)."
    )


def test_folds_that_were_trained_anew_since_they_were_pooled_are_refused(
    in_folds: Path, tmp_path: Path
) -> None:
    place = Path(shutil.copytree(in_folds, tmp_path / "study"))
    anew = RunFolder(place / "fold-2/runs/cnn--balanced/seed-1")
    record = rebuild.read_record(anew).model_copy(update={"digest": "0" * 64})
    files.write_text(anew.record, record.model_dump_json())
    with pytest.raises(RunError, match=r"seed-1: expected what the folds' runs"):
        trained.load(place, ensemble=True)


def test_a_fold_that_is_gone_is_named(in_folds: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(in_folds, tmp_path / "study"))
    shutil.rmtree(place / "fold-2")
    with pytest.raises(RunError, match=r"fold-2: expected the finished study"):
        trained.load(place, ensemble=True)

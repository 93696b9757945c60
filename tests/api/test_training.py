"""Images to a study or a model, from Python."""

from pathlib import Path

import numpy as np
import pytest
import toy_run
from PIL import Image
from report.folders import heatmaps, write_history
from unpainted import charts

import tessera
from tessera import files, pipeline, runtime, settings, study
from tessera.data.dataset import DataError
from tessera.evaluation import length
from tessera.experiment import Cnn, Experiment, Run
from tessera.notebook.data import Data
from tessera.record import RunFolder, StudyFolder
from tessera.settings import ExperimentError

EXPERIMENT = toy_run.experiment([Cnn()], seeds=(0, 1))


def finished(folder: Path) -> Experiment:
    """Leave every run of the toy study where a study looks for it."""
    dataset = toy_run.digits()
    for run in EXPERIMENT.runs():
        place = study.run_folder(StudyFolder(folder), run, dataset)
        toy_run.write_run(place, run)
        rng = np.random.default_rng(0)
        write_history(place.history, 0.5, 1, rng)
        files.write_arrays(place.heatmaps, **heatmaps(rng))
        files.write_json(place.manifest, {"recipe": "x", "indices": [1]})
    return EXPERIMENT


@pytest.mark.slow
@charts()
def test_a_finished_study_is_not_repeated_and_shows_its_table(tmp_path: Path) -> None:
    plan = tmp_path / "toy.toml"
    plan.write_text(settings.dumps(finished(tmp_path / "toy")), encoding="utf-8")
    result = tessera.study(plan=plan, out=tmp_path / "toy", verbose=False)
    assert result.report.exists()
    assert len(result.runs()) == 2
    (row,) = result.rows()
    assert (row["model"], row["regime"]) == ("cnn", "balanced")
    recorded = [tessera.evaluate(run).scores.accuracy for run in result.runs()]
    assert row["accuracy"] == pytest.approx(sum(recorded) / 2)
    best = tessera.predict(result, toy_run.digits().test.images[:1])
    assert best.class_names == tuple("0123456789")
    assert best.because in repr(best)
    assert "The study's report recommends no remedy" in best.because


@pytest.mark.slow
def test_a_report_that_leaves_runs_of_its_folder_out_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.report.page.write_report", lambda folder: folder)
    plan = tmp_path / "toy.toml"
    plan.write_text(settings.dumps(finished(tmp_path / "toy")), encoding="utf-8")
    tessera.study(plan=plan, out=tmp_path / "toy")
    assert "other finished run" not in capsys.readouterr().out
    tessera.study(plan=plan, seeds=[1], out=tmp_path / "toy")
    assert "lies 1 other finished run: the command" in capsys.readouterr().out
    tessera.study(plan=plan, seeds=[1], out=tmp_path / "toy", verbose=False)
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_study_that_was_still_learning_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.report.page.write_report", lambda folder: folder)
    monkeypatch.setattr(length, "LEVEL", 2.0)  # else two runs may be chance
    plan = tmp_path / "toy.toml"
    plan.write_text(settings.dumps(finished(tmp_path / "toy")), encoding="utf-8")
    tessera.study(plan=plan, out=tmp_path / "toy")
    assert "note: Still learning: the last of" in (told := capsys.readouterr().out)
    assert "which model or remedy leads. `epochs=N` trains longer." in told


@pytest.mark.slow
def test_a_model_is_trained_where_a_study_would_look_for_it(tmp_path: Path) -> None:
    data = tessera.load_data("digits", image_size=8, verbose=False)
    result = tessera.train(
        data,
        model="cnn",
        regime="imbalanced",
        epochs=1,
        out=tmp_path,
        verbose=False,
    )
    assert result.folder.parent.parent == tmp_path / "runs"
    assert result.model.exists()
    assert result.record.train_counts[3] < result.record.train_counts[0] / 4
    assert RunFolder(result.folder).record.exists()


def test_a_model_may_start_from_a_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Run] = []

    def execute(run: Run, *_: object, **__: object) -> None:
        seen.append(run)
        raise InterruptedError

    monkeypatch.setattr(pipeline, "execute", execute)
    plan = tmp_path / "toy.toml"
    plan.write_text(settings.dumps(finished(tmp_path / "toy")), encoding="utf-8")
    begun = tessera.train(
        plan=plan, model="cnn", regime="balanced", out=tmp_path / "toy", verbose=False
    )
    for start in (begun, begun.folder, str(begun.folder)):
        with pytest.raises(InterruptedError):
            tessera.train(
                plan=plan,
                model="cnn-started",
                regime="balanced",
                start=start,
                out=tmp_path / "new",
                verbose=False,
            )
    assert [run.model.start.run for run in seen] == [str(begun.folder)] * 3


def test_a_finished_run_is_read_and_not_trained_again_nor_a_framework_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the run was trained again")

    plan = tmp_path / "toy.toml"
    monkeypatch.chdir(tmp_path)
    plan.write_text(settings.dumps(finished(Path("runs/toy"))), encoding="utf-8")
    monkeypatch.setattr(pipeline, "execute", never)
    monkeypatch.setattr(runtime, "load_backend", never)
    again = tessera.train(
        plan=plan, model="cnn", regime="balanced", seed=1, verbose=False
    )
    (place,) = Path("runs/toy").glob("runs/*/seed-1")  # as of `study` without `out`
    assert again.folder == place
    assert again.record.seed == 1


def test_results_are_not_written_into_the_images(tmp_path: Path) -> None:
    for verb in (tessera.study, tessera.train):
        with pytest.raises(DataError, match=r"^out: expected a folder outside"):
            verb(tmp_path, out=tmp_path / "results", verbose=False)
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_does_not_exist_is_named() -> None:
    with pytest.raises(ExperimentError, match=r"training\.epoch: unknown key"):
        tessera.study("digits", change=["training.epoch=3"], verbose=False)


def test_groups_of_data_that_has_none_are_told_what_they_need() -> None:
    for verb in (tessera.study, tessera.train, tessera.load_data):
        with pytest.raises(ExperimentError, match="expected as data an image folder"):
            verb("digits", groups="folder", verbose=False)


def test_a_size_may_be_one_of_numpys_whole_numbers() -> None:
    found = tessera.load_data(image_size=np.int64(16), verbose=False)  # type: ignore[arg-type]
    assert found.settings.image_size == 16


def test_loaded_data_is_what_its_settings_say() -> None:
    data = tessera.load_data("digits", image_size=8, verbose=False)
    assert isinstance(data, Data)
    assert data.dataset.image_shape == (8, 8, 3)
    assert data.settings.image_size == 8


def test_a_list_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    rows = ["image_id,dx"]
    for n in range(20):
        Image.new("RGB", (8, 8), (12 * n, 0, 0)).save(tmp_path / f"{n}.png")
        rows.append(f"{n},{'nv' if n < 10 else 'mel'}")
    path = tmp_path / "meta.csv"
    path.write_text("\n".join(rows))
    names = {"file": "image_id", "label": "dx"}
    data = tessera.load_data(path, image_size=8, columns=names, verbose=False)
    assert data.dataset.class_names == ("mel", "nv")
    for verb in (tessera.load_data, tessera.study):
        with pytest.raises(DataError, match=r"load_data\(.*columns={'file': 'NAME'}"):
            verb(path, verbose=False)
    with pytest.raises(ExperimentError, match=r"columns\.lesion: unknown key"):
        tessera.load_data(path, columns={"lesion": "x"}, verbose=False)


def test_a_study_of_other_data_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text("of another program")
    with pytest.raises(study.StudyError, match=r"If it is no study's.*out="):
        tessera.study("digits", out=tmp_path, verbose=False)
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


@pytest.mark.parametrize("verb", [tessera.study, tessera.train, tessera.load_data])
def test_arrays_are_no_data_and_it_is_said_what_takes_them(verb) -> None:
    with pytest.raises(DataError, match=r"data: .*Received: ndarray.*TesseraClass"):
        verb(np.zeros((2, 8, 8, 3), np.uint8), verbose=False)


def test_messages_name_arguments_as_python_does() -> None:
    with pytest.raises(DataError, match=r"^data: expected digits"):
        tessera.study("no such folder", verbose=False)
    with pytest.raises(ExperimentError, match=r"^models: expected"):
        tessera.study("digits", models="resnet", verbose=False)
    with pytest.raises(ExperimentError, match=r"^remedies: expected one of plain"):
        tessera.study("digits", remedies="odd", verbose=False)
    with pytest.raises(ExperimentError, match=r"^regime: expected"):
        tessera.train("digits", regime="odd", verbose=False)
    with pytest.raises(ExperimentError, match=r"^change: expected section"):
        tessera.study("digits", change="flip", verbose=False)
    with pytest.raises(ExperimentError, match=r"^change models.7.depth: expected an"):
        tessera.study("digits", change="models.7.depth=1", verbose=False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seeds": "5"}, "seeds: expected a count such as 5, or a list"),
        ({"seeds": 1.5}, "seeds: expected a count such as 5, or a list"),
        ({"seeds": [1.7]}, "seeds: expected a count such as 5, or a list"),
        ({"models": 3}, "models: expected a list of names. Received: 3"),
        ({"jobs": 0}, "jobs: expected a whole number from 1 up, or None. Received: 0"),
        ({"jobs": -1}, "jobs: expected a whole number from 1 up, or None."),
        ({"jobs": "x"}, "jobs: expected a whole number from 1 up, or None."),
        ({"folds": 1}, "folds: expected a whole number from 2 to 20, or None."),
        ({"folds": 21}, "folds: expected a whole number from 2 to 20, or None."),
        ({"folds": True}, "folds: expected a whole number from 2 to 20, or None."),
        ({"folds": 3}, "folds: expected an image folder, whose images are all tested"),
    ],
)
def test_a_study_refuses_an_argument_of_a_wrong_type(
    wrong: dict, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ExperimentError) as caught:
        tessera.study("digits", **wrong, out=tmp_path / "study", verbose=False)
    assert str(caught.value).startswith(said)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("seed", [-1, 2**32, "x", 1.5])
def test_a_training_refuses_what_is_no_seed(seed: object, tmp_path: Path) -> None:
    said = f"seed: expected a whole number from 0 to 4294967295. Received: {seed!r}."
    with pytest.raises(ExperimentError) as caught:
        tessera.train("digits", seed=seed, out=tmp_path, verbose=False)  # type: ignore[arg-type]
    assert str(caught.value) == said

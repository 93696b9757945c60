"""`import tessera` and its verbs, on digits and on a folder of one's own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy_run
from PIL import Image

import tessera
from tessera.api import verbs
from tessera.data.dataset import DataError
from tessera.experiment import Digits
from tessera.models.rebuild import RunError
from tessera.record import RunFolder
from tessera.settings import ExperimentError

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_every_verb_is_there_and_two_are_modules_as_well() -> None:
    assert set(tessera.__all__) <= set(dir(tessera))
    assert all(callable(getattr(tessera, name)) for name in tessera.__all__)
    from tessera import study
    from tessera.explain import gradcam

    assert study.survey is tessera.study.survey
    assert tessera.explain.gradcam is gradcam
    with pytest.raises(AttributeError, match="no attribute 'no_such_verb'"):
        _ = tessera.no_such_verb


def test_data_is_loaded_by_name_and_keeps_its_settings() -> None:
    data = tessera.load_data("digits", image_size=16)
    assert data.settings == Digits(image_size=16)
    assert data.dataset.fingerprint == toy_run.digits().fingerprint
    assert tessera.load_data(data) is data


def test_changes_become_settings_and_a_wrong_one_is_named() -> None:
    data = tessera.load_data("digits", image_size=16)
    asked = verbs.experiment(
        data,
        epochs=3,
        seeds=[4, 5],
        changes={"training.flip": False, "name": "mine"},
    )
    assert (asked.training.epochs, asked.seeds) == (3, (4, 5))
    assert (asked.training.flip, asked.name) == (False, "mine")
    assert asked.data == data.settings
    with pytest.raises(ExperimentError, match="did you mean 'flip'"):
        verbs.experiment(data, epochs=1, seeds=[0], changes={"training.flp": True})


def test_predictions_of_pixels_and_of_files_agree(
    toy: RunFolder, tmp_path: Path
) -> None:
    images = toy_run.digits().test.images[:3]
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    of_pixels = tessera.predict(toy.path, images)
    of_files = tessera.predict(toy.path, tmp_path)
    assert of_pixels.classes == of_files.classes
    np.testing.assert_allclose(of_pixels.probabilities, of_files.probabilities)


def test_the_runs_own_scores_come_back(toy: RunFolder) -> None:
    found = tessera.evaluate(toy.path)
    model = verbs.load_model(toy.path)
    assert found.scores == model.scores
    assert found.images == 359
    again = tessera.evaluate(model, tessera.load_data("digits", image_size=16))
    assert again.scores == found.scores


def test_an_explanation_is_gradcams_and_shows_pictures(toy: RunFolder) -> None:
    images = toy_run.digits().test.images[:2]
    found = tessera.explain(toy.path, images, target="3")
    assert found.explanations.targets.tolist() == [3, 3]
    assert found._repr_html_().count("<img") == 4
    with pytest.raises(DataError, match="target: expected one of 0, 1"):
        tessera.explain(toy.path, images, target="cat")


@pytest.mark.parametrize("images", [np.zeros((2, 16, 16, 3)), np.zeros((2, 9), "u1")])
def test_pixels_of_another_shape_or_type_are_refused(
    toy: RunFolder, images: np.ndarray
) -> None:
    with pytest.raises(DataError, match=r"uint8 \[N, H, W, 3\]"):
        tessera.predict(toy.path, images)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected the folder of a finished run"):
        tessera.predict(tmp_path, tmp_path)


def example(name: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_of_an_own_folder_runs(tmp_path: Path) -> None:
    data = toy_run.digits().train
    for name, label in (("zero", 0), ("one", 1)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in np.flatnonzero(data.labels == label)[: 30 + 60 * label]:
            path = tmp_path / "photos" / name / f"{index}.png"
            Image.fromarray(data.images[index]).save(path)
    printed = example("own_folder.py", tmp_path, "photos", "2")
    assert "(3, 8, 8) cells of evidence" in printed
    assert printed.count("Answer(") == 5
    assert list(tmp_path.glob("runs/own/runs/cnn--weighted-*/seed-0/record.json"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_of_the_study_runs_and_is_not_repeated(tmp_path: Path) -> None:
    printed = example("study.py", tmp_path)
    assert (tmp_path / "runs/digits/report.html").stat().st_size > 10_000
    assert "seed-0" in printed
    records = sorted(tmp_path.glob("runs/digits/runs/*/*/record.json"))
    before = [path.stat().st_mtime_ns for path in records]
    assert example("study.py", tmp_path) == printed
    assert [path.stat().st_mtime_ns for path in records] == before and len(before) == 9

"""From a run's folder to a model with calibrated probabilities."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_run
from scipy import special

from tessera import files, trained
from tessera.evaluation.probabilities import fitted_temperature
from tessera.models.rebuild import RunError
from tessera.record import RunFolder


def validate(run: RunFolder, right: int) -> None:
    """Give a run validation predictions of which `right` of 10 are right."""
    labels = np.arange(10)
    answers = np.where(labels < right, labels, (labels + 1) % 10)
    logits = np.eye(10, dtype=np.float32)[answers]
    files.write_arrays(run.validation_predictions, logits=logits, labels=labels)


def test_a_run_is_loaded_with_its_own_temperature(toy: RunFolder) -> None:
    model = trained.load(toy.path)
    stored = files.read_arrays(toy.validation_predictions)
    assert model.temperature == fitted_temperature(stored["logits"], stored["labels"])
    images = toy_run.digits().test.images
    logits = files.read_arrays(toy.predictions)["logits"]
    expected = special.softmax(logits.astype(float) / model.temperature, axis=1)
    np.testing.assert_allclose(model.probabilities(images), expected, atol=1e-5)
    assert (model.image_size, len(model.class_names)) == (16, 10)


def test_a_model_says_whether_it_is_calibrated_and_on_how_many_images(
    toy: RunFolder, tmp_path: Path
) -> None:
    # How sure the toy's drawn weights are differs from framework to framework.
    model = replace(trained.load(toy.path), temperature=1.25, uncalibrated="")
    assert model.calibration == (
        "Probabilities are calibrated on 100 validation images (temperature 1.25)."
    )
    shutil.copytree(toy.path, tmp_path / "run")
    validate(RunFolder(tmp_path / "run"), right=6)
    few = trained.load(tmp_path / "run")
    assert few.temperature == 1.0
    assert few.calibration == (
        "Probabilities are not calibrated: 10 validation images, where a temperature "
        "takes 50."
    )


def test_missing_validation_predictions_are_named(
    toy: RunFolder, tmp_path: Path
) -> None:
    shutil.copytree(toy.path, tmp_path / "run")
    (tmp_path / "run" / "validation_predictions.npz").unlink()
    with pytest.raises(RunError, match=r"validation_predictions\.npz: expected"):
        trained.load(tmp_path / "run")


def test_an_ensemble_of_which_weights_are_gone_names_them(
    two_seeds: Path, tmp_path: Path
) -> None:
    place = shutil.copytree(two_seeds, tmp_path / "study")
    weights = RunFolder(place / "runs/hybrid--balanced/seed-1").weights
    weights.unlink()
    with pytest.raises(RunError, match=rf"{weights}: expected"):
        trained.load(place, ensemble=True)

"""All folds' networks as one model: its answers, and what is known of them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from tessera import files, folded, meant, trained
from tessera.arrays import Floats
from tessera.evaluation import probabilities, scores
from tessera.experiment import Folder
from tessera.folded import Folded
from tessera.models.rebuild import RunError
from tessera.record import RunFolder


@pytest.fixture(scope="module")
def whole(in_folds: Path) -> Folded:
    found = trained.load(in_folds, ensemble=True)
    assert isinstance(found, Folded)
    return found


def of_fold(study: Path, fold: int, seed: int) -> RunFolder:
    return RunFolder(study / f"fold-{fold}/runs/cnn--balanced/seed-{seed}")


def stored(study: Path, fold: int) -> Floats:
    """The mean of what both seeds' networks of a fold answered in training."""
    logits = [
        files.read_arrays(of_fold(study, fold, seed).predictions)["logits"]
        for seed in (0, 1)
    ]
    return np.mean([special.softmax(z.astype(float), axis=1) for z in logits], axis=0)


def test_its_members_are_every_folds_run_of_every_seed(
    whole: Folded, in_folds: Path
) -> None:
    wanted = [of_fold(in_folds, k, seed) for seed in (0, 1) for k in (1, 2)]
    assert [member.folder for member in whole.members] == wanted
    assert whole.folds == 2 and whole.seeds == "2 folds of seeds 0 and 1"
    assert whole.titles[:2] == ("seed 0, fold 1", "seed 0, fold 2")
    assert whole.place == f"{whole.folder.path.parent}, 2 folds of seeds 0 and 1"
    names = [layer.name for layer in whole.net.layers]
    assert {"seed-0-fold-1", "seed-1-fold-2"} <= set(names)


def test_it_answers_with_the_mean_of_all_of_them(whole: Folded, in_folds: Path) -> None:
    images = folded.data(whole.run.data).test.images
    places = [of_fold(in_folds, k, seed).path for k in (1, 2) for seed in (0, 1)]
    each = [trained.load(place).probabilities(images) for place in places]
    found = whole.probabilities(images)
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-6)


def test_an_images_score_is_of_the_networks_that_had_not_learned_from_it(
    whole: Folded, in_folds: Path
) -> None:
    expected = np.concatenate([stored(in_folds, k) for k in (1, 2)])
    np.testing.assert_allclose(whole.stored(), expected, atol=1e-12)
    labels = folded.data(whole.run.data).test.labels
    answers = expected.argmax(axis=1)
    assert whole.record.scores == scores.scores(labels, answers, whole.class_names)


def test_what_was_stored_is_computed_again_by_the_same_networks(whole: Folded) -> None:
    images = folded.data(whole.run.data).test.images
    some = np.array([23, 0, 11, 12, 5])
    shares = whole.probabilities(images[some])
    again = whole.as_stored(shares, images[some], some)
    np.testing.assert_allclose(again, whole.stored()[some], atol=1e-6)
    assert np.abs(again - shares).max() > 0.01


def test_its_record_is_of_all_trainings_and_says_what_was_not_tested(
    whole: Folded,
) -> None:
    sizes = [member.record.parameters for member in whole.members]
    assert whole.record.parameters == sum(sizes) == whole.net.count_params()
    assert whole.record.notes[0] == (
        "These are 4 trainings, 2 folds of seeds 0 and 1, asked together. Scores are "
        "of each image's answer by the 2 that have not learned from it. How all of "
        "them together answer was not tested, for they have learned from every image; "
        "as a rule they err less often."
    )


def test_the_folds_of_one_seed_are_enough(in_folds: Path) -> None:
    taken = meant.choose(in_folds, ensemble=True)
    one = replace(taken, together=taken.together[:2], pooled=taken.pooled[:1])
    alone = folded.folded(one)
    assert alone.seeds == "2 folds of seed 0"
    assert "by the one that has not learned from it" in alone.record.notes[0]


def test_its_data_are_all_images_once_as_the_folds_tested_them(
    whole: Folded, in_folds: Path
) -> None:
    found = folded.data(whole.run.data)
    assert found.fingerprint == whole.record.data.fingerprint
    assert found.train is found.test and len(found.test) == 24
    pooled = files.read_arrays(whole.folder.predictions)
    np.testing.assert_array_equal(found.test.labels, pooled["labels"])
    assert len(np.unique(found.test.images, axis=0)) == 24


def test_a_fold_asked_for_by_number_makes_no_difference_to_its_data(
    whole: Folded,
) -> None:
    asked = whole.run.data
    assert isinstance(asked, Folder)
    one = folded.data(asked.model_copy(update={"fold": 2}))
    assert one.fingerprint == whole.record.data.fingerprint


def test_each_seed_is_calibrated_on_the_validation_images_of_all_folds(
    in_folds: Path, tmp_path: Path
) -> None:
    study = Path(shutil.copytree(in_folds, tmp_path / "study"))
    random = np.random.default_rng(0)
    labels = random.integers(3, size=60).astype(np.int32)
    logits = 4 * (np.eye(3)[labels] + random.normal(size=(60, 3))).astype(np.float32)
    (place,) = study.glob("runs/cnn--balanced-*/seed-1")
    held = {"logits": logits, "labels": labels, "indices": np.arange(60)}
    files.write_arrays(RunFolder(place).validation_predictions, **held)
    found = trained.load(study, ensemble=True)
    assert isinstance(found, Folded)
    warmth = probabilities.temperature(logits, labels).value
    assert warmth != 1.0
    assert [m.temperature for m in found.members] == [1.0, 1.0, warmth, warmth]
    assert found.calibration == (
        "Each seed is calibrated for itself, on the validation images of all folds: "
        "seed 0 not (24 validation images, where a temperature takes 50), seed 1 with "
        f"temperature {warmth:.2f}. Their mean is calibrated on none."
    )


def test_of_few_validation_images_nothing_is_said_to_be_calibrated(
    whole: Folded,
) -> None:
    assert whole.calibration == (
        "Probabilities are not calibrated: 24 validation images, where a temperature "
        "takes 50."
    )


def test_a_fold_whose_predictions_are_gone_is_named(
    in_folds: Path, tmp_path: Path
) -> None:
    study = Path(shutil.copytree(in_folds, tmp_path / "study"))
    weights = of_fold(study, 2, 1).weights
    weights.unlink()
    with pytest.raises(RunError, match=rf"{weights}: expected"):
        trained.load(study, ensemble=True)

"""All seeds' runs of a study as one model: its answers, and what is told of them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import toy_run
from scipy import special

from tessera import ensembled, files, trained
from tessera.ensembled import Ensemble
from tessera.evaluation import health, scores
from tessera.record import RunFolder
from tessera.trained import Trained


def each(study: Path) -> list[RunFolder]:
    places = (study / f"runs/hybrid--balanced/seed-{seed}" for seed in (0, 1))
    return [RunFolder(place) for place in places]


def mean_of_stored(study: Path) -> np.ndarray:
    shares = [
        special.softmax(
            files.read_arrays(run.predictions)["logits"].astype(float)
            / trained.load(run.path).temperature,
            axis=1,
        )
        for run in each(study)
    ]
    return np.mean(shares, axis=0)


def test_it_answers_with_the_mean_of_its_runs_probabilities(
    pair: Ensemble, two_seeds: Path
) -> None:
    expected = mean_of_stored(two_seeds)
    found = pair.probabilities(toy_run.digits().test.images)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(pair.stored(), expected)
    apart = [trained.load(run.path).stored() for run in each(two_seeds)]
    assert min(np.abs(one - expected).max() for one in apart) > 0.01


def test_its_record_has_the_scores_of_the_mean_and_the_size_of_all(
    pair: Ensemble, two_seeds: Path
) -> None:
    labels = toy_run.digits().test.labels
    answers = mean_of_stored(two_seeds).argmax(axis=1)
    assert pair.record.scores == scores.scores(labels, answers, pair.class_names)
    one = trained.load(each(two_seeds)[0].path).record
    assert pair.record.parameters == 2 * one.parameters == pair.net.count_params()
    assert pair.record.multiply_adds == 2 * one.multiply_adds
    assert pair.record.scores != one.scores
    assert "2 trainings, seeds 0 and 1, asked together" in pair.record.notes[0]
    assert pair.place == f"{two_seeds / 'runs/hybrid--balanced'}, seeds 0 and 1"


def noted(member: Trained, *notes: str) -> Trained:
    """The member with these notes, and answers that never name the last class."""
    matrix = np.diag([30] * 9 + [0])
    matrix[9, 0] = 30
    found = scores.from_confusion(matrix, member.class_names)
    update = {"notes": notes, "scores": found}
    return replace(member, record=member.record.model_copy(update=update))


def test_notes_of_its_runs_stay_but_for_those_on_answers_that_are_not_its_own(
    pair: Ensemble,
) -> None:
    wrong = "Never predicted on the test set: 9."
    first, second = pair.members
    members = [noted(first, "Shared.", wrong), noted(second, "Shared.", "Explosion.")]
    labels = toy_run.digits().test.labels
    told = ensembled.record(first.record, members, labels, pair.stored(), "Two.").notes
    own = tuple(health.of_answers(pair.record.scores))
    assert told[0] == "Two." and told[1:] == (*own, "Shared.", "Seed 1: Explosion.")
    assert wrong not in told


WHY = "10 validation images, where a temperature takes 50"


def calibrated(pair: Ensemble, *uncalibrated: str) -> str:
    members = tuple(
        replace(member, temperature=1.25, uncalibrated=why)
        for member, why in zip(pair.members, uncalibrated, strict=True)
    )
    return replace(pair, uncalibrated="", members=members).calibration


def test_it_says_that_its_runs_are_calibrated_and_their_mean_is_not(
    pair: Ensemble,
) -> None:
    assert calibrated(pair, "", "") == (
        "Each run is calibrated for itself, on its own 100 validation images: seed 0 "
        "with temperature 1.25, seed 1 with temperature 1.25. Their mean is calibrated "
        "on none, and tends to be less sure than it is right."
    )


def test_a_run_that_could_not_be_calibrated_is_told(pair: Ensemble) -> None:
    assert calibrated(pair, "", WHY).endswith(
        f"with temperature 1.25, seed 1 not ({WHY}). Their mean is calibrated on none."
    )


def test_of_few_validation_images_nothing_is_said_to_be_calibrated(
    two_seeds: Path, tmp_path: Path
) -> None:
    study = Path(shutil.copytree(two_seeds, tmp_path / "study"))
    for run in each(study):
        held = files.read_arrays(run.validation_predictions)
        less = {name: values[:10] for name, values in held.items()}
        files.write_arrays(run.validation_predictions, **less)
    cold = trained.load(study, ensemble=True)
    assert cold.calibration == f"Probabilities are not calibrated: {WHY}."

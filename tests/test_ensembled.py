"""All seeds' runs of a study as one model: its answers, and what is told of them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import toy_run
from scipy import special

from tessera import ensembled, files, trained
from tessera.ensembled import Ensemble
from tessera.evaluation import scores
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
    record = member.record.model_copy(update={"notes": notes})
    return replace(member, record=record)


def test_notes_of_its_runs_stay_but_for_those_on_answers_that_are_not_its_own(
    pair: Ensemble,
) -> None:
    first, second = pair.members
    (wrong,) = ensembled.health.of_answers(first.record.scores)
    members = [noted(first, "Shared.", wrong), noted(second, "Shared.", "Explosion.")]
    told = ensembled.record(first.record, members).notes
    own = tuple(ensembled.health.of_answers(pair.record.scores))
    assert told[1:] == (*own, "Shared.", "Seed 1: Explosion.")
    assert wrong not in told


def test_it_says_that_its_runs_are_calibrated_and_their_mean_is_not(
    pair: Ensemble,
) -> None:
    first, second = (f"{m.temperature:.2f}" for m in pair.members)
    assert pair.calibration == (
        "Each run is calibrated for itself, on its own 100 validation images: seed 0 "
        f"with temperature {first}, seed 1 with temperature {second}. Their mean is "
        "calibrated on none, and tends to be less sure than it is right."
    )


def few(run: RunFolder) -> None:
    """Leave ten validation images, too few for a temperature."""
    held = files.read_arrays(run.validation_predictions)
    less = {name: values[:10] for name, values in held.items()}
    files.write_arrays(run.validation_predictions, **less)


def test_runs_that_could_not_be_calibrated_are_told(
    two_seeds: Path, tmp_path: Path
) -> None:
    study = Path(shutil.copytree(two_seeds, tmp_path / "study"))
    why = "10 validation images, where a temperature takes 50"
    first, second = each(study)
    few(second)
    told = trained.load(study, ensemble=True).calibration
    assert told.endswith(f"seed 1 not ({why}). Their mean is calibrated on none.")
    few(first)
    cold = trained.load(study, ensemble=True)
    assert cold.calibration == f"Probabilities are not calibrated: {why}."

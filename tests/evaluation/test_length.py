"""Runs that end while they still learn say so; chance and late designs do not."""

import numpy as np
import pytest
from scipy import stats

from tessera.evaluation.length import LEVEL, chance, still_learning
from tessera.experiment import Cnn, Experiment, HybridPlus, Regime, Training
from tessera.record import Record
from tessera.remedies import (
    Classifier,
    CutMix,
    PostHocAdjustment,
    Power,
    Progressive,
    Remedy,
    Smoothed,
)

from .studies import flat, record

PLAIN = Regime(name="plain")
EIGHT = Experiment(models=(Cnn(),), regimes=(PLAIN,), seeds=tuple(range(9)))


def runs(*best: int, regime: Regime = PLAIN, model: str = "cnn") -> list[Record]:
    """A run for each of these best epochs."""
    return [
        record(model, regime, seed, flat(0.8, 0.4), best_epoch=epoch)
        for seed, epoch in enumerate(best)
    ]


def test_a_score_that_only_wavers_is_best_in_its_last_epoch_as_often_as_told() -> None:
    # Nine runs of eight epochs of noise, a hundred thousand times.
    draws = np.random.default_rng(0).random((100_000, 9, 8))
    last = (draws.argmax(axis=2) == 7).sum(axis=1)
    for found in (1, 3, 5):
        assert chance(found, 9, 8) == pytest.approx((last >= found).mean(), rel=0.1)


def test_the_chance_is_the_binomial_distributions_upper_tail() -> None:
    for last, of, epochs in ((1, 1, 8), (3, 9, 8), (36, 45, 8), (9, 18, 40)):
        tail = stats.binom.sf(last - 1, of, 1 / epochs)
        assert chance(last, of, epochs) == pytest.approx(tail, rel=1e-9)


def test_many_best_epochs_at_the_end_are_told_with_what_chance_would_make() -> None:
    assert still_learning(EIGHT, runs(8, 8, 8, 8, 8, 8, 3, 5, 2)) == (
        "Still learning: the last of 8 epochs was the best in 6 of 9 runs; by chance "
        "alone it would be in 1.1. More epochs may raise scores, and change which "
        "model or remedy leads."
    )


@pytest.mark.parametrize("best", [(8, 8, 8, 4, 3, 5, 2, 6, 7), (1, 2, 3), ()])
def test_what_chance_makes_as_well_is_not_told(best: tuple[int, ...]) -> None:
    assert not best or chance(best.count(8), len(best), 8) > LEVEL
    assert still_learning(EIGHT, runs(*best)) is None


def test_what_chance_makes_in_less_than_one_of_a_hundred_studies_is_told() -> None:
    # Four best epochs at the end of eight: 0.62 % for seven runs, 1.12 % for eight.
    assert stats.binom.sf(3, [7, 8], 1 / 8) == pytest.approx([0.0062, 0.0112], abs=1e-4)
    assert still_learning(EIGHT, runs(8, 8, 8, 8, 1, 2, 3)) is not None
    assert still_learning(EIGHT, runs(8, 8, 8, 8, 1, 2, 3, 4)) is None


def test_a_single_epoch_is_always_the_last_and_says_nothing() -> None:
    one = EIGHT.model_copy(update={"training": Training(epochs=1)})
    assert still_learning(one, runs(*[1] * 9)) is None


def test_each_models_runs_are_counted() -> None:
    two = EIGHT.model_copy(update={"models": (Cnn(), Cnn(name="other"))})
    text = still_learning(two, [*runs(8, 8, 8, 8), *runs(8, 8, 1, model="other")])
    assert text is not None
    assert "in 6 of 7 runs (cnn 4 of 4, other 2 of 3);" in text


@pytest.mark.parametrize(
    "remedy",
    [
        Remedy(deferred=0.8),
        Remedy(retraining=Classifier()),
        Remedy(after=PostHocAdjustment()),
        Remedy(sampling=Progressive()),
        Remedy(mixing=CutMix(end=0.5)),
        Remedy(mixing=CutMix(begin=0.5)),
    ],
)
def test_runs_that_are_late_by_their_remedy_are_not_judged(remedy: Remedy) -> None:
    late = Regime(name="late", remedy=remedy)
    both = EIGHT.model_copy(update={"regimes": (PLAIN, late)})
    found = runs(*[8] * 9, regime=late)
    assert still_learning(both, found) is None
    text = still_learning(both, [*found, *runs(8, 8, 8)])
    assert text is not None
    assert "in 3 of the 3 runs that train alike in every epoch;" in text


@pytest.mark.parametrize(
    "remedy",
    [Remedy(mixing=CutMix()), Remedy(weights=Smoothed()), Remedy(sampling=Power())],
)
def test_runs_whose_remedy_does_the_same_in_every_epoch_are_judged(
    remedy: Remedy,
) -> None:
    steady = Regime(name="steady", remedy=remedy)
    study = EIGHT.model_copy(update={"regimes": (steady,)})
    text = still_learning(study, runs(*[8] * 9, regime=steady))
    assert text is not None and "in 9 of 9 runs;" in text


def test_a_rate_that_falls_to_the_end_makes_a_late_best_epoch_by_design() -> None:
    falling = EIGHT.model_copy(update={"training": Training(schedule="cosine")})
    assert still_learning(falling, runs(*[8] * 9)) is None
    recipe = EIGHT.model_copy(update={"models": (HybridPlus(),)})
    assert still_learning(recipe, runs(*[8] * 9, model="hybrid-plus")) is None


def test_of_runs_that_keep_their_last_epoch_nothing_is_concluded() -> None:
    last = EIGHT.model_copy(update={"training": Training(monitor="last_epoch")})
    assert still_learning(last, runs(*[8] * 9)) is None

import numpy as np
import pytest

from tessera.evaluation.balanced_training import balanced_training
from tessera.evaluation.differences import seeds_to_decide
from tessera.evaluation.roles import roles
from tessera.evaluation.scores import from_confusion
from tessera.experiment import OWN_REGIMES, Cnn, Experiment, Hybrid

from .studies import (
    FIVE,
    NAMES,
    by_nature,
    confusion,
    flat,
    found,
    of_one_class,
    records,
    sway,
)


def test_small_spread_and_few_errors_support_stable_and_high():
    verdict = balanced_training(
        found(FIVE, lambda m, r, seed: flat(0.8 + sway(seed), 0.8))
    )
    assert verdict.verdict == "supported"
    assert verdict.because == (
        "Of 1 model, 1 is stable beyond doubt and 1 high beyond doubt."
    )


def test_test_images_of_one_class_leave_nothing_to_guess():
    runs = records(FIVE, lambda m, r, seed: flat(0.8 + sway(seed), 0.8))
    verdict = balanced_training(roles(FIVE, [of_one_class(run) for run in runs]))
    assert (verdict.verdict, verdict.evidence) == ("not tested", ())
    assert "of one class" in verdict.because


def test_a_large_spread_speaks_against_stable():
    verdict = balanced_training(
        found(FIVE, lambda m, r, seed: flat(0.7 + 0.2 * (-1) ** seed, 0.8))
    )
    assert verdict.verdict == "not supported"


def test_accuracy_near_guessing_speaks_against_high():
    verdict = balanced_training(
        found(FIVE, lambda m, r, seed: flat(0.3 + sway(seed), 0.3))
    )
    assert verdict.verdict == "not supported"


def test_two_seeds_leave_stability_open_and_say_how_many_it_takes():
    two = Experiment(models=(Cnn(),))
    verdict = balanced_training(
        found(two, lambda m, r, seed: flat(0.8 + 0.012 * seed, 0.8))
    )
    assert verdict.verdict == "not decided"
    # Accuracies of 0.8 and 0.8084: s = 0.00594, whose upper bound s sqrt((S - 1) /
    # chi2(S - 1; 0.05)) is 0.095 for two seeds, 0.0262 for three and 0.0173 for four.
    assert "about 4 seeds would pin all of them down" in verdict.because


@pytest.mark.parametrize(
    ("more", "told"),
    [
        # 0.8 and 0.814: s = 0.0099, times sqrt((S - 1) / chi2(S - 1; 0.05)) = 1.92 for
        # seven seeds and 2.09 for six. The CNN's take four, as above.
        (0.02, "about 7 seeds would pin all of them down."),
        (0.0, "What is open takes more seeds to say."),  # no spread: not known
    ],
)
def test_the_model_that_takes_the_most_seeds_decides_how_many(more, told):
    two = Experiment(models=(Cnn(), Hybrid()))
    step = {"cnn": 0.012, "hybrid": more}
    verdict = balanced_training(
        found(two, lambda m, r, seed: flat(0.8 + step[m] * seed, 0.8))
    )
    assert verdict.because.endswith(told)


def test_the_spread_is_told_with_its_bound():
    three = Experiment(models=(Cnn(),), seeds=(0, 1, 2))
    accuracy = (0.79, 0.8, 0.81)
    verdict = balanced_training(
        found(three, lambda m, r, seed: flat(accuracy[seed], accuracy[seed]))
    )
    # 0.01 sqrt(2 / chi2(2; 0.05)), with chi2 = 0.10259.
    assert "1.0 points over 3 seeds (at most 4.4 at 95 %" in verdict.evidence[0]


def test_accuracy_counts_images_and_height_counts_classes():
    matrix = confusion([0.9, *[0.5] * 9])
    matrix[0] *= 11  # 11,000 images of one class and 1,000 of each other
    scores = from_confusion(matrix, NAMES)
    runs = records(FIVE, lambda m, r, seed: flat(0.5, 0.5))
    every = [run.model_copy(update={"scores": scores}) for run in runs]
    (sentence,) = balanced_training(roles(FIVE, every)).evidence
    # (11 * 0.9 + 9 * 0.5) / 20, and (0.54 - 0.1) / 0.9.
    assert sentence.startswith("cnn: accuracy 72.0 % ")
    assert "avoids 49 % of the errors" in sentence


def test_a_single_seed_is_told_without_a_spread_and_asks_for_more():
    one = Experiment(models=(Cnn(),), seeds=(0,))
    verdict = balanced_training(found(one, lambda m, r, seed: flat(0.8, 0.8)))
    assert verdict.verdict == "not decided"
    assert verdict.because.endswith("What is open takes more seeds to say.")
    assert "80.0 % (1 seed, so the spread is not known)" in verdict.evidence[0]


def test_a_model_without_a_finished_run_leaves_the_claim_open():
    two = FIVE.model_copy(update={"models": (Cnn(), Hybrid())})
    every = records(two, lambda m, r, seed: flat(0.8 + sway(seed), 0.8))
    verdict = balanced_training(roles(two, [r for r in every if r.model == "cnn"]))
    assert verdict.verdict == "not decided"
    assert verdict.because.endswith("; the other models have no finished run.")


def test_stable_models_and_high_ones_are_counted_apart():
    two = FIVE.model_copy(update={"models": (Cnn(), Hybrid())})
    level = {"cnn": 0.8, "hybrid": 0.3}
    verdict = balanced_training(
        found(two, lambda m, r, seed: flat(level[m] + sway(seed), level[m]))
    )
    assert verdict.because == (
        "Of 2 models, 2 are stable beyond doubt and 1 high beyond doubt; 0 surely not "
        "stable, 1 surely not high."
    )


def test_without_a_balanced_regime_the_claim_is_not_tested():
    cut = FIVE.model_copy(update={"regimes": FIVE.regimes[1:]})
    verdict = balanced_training(found(cut, lambda m, r, seed: flat(0.8, 0.8)))
    assert verdict.verdict == "not tested"


def test_no_bound_of_a_spread_exceeds_what_accuracies_can_spread():
    # 0.1 and 0.9: s = 0.566, and s / sqrt(chi2(1; 0.05)) would be 9.0; 0 and 1: 0.707.
    two = Experiment(models=(Cnn(),), seeds=(0, 1))
    verdict = balanced_training(
        found(two, lambda m, r, seed: flat(0.1 + 0.8 * seed, 0.1 + 0.8 * seed))
    )
    assert (
        "deviation of 56.6 points over 2 seeds (at most 70.7 at 95 %"
        in (verdict.evidence[0])
    )


@pytest.mark.parametrize("accuracy", [0.75, 0.8])  # the mean of 0.8s is not 0.8
def test_accuracies_that_are_equal_by_rounding_are_not_surely_stable(accuracy):
    three = Experiment(models=(Cnn(),), seeds=(0, 1, 2))
    verdict = balanced_training(
        found(three, lambda m, r, seed: flat(accuracy, accuracy))
    )
    assert verdict.verdict == "not decided"
    assert "0 are stable beyond doubt" in verdict.because


def test_seeds_that_agree_and_a_model_below_guessing_are_said_so():
    two = Experiment(models=(Cnn(),))
    verdict = balanced_training(found(two, lambda m, r, seed: flat(0.05, 0.05)))
    (sentence,) = verdict.evidence
    assert "accuracy 5.0 % (the same for all 2 seeds, so its true spread" in sentence
    assert "it avoids \N{MINUS SIGN}6 % of the errors" in sentence


@pytest.mark.parametrize(
    ("scale", "told"),
    [
        # Six seeds of spread 0.0058 are stable for sure, of spread 0.058 surely not.
        (1, "1 is stable beyond doubt and 0 high beyond doubt."),
        (10, "; 1 surely not stable, 0 surely not high."),
    ],
)
def test_where_only_the_height_is_open_the_seeds_are_those_that_decide_it(scale, told):
    # Half of guessing's errors is 0.55.
    six = Experiment(models=(Cnn(),), seeds=tuple(range(6)))
    away = np.array([-0.006, 0.009, -0.004, 0.008, -0.002, 0.004])
    values = 0.55 + scale * away
    verdict = balanced_training(
        found(six, lambda m, r, seed: flat(values[seed], values[seed]))
    )
    assert told in verdict.because
    excess = (values - 0.1) / 0.9 - 0.5
    expected = seeds_to_decide(np.mean(excess), np.std(excess, ddof=1), more_than=6)
    assert expected > 6
    assert f"about {expected} seeds would pin" in verdict.because


def test_half_of_the_errors_of_guessing_is_the_bar_for_high():
    # Ten classes: guessing is right for 0.1, so 0.55 avoids half of its errors.
    verdict = balanced_training(found(FIVE, lambda m, r, seed: flat(0.55, 0.55)))
    assert "avoids 50 % of the errors" in verdict.evidence[0]


def test_balanced_training_says_how_many_images_levelling_leaves():
    # 10 classes of 900 images of 7 of 4,500 and 3 of 900.
    study = Experiment(models=(Cnn(),), regimes=OWN_REGIMES)
    own = [by_nature(r) for r in records(study, lambda *_: flat(0.8, 0.5))]
    verdict = balanced_training(roles(study, own))
    assert verdict.evidence[0].startswith(
        "The balanced runs see 9,000 of the 34,200 training images of as-is:"
    )
    cut = found(FIVE, lambda *_: flat(0.8, 0.5))
    assert "levelled" not in " ".join(balanced_training(cut).evidence)


def test_data_that_no_regime_levels_are_not_said_to_be_levelled():
    # 3,600 of 4,500 is not rare, so training as they come is the balanced one.
    study = Experiment(models=(Cnn(),), regimes=OWN_REGIMES[1:])
    mild = [by_nature(r, 3600) for r in records(study, lambda *_: flat(0.8, 0.5))]
    assert "levelled" not in " ".join(balanced_training(roles(study, mild)).evidence)

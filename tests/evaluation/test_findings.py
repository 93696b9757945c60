import numpy as np
import pytest

from tessera.evaluation import findings
from tessera.evaluation.differences import seeds_to_decide
from tessera.evaluation.roles import roles
from tessera.experiment import OWN_REGIMES, Cnn, Experiment, Explain, Regime

from .studies import by_nature, flat, records

FIVE = Experiment(models=(Cnn(),), seeds=(0, 1, 2, 3, 4))


def found(experiment, recalls):
    return roles(experiment, records(experiment, recalls))


def sway(seed, size=0.002):
    """Small differences between seeds that do not cancel between regimes."""
    return size * (-1) ** seed * (1 + seed)


def test_small_spread_and_few_errors_support_stable_and_high():
    verdict = findings.balanced_training(
        found(FIVE, lambda m, r, seed: flat(0.8 + sway(seed), 0.8))
    )
    assert verdict.verdict == "supported"


def test_a_large_spread_speaks_against_stable():
    verdict = findings.balanced_training(
        found(FIVE, lambda m, r, seed: flat(0.7 + 0.2 * (-1) ** seed, 0.8))
    )
    assert verdict.verdict == "not supported"


def test_accuracy_near_guessing_speaks_against_high():
    verdict = findings.balanced_training(
        found(FIVE, lambda m, r, seed: flat(0.3 + sway(seed), 0.3))
    )
    assert verdict.verdict == "not supported"


def test_two_seeds_leave_stability_open_and_say_how_many_it_takes():
    two = Experiment(models=(Cnn(),))
    verdict = findings.balanced_training(
        found(two, lambda m, r, seed: flat(0.8 + 0.01 * seed, 0.8))
    )
    assert verdict.verdict == "not decided"
    assert "seeds would pin all of them down" in verdict.because


def test_no_bound_of_a_spread_exceeds_what_accuracies_can_spread():
    # 0.1 and 0.9: s = 0.566, and s / sqrt(chi2(1; 0.05)) would be 9.0; 0 and 1: 0.707.
    two = Experiment(models=(Cnn(),), seeds=(0, 1))
    verdict = findings.balanced_training(
        found(two, lambda m, r, seed: flat(0.1 + 0.8 * seed, 0.1 + 0.8 * seed))
    )
    assert (
        "deviation of 56.6 points over 2 seeds (at most 70.7 at 95 %"
        in (verdict.evidence[0])
    )


@pytest.mark.parametrize("accuracy", [0.75, 0.8])  # the mean of 0.8s is not 0.8
def test_accuracies_that_are_equal_by_rounding_are_not_surely_stable(accuracy):
    three = Experiment(models=(Cnn(),), seeds=(0, 1, 2))
    verdict = findings.balanced_training(
        found(three, lambda m, r, seed: flat(accuracy, accuracy))
    )
    assert verdict.verdict == "not decided"
    assert "0 are stable beyond doubt" in verdict.because


def test_where_only_the_height_is_open_the_seeds_are_those_that_decide_it():
    # Spread 0.0116 < 0.02 for sure with six seeds; half of guessing's errors is 0.55.
    six = Experiment(models=(Cnn(),), seeds=tuple(range(6)))
    values = [0.55 + d for d in (-0.006, 0.009, -0.004, 0.008, -0.002, 0.004)]
    verdict = findings.balanced_training(
        found(six, lambda m, r, seed: flat(values[seed], values[seed]))
    )
    assert "1 is stable beyond doubt and 0 high beyond doubt" in verdict.because
    excess = [(v - 0.1) / 0.9 - 0.5 for v in values]
    expected = seeds_to_decide(np.mean(excess), np.std(excess, ddof=1), more_than=6)
    assert expected > 6
    assert f"about {expected} seeds would pin" in verdict.because


def test_half_of_the_errors_of_guessing_is_the_bar_for_high():
    # Ten classes: guessing is right for 0.1, so 0.55 avoids half of its errors.
    verdict = findings.balanced_training(
        found(FIVE, lambda m, r, seed: flat(0.55, 0.55))
    )
    assert "avoids 50 % of the errors" in verdict.evidence[0]


def test_lost_recall_of_the_reduced_classes_is_the_cost_of_imbalance():
    verdict = findings.imbalance_costs_recall(
        found(
            FIVE,
            lambda m, r, seed: flat(0.8, 0.7 if r == "balanced" else 0.4 + sway(seed)),
        )
    )
    assert verdict.verdict == "supported"
    # The mean of sway over five seeds is 0.002 * (1 - 2 + 3 - 4 + 5) / 5 = 0.0012.
    expected = "imbalanced minus balanced: \N{MINUS SIGN}29.9 points"
    assert expected in verdict.evidence[0]


def test_unharmed_reduced_classes_refute_the_cost():
    verdict = findings.imbalance_costs_recall(
        found(
            FIVE,
            lambda m, r, seed: flat(0.8, 0.4 if r == "balanced" else 0.7 + sway(seed)),
        )
    )
    assert verdict.verdict == "not supported"


def weighted(reduced, common):
    def recalls(model, regime, seed):
        if regime == "weighted":
            return flat(common + sway(seed), reduced + sway(seed))
        return flat(0.8, 0.4)

    return recalls


def test_weights_that_lift_recall_and_f1_are_supported_and_their_price_is_told():
    verdict = findings.class_weights_help(found(FIVE, weighted(0.6, 0.75)))
    assert verdict.verdict == "supported"
    price = [e for e in verdict.evidence if e.startswith("The price.")]
    assert "recall of the other classes" in price[0]
    assert "\N{MINUS SIGN}4.9 points" in price[0]


def test_weights_that_do_harm_are_not_supported():
    verdict = findings.class_weights_help(found(FIVE, weighted(0.2, 0.8)))
    assert verdict.verdict == "not supported"


@pytest.mark.parametrize(
    "judge", [findings.imbalance_costs_recall, findings.class_weights_help]
)
def test_an_experiment_without_imbalance_leaves_the_claims_untested(judge):
    balanced = Experiment(regimes=(Regime(name="balanced"),))
    verdict = judge(found(balanced, lambda m, r, s: flat(0.8, 0.7)))
    assert verdict.verdict == "not tested"
    assert "needs" in verdict.because


def test_pictures_alone_never_confirm_grad_cam():
    finished = records(FIVE, lambda m, r, s: flat(0.8, 0.7))
    assert findings.grad_cam_meaningful(FIVE, finished).verdict == "not decided"


def test_without_pictures_grad_cam_is_not_tested():
    none = FIVE.model_copy(update={"explain": Explain(examples=0)})
    finished = records(none, lambda m, r, s: flat(0.8, 0.7))
    assert findings.grad_cam_meaningful(none, finished).verdict == "not tested"


def test_unequal_data_without_a_rare_class_say_why_two_claims_are_not_tested():
    study = Experiment(models=(Cnn(),), regimes=OWN_REGIMES)
    every = [by_nature(r, 3600) for r in records(study, lambda *_: flat(0.8, 0.5))]
    mild = roles(study, every)
    for verdict in (
        findings.imbalance_costs_recall(mild),
        findings.class_weights_help(mild),
    ):
        assert verdict.verdict == "not tested"
        assert verdict.because.startswith("No class counts as rare under as-is: each")
        assert "cut a class with a profile" in verdict.because


def own(recalls):
    study = Experiment(models=(Cnn(),), regimes=OWN_REGIMES)
    return roles(study, [by_nature(r) for r in records(study, recalls)])


def test_data_as_they_come_are_not_said_to_be_reduced():
    found = own(lambda m, r, seed: flat(0.8, 0.5 + 0.01 * seed))
    cost = findings.imbalance_costs_recall(found)
    assert "Nothing is made rare here" in cost.hypothesis
    assert "of cat, deer and dog, as-is minus balanced" in cost.evidence[0]
    weights = findings.class_weights_help(found)
    for verdict in (cost, weights):
        assert "rare classes" in verdict.hypothesis
        assert "reduced" not in verdict.hypothesis


def test_balanced_training_says_how_many_images_levelling_leaves():
    # 10 classes of 900 images of 7 of 4,500 and 3 of 900.
    verdict = findings.balanced_training(own(lambda *_: flat(0.8, 0.5)))
    assert verdict.evidence[0].startswith(
        "The balanced runs see 9,000 of the 34,200 training images of as-is:"
    )
    cut = found(FIVE, lambda *_: flat(0.8, 0.5))
    assert "levelled" not in " ".join(findings.balanced_training(cut).evidence)

import pytest

from tessera.evaluation import findings
from tessera.evaluation.roles import roles
from tessera.experiment import OWN_REGIMES, Cnn, Experiment, Explain, Hybrid

from .studies import FIVE, by_nature, flat, found, records, sway


def test_lost_recall_of_the_reduced_classes_is_the_cost_of_imbalance():
    verdict = findings.imbalance_costs_recall(
        found(
            FIVE,
            lambda m, r, seed: flat(0.8, 0.7 if r == "balanced" else 0.4 + sway(seed)),
        )
    )
    assert verdict.verdict == "supported"
    assert verdict.hypothesis == findings.IMBALANCE.hypothesis
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
    assert verdict.hypothesis == findings.WEIGHTS.hypothesis
    price = [e for e in verdict.evidence if e.startswith("The price.")]
    assert "recall of the other classes" in price[0]
    assert "\N{MINUS SIGN}4.9 points" in price[0]


@pytest.mark.parametrize(
    ("reduced", "common"),
    [
        (0.2, 0.8),
        # More of them are found, but so many birds are called cats that the F1 falls.
        (0.42, 0.1),
        # Fewer of them are found, though hardly a bird is called a cat.
        (0.38, 0.985),
    ],
)
def test_weights_that_do_harm_to_recall_or_f1_are_not_supported(reduced, common):
    verdict = findings.class_weights_help(found(FIVE, weighted(reduced, common)))
    assert verdict.verdict == "not supported"


def test_the_price_of_weights_is_told_in_accuracy_too():
    *_, told = findings.class_weights_help(found(FIVE, weighted(0.6, 0.75))).evidence
    # Seven classes lose 5 points and three win 20, and sway adds 0.12 to each.
    assert told.startswith("The price. cnn: accuracy, weighted minus imbalanced: +2.6")


@pytest.mark.parametrize(
    "judge", [findings.imbalance_costs_recall, findings.class_weights_help]
)
def test_one_model_under_one_profile_speaks_against_a_claim_of_every_one(judge):
    def harsher(regime):
        profile = regime.profile.model_copy(update={"fraction": 0.1})
        changes = {"name": f"harsh {regime.name}", "profile": profile}
        return regime.model_copy(update=changes)

    cut = FIVE.regimes[1:]
    regimes = (*FIVE.regimes, *map(harsher, cut))
    study = FIVE.model_copy(update={"models": (Cnn(), Hybrid()), "regimes": regimes})

    def recalls(model, regime, seed):
        level = {"balanced": 0.6, "imbalanced": 0.4, "weighted": 0.5}
        if model == "hybrid" and regime.startswith("harsh"):
            level |= {"imbalanced": 0.7}
        size = {"balanced": 0.0, "imbalanced": 0.001, "weighted": 0.002}
        known = regime.removeprefix("harsh ")
        return flat(0.8, level[known] + sway(seed, size[known]))

    verdict = judge(roles(study, records(study, recalls)))
    assert verdict.verdict == "not supported"


@pytest.mark.parametrize(
    ("judge", "regimes"),
    [
        (findings.imbalance_costs_recall, FIVE.regimes[:1]),
        (findings.imbalance_costs_recall, FIVE.regimes[1:]),
        (findings.class_weights_help, FIVE.regimes[:1]),
        (findings.class_weights_help, FIVE.regimes[:2]),
        # Levelled and as they come without a rare class, and cut.
        (findings.class_weights_help, (*OWN_REGIMES[:2], FIVE.regimes[1])),
    ],
)
def test_an_experiment_without_both_regimes_leaves_the_claims_untested(judge, regimes):
    study = FIVE.model_copy(update={"regimes": regimes})
    every = [
        by_nature(r, 3600) if r.regime == "as-is" else r
        for r in records(study, lambda m, r, s: flat(0.8, 0.7))
    ]
    verdict = judge(roles(study, every))
    assert verdict.verdict == "not tested"
    assert verdict.because.startswith("It needs ")


def test_pictures_alone_never_confirm_grad_cam():
    finished = records(FIVE, lambda m, r, s: flat(0.8, 0.7))
    assert findings.grad_cam_meaningful(FIVE, finished).verdict == "not decided"


def test_runs_whose_maps_were_too_coarse_to_draw_are_not_said_to_have_left_any():
    two = FIVE.model_copy(update={"models": (Cnn(), Hybrid())})
    note = "No heatmaps: layer 'features': expected a grid of at least 4 x 4 cells."
    finished = [
        r.model_copy(update={"notes": (note,)}) if r.model == "cnn" else r
        for r in records(two, lambda m, r, s: flat(0.8, 0.7))
    ]
    (told,) = findings.grad_cam_meaningful(two, finished).evidence
    assert told.startswith("15 runs left Grad-CAM maps")  # of three regimes, five seeds
    coarse = [r for r in finished if r.model == "cnn"]
    verdict = findings.grad_cam_meaningful(two, coarse)
    assert (verdict.verdict, verdict.evidence) == ("not tested", ())
    assert "too few cells" in verdict.because


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

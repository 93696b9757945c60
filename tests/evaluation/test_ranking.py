import numpy as np
import pytest
from scipy import stats

from tessera.evaluation.ranking import family, rankings
from tessera.evaluation.recommendation import recommendation
from tessera.experiment import (
    CLASS_WEIGHTS,
    OWN_REGIMES,
    Cnn,
    Experiment,
    Exponential,
    Hybrid,
    Natural,
    Reduced,
    Regime,
)
from tessera.remedies import Remedy, Temperature

from .studies import REDUCED, by_nature, flat, records

NOISE = {0: 0.004, 1: -0.003, 2: 0.001, 3: -0.002, 4: 0.002}
LEVELS = {
    "balanced": (0.80, 0.70),
    "plain": (0.80, 0.30),
    "strong": (0.76, 0.60),
    "even": (0.76, 0.597),
    "weak": (0.80, 0.36),
    "harmful": (0.60, 0.20),
}


REDUCES = Reduced()


def remedied(*names, profile=REDUCES):
    return tuple(Regime(name=n, profile=profile, remedy=CLASS_WEIGHTS) for n in names)


STUDY = Experiment(
    models=(Cnn(), Hybrid()),
    regimes=(
        Regime(name="balanced"),
        Regime(name="plain", profile=Reduced()),
        *remedied("weak", "harmful", "even", "strong"),
    ),
    seeds=(0, 1, 2, 3, 4),
)


def recalls(model, regime, seed):
    common, reduced = LEVELS[regime]
    own = np.random.default_rng([seed, len(regime)]).normal(0, 0.004)
    return flat(common + NOISE[seed], reduced + NOISE[seed] + own)


@pytest.fixture(scope="module")
def ranked():
    return rankings(STUDY, records(STUDY, recalls))


def test_every_model_has_a_ranking_with_the_best_mean_first(ranked):
    assert [r.model for r in ranked] == ["cnn", "hybrid"]
    assert [row.regime for row in ranked[0].remedies][2:] == ["weak", "harmful"]
    assert ranked[0].plain == "plain"
    assert ranked[0].balanced == "balanced"
    assert ranked[0].rare_classes == REDUCED
    assert ranked[0].sides == ("reduced", "other")


def test_changes_are_paired_and_have_scipys_interval_and_p(ranked):
    row = ranked[0].remedies[0]
    one, two = (
        np.array(
            [
                x.scores.macro_f1
                for x in records(STUDY, recalls)
                if (x.model, x.regime) == ("cnn", name)
            ]
        )
        for name in (row.regime, "plain")
    )
    expected = stats.ttest_rel(one, two)
    interval = expected.confidence_interval(0.95)
    assert row.change.mean == pytest.approx((one - two).mean())
    assert row.change.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert (row.change.low, row.change.high) == pytest.approx(tuple(interval))
    assert row.change.p_signs == 2 / 2**5


def test_every_comparison_of_a_score_is_one_family(ranked):
    rows = ranked[0].remedies
    smallest = min(rows, key=lambda row: row.change.p)
    assert smallest.change.p_adjusted == pytest.approx(4 * smallest.change.p)


def test_the_cost_side_is_the_other_classes_recall(ranked):
    row = next(r for r in ranked[0].remedies if r.regime == "strong")
    assert row.common.mean == pytest.approx(-0.04)
    assert row.rare.mean == pytest.approx(0.30, abs=0.01)


def test_the_gap_is_that_to_balanced_training(ranked):
    row = next(r for r in ranked[0].remedies if r.regime == "weak")
    assert row.gap_rare.gap == pytest.approx(0.4, abs=0.01)
    assert row.gap_rare.value == pytest.approx(0.06 / 0.4, abs=0.02)
    assert row.gap_rare.low < row.gap_rare.value < row.gap_rare.high


def test_the_pick_is_decided_and_the_rest_are_measured_against_it(ranked):
    found = ranked[0]
    assert found.pick in ("strong", "even")
    best = next(r for r in found.remedies if r.regime == found.pick)
    assert best.behind_pick is None
    far = next(r for r in found.remedies if r.regime == "harmful")
    assert far.behind_pick.decision == "above"
    assert far.change.decision == "below"


def test_the_distance_to_the_pick_is_paired_and_its_family_is_all_the_others(ranked):
    def of(regime):
        found = [x for x in records(STUDY, recalls) if x.model == "cnn"]
        return [x.scores.macro_f1 for x in found if x.regime == regime]

    others = [row for row in ranked[0].remedies if row.regime != ranked[0].pick]
    tests = [stats.ttest_rel(of(ranked[0].pick), of(r.regime)) for r in others]
    p_values = [test.pvalue for test in tests]
    changes = [row.behind_pick for row in others]
    ahead = [np.mean(of(ranked[0].pick)) - np.mean(of(row.regime)) for row in others]
    assert [c.mean for c in changes] == pytest.approx(ahead)
    assert [c.p for c in changes] == pytest.approx(p_values, rel=1e-6)
    assert min(c.p_adjusted for c in changes) == pytest.approx(3 * min(p_values))


def test_a_remedy_on_another_profile_is_ranked_apart():
    study = Experiment(
        models=(Cnn(),),
        regimes=(
            Regime(name="plain", profile=Reduced()),
            *remedied("strong", profile=Exponential()),
        ),
    )
    assert rankings(study, records(study, recalls)) == ()


def test_without_balanced_data_there_is_no_gap():
    study = STUDY.model_copy(update={"regimes": STUDY.regimes[1:]})
    found = rankings(study, records(study, recalls))[0]
    assert found.balanced is None
    assert found.remedies[0].gap_f1 is None


def test_a_model_whose_balanced_runs_are_missing_has_no_balanced_score():
    found = records(STUDY, recalls)
    found = [r for r in found if (r.model, r.regime) != ("hybrid", "balanced")]
    cnn, hybrid = rankings(STUDY, found)
    whole = [
        r.scores.macro_f1 for r in found if (r.model, r.regime) == ("cnn", "balanced")
    ]
    assert (cnn.balanced, cnn.balanced_f1.values) == ("balanced", tuple(whole))
    assert (hybrid.balanced, hybrid.balanced_f1) == (None, None)


def test_processor_time_is_told_where_every_run_has_it():
    seconds = {("plain", s): 50.0 for s in range(5)} | {("weak", 0): 60.0}
    seconds |= {("strong", s): 75.0 for s in range(5)}
    found = [
        r.model_copy(update={"train_cpu_seconds": seconds.get((r.regime, r.seed))})
        for r in records(STUDY, recalls)
        if r.model == "cnn"
    ]
    (ranking,) = rankings(STUDY, found)
    told = {r.regime: r.cpu_seconds for r in ranking.remedies}
    assert (ranking.plain_cpu_seconds.mean, told["strong"].mean) == (50, 75)
    assert told["weak"] is None


def test_a_single_seed_ranks_and_picks_nothing():
    study = STUDY.model_copy(update={"seeds": (0,)})
    found = rankings(study, records(study, recalls))[0]
    assert found.pick is None
    assert {row.change.decision for row in found.remedies} == {"undecided"}
    assert found.remedies[0].change.p_adjusted is None


def test_only_seeds_that_plain_training_finished_are_compared():
    found = [
        r
        for r in records(STUDY, recalls)
        if not (r.regime == "plain" and r.seed > 2)
        and not (r.regime == "weak" and r.seed < 3)
    ]
    rows = rankings(STUDY, found)[0].remedies
    assert rows[0].seeds == (0, 1, 2)
    assert "weak" not in {row.regime for row in rows}


def test_a_rival_is_measured_against_the_pick_at_the_seeds_of_both():
    def finished(r):
        seeds = {"even": (), "strong": (0, 1, 2, 3), "harmful": (4,)}
        return r.seed in seeds.get(r.regime, STUDY.seeds)

    found = [r for r in records(STUDY, recalls) if finished(r)]
    ranking = rankings(STUDY, found)[0]
    behind = {row.regime: row.behind_pick for row in ranking.remedies}
    assert ranking.pick == "strong"
    assert len(behind["weak"].values) == 4
    assert behind["harmful"] is None


def test_the_seeds_that_would_decide_are_counted_with_5_percent_over_the_family():
    values = [0.01, -0.02, 0.05]

    def power(seeds):
        effect = np.mean(values) / np.std(values, ddof=1)
        critical = stats.t(seeds - 1).ppf(1 - 0.05 / 4 / 2)
        return stats.nct(seeds - 1, effect * seeds**0.5).sf(critical)

    needed = family([values] * 4)[0].seeds_to_decide
    assert power(needed - 1) < 0.8 <= power(needed)
    assert family([[0.080, 0.081, 0.082]])[0].seeds_to_decide is None


def test_nothing_to_rank_gives_nothing():
    assert rankings(STUDY, []) == ()


def test_more_comparisons_make_a_decision_harder():
    clear, noise = [0.10, 0.11, 0.15], [0.01, -0.02, 0.01]
    alone = family([clear])[0]
    among = family([clear, *[noise] * 9])[0]
    assert alone.decision == "above"
    assert among.p_adjusted == pytest.approx(10 * alone.p)
    assert (among.decision, among.low) == ("undecided", alone.low)
    assert among.seeds_to_decide > 3


OWN = Experiment(models=(Cnn(),), regimes=OWN_REGIMES, seeds=(0, 1, 2))


def own_recalls(model, regime, seed):
    level = {"as-is": "plain", "weighted": "strong"}.get(regime, regime)
    return recalls(model, level, seed)


def test_classes_that_are_rare_by_nature_are_not_called_reduced():
    found = [by_nature(r) for r in records(OWN, own_recalls)]
    (ranking,) = rankings(OWN, found)
    assert (ranking.sides, ranking.rare_classes) == (("rare", "other"), REDUCED)


def test_without_a_rare_class_the_rarest_stand_against_the_most_common():
    found = [by_nature(r, 3600) for r in records(OWN, own_recalls)]
    (ranking,) = rankings(OWN, found)
    assert (ranking.plain, ranking.balanced) == ("as-is", "balanced")
    assert ranking.sides == ("rarest", "most common")
    assert ranking.rare_classes == REDUCED
    assert ranking.common_classes == (0, 1, 2, 6, 7, 8, 9)
    # Recall from 0.30 to 0.60 there, and from 0.80 to 0.76 elsewhere.
    (row,) = ranking.remedies
    assert row.rare.mean == pytest.approx(0.30, abs=0.01)
    assert row.common.mean == pytest.approx(-0.04)
    price = recommendation(ranking.model_copy(update={"pick": "weighted"}))[1]
    assert price.startswith("The rarest classes' recall changes by +")
    assert ", the most common classes' by" in price


def test_without_a_levelled_regime_plain_training_is_no_goal_of_its_own():
    study = OWN.model_copy(update={"regimes": OWN_REGIMES[1:]})
    found = [by_nature(r, 3600) for r in records(study, own_recalls)]
    (ranking,) = rankings(study, found)
    assert (ranking.balanced, ranking.remedies[0].gap_f1) == (None, None)


def test_data_whose_classes_are_equal_are_not_ranked():
    study = OWN.model_copy(update={"regimes": OWN_REGIMES[1:]})
    assert rankings(study, records(study, own_recalls)) == ()


def with_temperature(*names):
    """Plain and balanced training, these remedies, and a calibration."""
    warm = Regime(
        name="temperature", profile=REDUCES, remedy=Remedy(after=Temperature())
    )
    regimes = (*STUDY.regimes[:2], *remedied(*names), warm)
    return STUDY.model_copy(update={"models": (Cnn(),), "regimes": regimes})


def calibrated(model, regime, seed):
    return recalls(model, "plain" if regime == "temperature" else regime, seed)


def test_a_remedy_that_changes_no_answer_stands_last_and_is_in_no_family():
    study = with_temperature("harmful", "weak")
    (found,) = rankings(study, records(study, calibrated))
    alone = STUDY.model_copy(
        update={"regimes": (*STUDY.regimes[:2], *remedied("harmful", "weak"))}
    )
    without = rankings(alone, records(alone, recalls))[0]
    assert found.tested == without.remedies
    last = found.remedies[-1]
    assert (last.regime, last.same_answers) == ("temperature", True)
    assert (last.change.mean, last.rare.mean, last.common.mean) == (0, 0, 0)
    assert (last.change.p, last.change.p_adjusted) == (None, None)
    assert (last.change.decision, last.behind_pick) == ("undecided", None)


def test_a_calibration_alone_is_ranked_against_nothing():
    study = with_temperature()
    (found,) = rankings(study, records(study, calibrated))
    assert (found.tested, found.pick, len(found.remedies)) == ((), None, 1)
    assert "temperature changes no answer" in found.recommendation[0]


def test_a_long_tail_sets_its_tail_against_its_head():
    study = Experiment(
        models=(Cnn(),),
        regimes=(
            Regime(name="plain", profile=Exponential()),
            *remedied("strong", profile=Exponential()),
        ),
        seeds=(0, 1),
    )
    tail = tuple(range(1, 10))
    counts = (4500, 2697, 1616, 969, 580, 348, 208, 125, 74, 45)
    found = [
        r.model_copy(update={"reduced_classes": tail, "train_counts": counts})
        for r in records(study, recalls)
    ]
    (ranking,) = rankings(study, found)
    assert ranking.sides == ("tail", "head")
    assert (ranking.common_classes, ranking.rare_classes) == ((0, 1, 2), (7, 8, 9))
    # None of the six is among the classes 3, 4 and 5, which alone gain here.
    assert ranking.remedies[0].rare.mean == pytest.approx(-0.04)
    assert ranking.remedies[0].common.mean == pytest.approx(-0.04)
    # Of half the classes, which is not more than half, all stand against all others.
    half = [r.model_copy(update={"reduced_classes": tail[4:]}) for r in found]
    assert rankings(study, half)[0].sides == ("reduced", "other")
    assert rankings(study, half)[0].common_classes == (0, 1, 2, 3, 4)


def test_a_study_has_one_word_for_its_rare_classes():
    natural = remedied("as-is-weighted", profile=Natural())
    study = Experiment(
        models=(Cnn(),),
        regimes=(
            Regime(name="as-is", profile=Natural()),
            *natural,
            Regime(name="cut", profile=Reduced()),
            *remedied("cut-weighted"),
        ),
        seeds=(0, 1),
    )
    found = [
        by_nature(r) for r in records(study, lambda model, regime, seed: flat(0.8, 0.5))
    ]
    assert [r.plain for r in rankings(study, found)] == ["as-is", "cut"]
    assert {r.sides for r in rankings(study, found)} == {("rare", "other")}

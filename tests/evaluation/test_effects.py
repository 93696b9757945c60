import pytest

from tessera.evaluation.effects import effects
from tessera.evaluation.roles import roles
from tessera.experiment import OWN_REGIMES, Experiment, Regime

from .studies import by_nature, flat, records

STUDY = Experiment()


def recalls(model, regime, seed):
    common = {"balanced": 0.8, "imbalanced": 0.85, "weighted": 0.82}[regime]
    reduced = {"balanced": 0.7, "imbalanced": 0.4, "weighted": 0.6}[regime]
    return flat(common, reduced)


def test_cost_gain_and_price_by_hand():
    cost, gain, price = effects(roles(STUDY, records(STUDY, recalls)))
    assert [e.title for e in (cost, gain, price)] == [
        "imbalanced minus balanced",
        "weighted minus imbalanced",
        "weighted minus imbalanced",
    ]
    assert [model for model, _ in cost.rows] == ["cnn", "transformer", "hybrid"]
    means = [effect.rows[0][1].mean for effect in (cost, gain, price)]
    assert means == pytest.approx([-0.3, 0.2, -0.03])


def test_models_without_a_finished_pair_are_left_out():
    finished = [r for r in records(STUDY, recalls) if r.model == "cnn"]
    assert [len(e.rows) for e in effects(roles(STUDY, finished))] == [1, 1, 1]


def test_an_effect_without_any_pair_is_left_out():
    apart = {("cnn", "balanced"), ("hybrid", "imbalanced")}
    finished = [r for r in records(STUDY, recalls) if (r.model, r.regime) in apart]
    assert effects(roles(STUDY, finished)) == ()


def test_the_classes_are_those_that_the_effects_own_profile_reduces():
    plain = STUDY.regimes[1].model_copy(update={"name": "planes"})
    study = STUDY.model_copy(update={"regimes": (*STUDY.regimes[:2], plain)})

    def of(model, regime, seed):
        return [0.1, *flat(0.8, 0.5)[1:]] if regime == "planes" else flat(0.8, 0.5)

    every = [
        r.model_copy(update={"reduced_classes": (0,)}) if r.regime == "planes" else r
        for r in records(study, of)
    ]
    costs = effects(roles(study, every))
    means = [cost.rows[0][1].mean for cost in costs]
    assert means == pytest.approx([0.0, -0.7])


def test_a_study_without_imbalance_has_no_effects():
    balanced = Experiment(regimes=(Regime(name="balanced"),))
    assert effects(roles(balanced, records(balanced, recalls))) == ()


def test_classes_that_are_rare_by_nature_are_called_so():
    own = Experiment(regimes=OWN_REGIMES)
    found = [by_nature(r) for r in records(own, lambda *_: flat(0.8, 0.5))]
    cost, _, price = effects(roles(own, found))
    assert (cost.score, price.score) == (
        "rare classes' recall",
        "other classes' recall",
    )

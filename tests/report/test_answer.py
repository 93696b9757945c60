from tessera.experiment import Cnn, Experiment, Regime, Training
from tessera.report.answer import answer
from tessera.report.load import load

from .conftest import recalls
from .folders import write_study


def test_the_answer_names_the_best_model_with_its_numbers(study):
    # Balanced hybrid, seeds at 0.85 and 0.86, reduced classes at 0.75 and 0.765.
    first = answer(study)[0]
    assert "hybrid reaches 82.6 % test accuracy" in first
    assert "On Synthetic, over 2 seeds" in first


def test_the_answer_tells_the_cost_the_gain_and_its_price(study):
    text = " ".join(answer(study))
    assert "Making cat, deer and dog rare (imbalanced)" in text
    assert "\N{MINUS SIGN}30.0 points" in text
    assert "+20.0 points" in text
    assert "the other classes' recall changes by 0.0 points" in text


def test_the_answer_counts_the_verdicts(study):
    assert answer(study)[-1].startswith("Of the 7 claims")


def test_one_model_under_one_regime_still_has_an_answer(tmp_path):
    one = Experiment(
        models=(Cnn(),),
        regimes=(Regime(name="balanced"),),
        seeds=(0,),
        training=Training(epochs=1),
    )
    found = answer(load(write_study(tmp_path, one, recalls)))
    assert "over 1 seed, cnn reaches" in found[0]
    assert len(found) == 2


def test_a_study_of_several_remedies_opens_with_the_recommendation(many):
    found = answer(many)
    assert found[: len(many.record.rankings[0].recommendation)] == (
        many.record.rankings[0].recommendation
    )
    assert found[0].startswith("For cnn under plain, take remedy-0")
    assert "Class weights" not in " ".join(found)

from dataclasses import replace

import pytest
from evaluation.studies import flat

from tessera.experiment import Cnn, Experiment, Regime, Training
from tessera.phrases import MINUS
from tessera.report.answer import answer
from tessera.report.load import load

from .conftest import SMALL, recalls
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
    assert answer(study)[-1].startswith("Of the 7 claims of the reference study: ")


def test_runs_that_were_still_learning_are_told_before_the_verdicts(study):
    late = {
        cell: tuple(run.model_copy(update={"best_epoch": 3}) for run in runs)
        for cell, runs in study.cells.items()
    }
    assert "Still learning" not in " ".join(answer(study))
    assert answer(replace(study, cells=late))[-2].startswith(
        "Still learning: the last of 3 epochs was the best in 12 of 12 runs"
    )


def test_only_open_claims_are_promised_a_number_of_seeds(study):
    decided = [
        v.model_copy(update={"verdict": "supported"}) for v in study.record.verdicts
    ]
    record = study.record.model_copy(update={"verdicts": tuple(decided)})
    last = answer(replace(study, record=record))[-1]
    assert last.endswith("7 supported. The verdicts below say why.")
    assert answer(study)[-1].endswith("say why, and how many seeds it would take.")


def test_claims_that_no_seed_can_settle_are_promised_no_number_of_seeds(study):
    pictures = [
        v if v.key == "grad-cam-meaningful" else v.model_copy(update={"because": ""})
        for v in study.record.verdicts
    ]
    record = study.record.model_copy(update={"verdicts": tuple(pictures)})
    assert answer(replace(study, record=record))[-1].endswith("verdicts below say why.")


def test_levels_and_differences_are_of_the_same_seeds(study):
    cells = {
        key: runs[1:] if key[1] == "imbalanced" else runs
        for key, runs in study.cells.items()
    }
    text = " ".join(answer(replace(study, cells=cells)))
    # Seed 1 of both models: 71.5 and 76.5 % against 41.5 and 46.5 %.
    assert "from 74 % to 44 % (\N{MINUS SIGN}30.0 points" in text


@pytest.mark.parametrize(
    ("picks", "words"),
    [
        (("weighted", "weighted"), "they beat plain training beyond chance for every"),
        ((None, None), "they do not beat plain training beyond chance for any model."),
        (("weighted", None), "they beat plain training beyond chance for cnn, not for"),
    ],
)
def test_the_answer_says_for_which_models_class_weights_are_worth_it(
    study, picks, words
):
    ranked = [
        ranking.model_copy(update={"pick": pick})
        for ranking, pick in zip(study.record.rankings, picks, strict=True)
    ]
    record = study.record.model_copy(update={"rankings": tuple(ranked)})
    (gain,) = (t for t in answer(replace(study, record=record)) if "weights" in t)
    assert f"By macro-F1 {words}" in gain


def test_of_several_rankings_with_nothing_to_take_the_nearest_is_named(many):
    ranking = many.record.rankings[0]
    open_ = ranking.model_copy(
        update={"pick": None, "recommendation": ("None.", "Nearest is x.", "More.")}
    )
    record = many.record.model_copy(update={"rankings": (open_, ranking)})
    found = answer(replace(many, record=record))
    assert found[:2] == ("None. Nearest is x.", ranking.recommendation[0])


def test_one_seed_is_not_spoken_of_as_several(tmp_path):
    one = Experiment(seeds=(0,), training=Training(epochs=1))
    text = " ".join(answer(load(write_study(tmp_path, one, recalls))))
    assert "one seed does not settle it" in text
    assert "these seeds" not in text


def test_models_that_score_alike_lead_none(tmp_path):
    from .conftest import SMALL

    folder = write_study(tmp_path, SMALL, lambda m, r, s: recalls("cnn", r, s))
    first = answer(load(folder))[0]
    assert first.endswith("is also that of hybrid.")
    assert "leads" not in first


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


def test_data_as_they_come_lead_with_the_regime_that_keeps_every_image(own):
    # As it comes: seven classes at 0.80 and 0.81, three at 0.40 and 0.415.
    first = answer(own)[0]
    assert "cnn reaches 68.6 % test accuracy under the as-is regime" in first


def test_nothing_is_said_to_be_made_rare_that_was_left_out_elsewhere(own):
    text = " ".join(answer(own))
    assert "Making" not in text
    # 10 classes of 900 images are left of 7 of 4,500 and 3 of 900.
    assert (
        "Levelling the classes (balanced) by leaving images of the common ones out "
        "takes the mean recall of cat, deer and dog from 41 % to 71 % (+30.0 points"
    ) in text
    assert f"the other classes' recall changes by {MINUS}20.0 points" in text
    assert "the levelled runs see 9,000 of 34,200 training images." in text
    assert "Class weights take that recall from 41 % to 51 %" in text


def test_a_recommended_remedy_that_keeps_every_image_leads(own):
    ranking = own.record.rankings[0].model_copy(update={"pick": "weighted"})
    record = own.record.model_copy(update={"rankings": (ranking,)})
    found = answer(replace(own, record=record))
    assert "under the weighted regime" in found[0]


def test_without_a_levelled_regime_the_classes_are_named_where_weights_help(own):
    kept = {cell: runs for cell, runs in own.cells.items() if cell[1] != "balanced"}
    text = " ".join(answer(replace(own, cells=kept)))
    assert "Levelling" not in text
    assert "Class weights take the mean recall of cat, deer and dog from 41 %" in text


def test_unequal_data_without_a_rare_class_open_with_the_ranking(mild):
    found = answer(mild)
    assert found[0].startswith("For cnn under as-is, ")
    assert "under the as-is regime" in " ".join(found)
    assert "rare" not in " ".join(found)


@pytest.mark.parametrize(
    ("always", "words"),
    [
        (0.9, ", below the 90.0 % of always answering the most common class (macro-F1"),
        (0.68575, ", no more than the 68.6 % of always answering the most common"),
        (0.5, "under the as-is regime (macro-F1"),
    ],
)
def test_a_model_that_the_most_common_class_matches_says_so(own, always, words):
    # Its accuracy is 0.7 * 0.805 + 0.3 * 0.4075 = 0.68575.
    first = own.record.baselines[0]
    always_right = first.model_copy(update={"scores": {"accuracy": always}})
    record = own.record.model_copy(update={"baselines": (always_right,)})
    assert words in answer(replace(own, record=record))[0]


def test_models_whose_macro_f1_guesses_match_say_so(own, tmp_path):
    def guessed(study, macro_f1):
        second = study.record.baselines[1]
        blind = second.model_copy(update={"scores": {"macro_f1": macro_f1}})
        record = study.record.model_copy(update={"baselines": (blind,)})
        return " ".join(answer(replace(study, record=record)))

    assert ", below the 90.0 % of guesses by frequency)." in guessed(own, 0.9)
    assert "guesses" not in guessed(own, 0.2)
    two = load(write_study(tmp_path, SMALL, lambda *_: flat(0.8, 0.5)))
    told = guessed(two, 0.9)
    assert " %, below the 90.0 % of guesses by frequency, is also that of hy" in told


def test_class_weights_that_do_harm_are_said_to(tmp_path):
    def harmed(model, regime, seed):
        lower = 0.3 if regime == "weighted" else 0.0
        return flat(0.8 - lower + 0.01 * seed * seed, 0.5 - lower + 0.012 * seed)

    experiment = SMALL.model_copy(update={"seeds": (0, 1, 2)})
    told = " ".join(answer(load(write_study(tmp_path, experiment, harmed))))
    worse = "By macro-F1 they are worse than plain training beyond chance for every"
    assert worse in told and "do not beat" not in told

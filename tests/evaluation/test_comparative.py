import pytest

from tessera.evaluation import comparative
from tessera.evaluation.roles import roles
from tessera.experiment import OWN_REGIMES, Cnn, Experiment, Hybrid, Transformer

from .studies import by_nature, flat, records

SEEDS = (0, 1, 2, 3, 4)
STUDY = Experiment(seeds=SEEDS)
DEEP = Experiment(
    models=(Cnn(), Hybrid(), Hybrid(name="attentive", depth=1)), seeds=SEEDS
)


def found(experiment, **levels):
    """Models whose recalls differ by a level; seeds sway each one differently."""

    def recalls(model, regime, seed):
        sway = 0.002 * ((seed + len(model)) % 3)
        return flat(levels[model] + sway, levels[model])

    return roles(experiment, records(experiment, recalls))


def test_a_hybrid_ahead_of_both_rivals_everywhere_is_supported():
    verdict = comparative.hybrid_wins(
        found(STUDY, cnn=0.6, transformer=0.5, hybrid=0.7)
    )
    assert verdict.verdict == "supported"
    assert len(verdict.evidence) == 4


def test_a_hybrid_behind_one_rival_is_not_supported():
    verdict = comparative.hybrid_wins(
        found(STUDY, cnn=0.8, transformer=0.5, hybrid=0.7)
    )
    assert verdict.verdict == "not supported"


def test_without_a_transformer_the_hybrids_claim_is_untested():
    verdict = comparative.hybrid_wins(found(DEEP, cnn=0.6, hybrid=0.7, attentive=0.7))
    assert verdict.verdict == "not tested"
    assert "a transformer" in verdict.because


def test_a_hybrid_with_attention_stands_for_the_hybrid_where_there_is_no_other():
    attentive = Hybrid(name="attentive", depth=1)
    study = Experiment(models=(Cnn(), Transformer(), attentive), seeds=SEEDS)
    verdict = comparative.hybrid_wins(
        found(study, cnn=0.6, transformer=0.5, attentive=0.7)
    )
    assert verdict.verdict == "supported"


def test_where_there_are_both_the_hybrid_is_the_one_without_attention():
    attentive = Hybrid(name="attentive", depth=1)
    study = STUDY.model_copy(update={"models": (*STUDY.models, attentive)})
    verdict = comparative.hybrid_wins(
        found(study, cnn=0.6, transformer=0.5, hybrid=0.7, attentive=0.4)
    )
    assert (verdict.verdict, len(verdict.evidence)) == ("supported", 4)


def test_without_an_imbalanced_regime_the_hybrids_claim_is_untested():
    balanced = STUDY.model_copy(update={"regimes": STUDY.regimes[:1]})
    verdict = comparative.hybrid_wins(
        found(balanced, cnn=0.6, transformer=0.5, hybrid=0.7)
    )
    assert verdict.verdict == "not tested"
    assert verdict.because == "It needs finished runs of an imbalanced regime."


def test_without_a_cnn_attention_has_no_backbone_to_be_compared_with():
    alone = Experiment(models=DEEP.models[1:], seeds=SEEDS)
    verdict = comparative.cnn_lacks_context(found(alone, hybrid=0.65, attentive=0.8))
    assert (verdict.verdict, verdict.evidence) == ("not tested", ())


@pytest.mark.parametrize(
    "judge",
    [
        comparative.cnn_lacks_context,
        comparative.transformers_need_data,
        comparative.hybrid_wins,
    ],
)
def test_models_without_a_finished_run_test_nothing(judge):
    study = Experiment(models=(*DEEP.models, Transformer()), seeds=SEEDS)
    assert judge(roles(study, [])).verdict == "not tested"


def test_global_context_is_untested_without_attention_and_the_numbers_are_told():
    verdict = comparative.cnn_lacks_context(
        found(STUDY, cnn=0.6, transformer=0.5, hybrid=0.7)
    )
    assert verdict.verdict == "not tested"
    assert "shuffling its tokens cannot change its answer" in verdict.because
    assert len(verdict.evidence) == 3


@pytest.mark.parametrize(
    ("attentive", "outcome"), [(0.8, "supported"), (0.5, "not supported")]
)
def test_a_hybrid_with_attention_puts_global_context_to_the_test(attentive, outcome):
    verdict = comparative.cnn_lacks_context(
        found(DEEP, cnn=0.6, hybrid=0.65, attentive=attentive)
    )
    assert verdict.verdict == outcome
    assert "more weights" in verdict.evidence[-1]


def test_attention_that_helps_under_one_regime_alone_does_not_support_context():
    def recalls(model, regime, seed):
        ahead = model == "attentive" and regime == "balanced"
        level = 0.6 + 0.1 * ahead + 0.002 * ((seed + ahead) % 3)
        return flat(level, level)

    verdict = comparative.cnn_lacks_context(roles(DEEP, records(DEEP, recalls)))
    assert verdict.verdict == "not decided"


def test_attention_that_adds_nothing_to_the_hybrid_does_not_support_context():
    verdict = comparative.cnn_lacks_context(
        found(DEEP, cnn=0.6, hybrid=0.9, attentive=0.8)
    )
    assert verdict.verdict == "not supported"


def test_a_worse_transformer_at_one_size_decides_nothing_about_size():
    verdict = comparative.transformers_need_data(
        found(STUDY, cnn=0.7, transformer=0.5, hybrid=0.7)
    )
    assert verdict.verdict == "not decided"
    assert "a single size" in verdict.because


def test_a_better_transformer_at_this_size_speaks_against_the_claim():
    verdict = comparative.transformers_need_data(
        found(STUDY, cnn=0.5, transformer=0.7, hybrid=0.7)
    )
    assert verdict.verdict == "not supported"


OWN = Experiment(models=(Cnn(), Transformer()), regimes=OWN_REGIMES, seeds=SEEDS)
"""The regimes of data that are imbalanced as they come."""


def test_data_imbalanced_by_nature_are_judged_where_every_image_is_kept():
    def recalls(model, regime, seed):
        ahead = (model == "transformer") == (regime == "as-is")
        level = 0.6 + 0.1 * ahead + 0.002 * ((seed + len(model)) % 3)
        return flat(level, level)

    # Behind the CNN on the few images that levelling keeps, ahead of it on all.
    for rare in (900, 3600):  # of 4,500; of 3,600 none counts as rare
        came = [by_nature(r, rare) for r in records(OWN, recalls)]
        verdict = comparative.transformers_need_data(roles(OWN, came))
        assert verdict.verdict == "not supported"
        assert "On the data as they come" in verdict.hypothesis
        told = [sentence.partition(":")[0] for sentence in verdict.evidence]
        assert told == ["as-is", "balanced", "weighted"]


def test_balanced_data_that_a_study_cuts_are_judged_before_the_cut():
    def recalls(model, regime, seed):
        ahead = (model == "transformer") == (regime == "balanced")
        level = 0.6 + 0.1 * ahead + 0.002 * ((seed + len(model)) % 3)
        return flat(level, level)

    # Ahead of the CNN on all images, behind it on those that the cut leaves.
    verdict = comparative.transformers_need_data(roles(STUDY, records(STUDY, recalls)))
    assert verdict.hypothesis == comparative.DATA.hypothesis
    assert verdict.verdict == "not supported"
    assert verdict.because.startswith("0 of 1 interval lies below zero")
    told = [sentence.partition(":")[0] for sentence in verdict.evidence]
    assert told == ["balanced", "imbalanced", "weighted"]


def test_data_that_were_only_trained_on_cut_are_judged_in_every_regime():
    cut = Experiment(regimes=STUDY.regimes[1:], seeds=SEEDS)
    verdict = comparative.transformers_need_data(
        found(cut, cnn=0.5, transformer=0.7, hybrid=0.7)
    )
    assert verdict.because.startswith("0 of 2 intervals lie below zero")


def test_a_lone_transformer_has_nothing_to_be_compared_with():
    alone = Experiment(models=(Transformer(),), seeds=SEEDS)
    verdict = comparative.transformers_need_data(found(alone, transformer=0.7))
    assert verdict.verdict == "not tested"
    assert "a CNN" in verdict.because

"""The reference study's comparative results, restated so that numbers can decide."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from tessera.evaluation.comparison import measure
from tessera.evaluation.evidence import Claim, Finding, compare
from tessera.evaluation.roles import Roles
from tessera.phrases import listed
from tessera.record import Verdict

CONTEXT = Claim(
    "cnn-lacks-context",
    "CNN performs well locally but lacks global context.",
    "If missing global context holds the CNN back, the same backbone with attention "
    "over its tokens (a hybrid of depth 1 or more) has a higher macro-F1 than the CNN "
    "under every regime, and than the hybrid without attention where there is one.",
)
DATA = Claim(
    "transformers-need-data",
    "Transformers require large datasets.",
    "At this dataset's size the transformer has a lower macro-F1 than the CNN trained "
    "on the same images. (That more data would close the gap can only be seen with "
    "several sizes.)",
)
DATA_BY_NATURE = replace(
    DATA,
    hypothesis=DATA.hypothesis.replace(
        "At this dataset's size", "On the data as they come, at their full size,"
    ),
)
HYBRID = Claim(
    "hybrid-wins",
    "The hybrid approach combines both advantages and performs better for small, "
    "imbalanced datasets.",
    "Under every imbalanced regime, with and without class weights, the hybrid has a "
    "higher macro-F1 than the CNN and than the transformer.",
)

_F1 = measure("macro_f1")


def _rivals(
    roles: Roles, firsts: Sequence[str], seconds: Sequence[str], regimes: Sequence[str]
) -> list[Finding]:
    """Macro-F1 of each first minus each second model, regime by regime."""
    return [
        compare(
            roles,
            (first, regime),
            (second, regime),
            _F1,
            subject=f"{regime}: macro-F1, {first} minus {second}",
        )
        for regime, first, second in product(regimes, firsts, seconds)
    ]


def cnn_lacks_context(roles: Roles) -> Verdict:
    """Comparative result 1: does global context add to the CNN's backbone?"""
    if not roles.cnns or not roles.regimes:
        return CONTEXT.untested("It needs finished runs of a CNN.")
    if not roles.attentive:
        pooled = _rivals(roles, roles.hybrids, roles.cnns, roles.regimes)
        return CONTEXT.untested(
            "No model here adds global context to the CNN's backbone. The reference "
            "study's hybrid has none either: without attention, shuffling its tokens "
            "cannot change its answer. Add a hybrid of depth 1 or more.",
            [f.sentence() for f in pooled],
        )
    return CONTEXT.judged(
        _rivals(roles, roles.attentive, (*roles.cnns, *roles.hybrids), roles.regimes),
        "above",
        also=["A hybrid with attention also has more weights than either rival."],
    )


def transformers_need_data(roles: Roles) -> Verdict:
    """Comparative result 2: the transformer beside the CNN at this size.

    It is the size of all the images: where levelling leaves some out, the regime that
    takes the data as they come is judged, and the levelled one is told beside it.
    """
    claim = DATA_BY_NATURE if roles.natural else DATA
    missing = _missing({"a transformer": roles.transformers, "a CNN": roles.cnns})
    if missing or not roles.regimes:
        return claim.untested(f"It needs finished runs of {missing or 'both'}.")
    judged = _whole(roles)
    others = [r for r in roles.regimes if r not in judged]
    findings = _rivals(roles, roles.transformers, roles.cnns, judged)
    also = _rivals(roles, roles.transformers, roles.cnns, others)
    verdict = claim.judged(findings, "below", also=[f.sentence() for f in also])
    if verdict.verdict != "supported":
        return verdict
    return verdict.model_copy(
        update={
            "verdict": "not decided",
            "because": "The transformer is worse at this size, as the claim predicts; "
            "but a single size cannot show that size is the reason.",
        }
    )


def _whole(roles: Roles) -> tuple[str, ...]:
    """The regimes without a remedy that keep every image; without such, all."""
    if roles.natural:
        return tuple(imbalance.regime for imbalance in roles.natural)
    return (roles.balanced,) if roles.balanced else roles.regimes


def hybrid_wins(roles: Roles) -> Verdict:
    """Comparative result 3: the hybrid against both baselines under imbalance."""
    hybrids = roles.hybrids or roles.attentive
    missing = _missing(
        {
            "a hybrid": hybrids,
            "a CNN": roles.cnns,
            "a transformer": roles.transformers,
            "an imbalanced regime": roles.unequal,
        }
    )
    if missing:
        return HYBRID.untested(f"It needs finished runs of {missing}.")
    rivals = (*roles.cnns, *roles.transformers)
    return HYBRID.judged(_rivals(roles, hybrids, rivals, roles.unequal), "above")


def _missing(needed: dict[str, tuple[str, ...]]) -> str:
    return listed([what for what, found in needed.items() if not found])

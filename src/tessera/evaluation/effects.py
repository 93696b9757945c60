"""Records -> what imbalance costs and what class weights win back, model by model."""

from dataclasses import dataclass

from tessera.evaluation.comparison import contrast, measure
from tessera.evaluation.differences import Difference
from tessera.evaluation.roles import Imbalance, Roles


@dataclass(frozen=True)
class Effect:
    """One change of regime and what it does to a score of every model."""

    title: str
    score: str
    """What changes, in words."""
    rows: tuple[tuple[str, Difference], ...]
    """(model, paired difference in shares); models without a pair are left out."""


def effects(roles: Roles) -> tuple[Effect, ...]:
    """The cost of each imbalance, the gain of class weights on it, and their price.

    Returns:
        Up to three effects per imbalanced regime; those whose cells are missing are
        left out.
    """
    found = []
    for imbalance in roles.imbalances:
        plain, weighted = imbalance.regime, imbalance.weighted
        if roles.balanced:
            found.append(
                _effect(roles, roles.balanced, plain, "reduced_recall", imbalance)
            )
        if weighted:
            found.append(_effect(roles, plain, weighted, "reduced_recall", imbalance))
            found.append(_effect(roles, plain, weighted, "common_recall", imbalance))
    return tuple(effect for effect in found if effect.rows)


def _effect(
    roles: Roles, before: str, after: str, score: str, imbalance: Imbalance
) -> Effect:
    read = measure(score, imbalance.reduced)
    pairs = [
        (model, contrast(roles.runs(model, after), roles.runs(model, before), read))
        for model in roles.models
    ]
    whose = roles.rare if score == "reduced_recall" else "other"
    return Effect(
        title=f"{after} minus {before}",
        score=f"{whose} classes' recall",
        rows=tuple((model, change) for model, change in pairs if change is not None),
    )

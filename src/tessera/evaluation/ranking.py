"""An experiment and its records -> its remedies ranked, model by model.

A remedy is compared with plain training on the same profile, seed by seed; the gap
that it may close reaches up to balanced data. Three families of comparisons are
corrected for their number: macro-F1, the rare classes' recall, and the common classes'
recall, each over all remedies of one ranking that can change an answer.
"""

from collections.abc import Collection, Mapping, Sequence

from tessera.evaluation.comparison import Measure, measure, shared
from tessera.evaluation.differences import difference, seeds_to_decide, spread
from tessera.evaluation.gap import gap_closed
from tessera.evaluation.groups import groups
from tessera.evaluation.recommendation import recommendation
from tessera.evaluation.roles import Imbalance, Roles, roles
from tessera.evaluation.significance import ALPHA, holm, paired_t, sign_flips
from tessera.experiment import Experiment
from tessera.record import Record
from tessera.results import (
    Change,
    Decision,
    GapClosed,
    RankedRemedy,
    Ranking,
    Spread,
)

F1 = measure("macro_f1")

_Side = tuple[str, tuple[int, ...]]
"""What a group of classes is called, and its members."""


def rankings(experiment: Experiment, records: Sequence[Record]) -> tuple[Ranking, ...]:
    """Rank the remedies of every model on every profile whose classes differ.

    Args:
        experiment: What was asked for.
        records: Finished runs, in any order.

    Returns:
        A ranking per profile and model with a plain regime and at least one remedy
        that share a finished seed; none where there is nothing to rank.
    """
    found = roles(experiment, records)
    ranked = [
        _ranking(found, imbalance, model)
        for imbalance in (*found.imbalances, *found.mild)
        for model in found.models
    ]
    return tuple(r for r in ranked if r is not None)


def _ranking(found: Roles, imbalance: Imbalance, model: str) -> Ranking | None:
    plain = found.runs(model, imbalance.regime)
    levelled = found.balanced if found.balanced != imbalance.regime else None
    balanced = found.runs(model, levelled or "")
    cells = {
        name: runs
        for name in imbalance.remedies
        if (runs := shared(found.runs(model, name), plain))
    }
    if not cells:
        return None
    (rare_name, rare_classes), (common_name, common_classes) = _sides(
        imbalance, plain[0], found.rare
    )
    rows = _rows(
        cells,
        plain,
        balanced,
        measure("group_recall", rare_classes),
        measure("group_recall", common_classes),
        same_answers=imbalance.calibrated,
    )
    rows.sort(key=lambda row: (row.same_answers, -row.change.mean))
    pick = next((r.regime for r in rows if r.change.decision == "above"), None)
    ranking = Ranking(
        model=model,
        plain=imbalance.regime,
        balanced=levelled if balanced else None,
        rare_classes=rare_classes,
        common_classes=common_classes,
        sides=(rare_name, common_name),
        plain_f1=spread([F1(r.scores) for r in plain]),
        balanced_f1=spread([F1(r.scores) for r in balanced]) if balanced else None,
        plain_seconds=spread([r.train_seconds for r in plain]),
        plain_cpu_seconds=_cpu_seconds(plain),
        levelled=imbalance.natural,
        remedies=tuple(_behind(rows, cells, pick) if pick else rows),
        pick=pick,
        recommendation=(),
    )
    return ranking.model_copy(update={"recommendation": recommendation(ranking)})


def _rows(
    cells: Mapping[str, tuple[Record, ...]],
    plain: Sequence[Record],
    balanced: Sequence[Record],
    rare: Measure,
    common: Measure,
    *,
    same_answers: Collection[str],
) -> list[RankedRemedy]:
    """A row per remedy, in the order of the cells."""
    f1, rares, commons = (
        _changes(cells, plain, score, untested=same_answers)
        for score in (F1, rare, common)
    )
    return [
        RankedRemedy(
            regime=name,
            seeds=tuple(r.seed for r in runs),
            macro_f1=spread([F1(r.scores) for r in runs]),
            change=f1[name],
            rare=rares[name],
            common=commons[name],
            gap_f1=_gap(runs, plain, balanced, F1),
            gap_rare=_gap(runs, plain, balanced, rare),
            behind_pick=None,
            parameters=runs[0].parameters,
            multiply_adds=runs[0].multiply_adds,
            train_seconds=spread([r.train_seconds for r in runs]),
            cpu_seconds=_cpu_seconds(runs),
            same_answers=name in same_answers,
        )
        for name, runs in cells.items()
    ]


def _cpu_seconds(runs: Sequence[Record]) -> Spread | None:
    known = [r.train_cpu_seconds for r in runs if r.train_cpu_seconds is not None]
    return spread(known) if len(known) == len(runs) else None


def _sides(imbalance: Imbalance, plain: Record, rare: str) -> tuple[_Side, _Side]:
    """The rare classes, then the common ones, by what they are called.

    The classes that are reduced, or rare by nature, against the others; where they are
    more than half of all, as in a long tail, the tail against the head; where no class
    counts as rare, the group with the fewest images against that with the most.
    """
    size, few = len(plain.train_counts), imbalance.reduced
    parted = groups(plain.train_counts)
    if parted is not None and not few:
        return ("rarest", parted.tail), ("most common", parted.head)
    if parted is not None and 2 * len(few) > size:
        return ("tail", parted.tail), ("head", parted.head)
    others = tuple(i for i in range(size) if i not in few)
    return (rare, few), ("other", others)


def _changes(
    cells: Mapping[str, Sequence[Record]],
    plain: Sequence[Record],
    score: Measure,
    *,
    untested: Collection[str],
) -> dict[str, Change]:
    """Every cell minus plain training: one family, and those that need no test."""
    by_seed = {r.seed: score(r.scores) for r in plain}
    values = {
        name: [score(r.scores) - by_seed[r.seed] for r in runs]
        for name, runs in cells.items()
    }
    tested = [name for name in values if name not in untested]
    found = dict(zip(tested, family([values[n] for n in tested]), strict=True))
    return found | {
        n: _change(values[n], None, None, size=1) for n in values if n in untested
    }


def _behind(
    rows: Sequence[RankedRemedy],
    cells: dict[str, tuple[Record, ...]],
    pick: str,
) -> list[RankedRemedy]:
    """The rows with the distance to the recommended remedy, one family."""
    best = {r.seed: F1(r.scores) for r in cells[pick]}
    paired = {
        row.regime: [
            best[r.seed] - F1(r.scores) for r in cells[row.regime] if r.seed in best
        ]
        for row in rows
        if row.regime != pick and not row.same_answers
    }
    known = {name: values for name, values in paired.items() if values}
    distance = dict(zip(known, family(list(known.values())), strict=True))
    return [
        row.model_copy(update={"behind_pick": distance.get(row.regime)}) for row in rows
    ]


def _gap(
    runs: Sequence[Record],
    plain: Sequence[Record],
    balanced: Sequence[Record],
    score: Measure,
) -> GapClosed | None:
    low = {r.seed: score(r.scores) for r in plain}
    high = {r.seed: score(r.scores) for r in balanced}
    in_all = [r for r in runs if r.seed in high]
    if not in_all:
        return None
    return gap_closed(
        [score(r.scores) for r in in_all],
        [low[r.seed] for r in in_all],
        [high[r.seed] for r in in_all],
    )


def family(rows: Sequence[Sequence[float]]) -> list[Change]:
    """Paired differences of several comparisons -> changes, corrected together.

    Args:
        rows: A difference per seed, for every comparison of the family.
    """
    tests = [paired_t(row) for row in rows]
    return [
        _change(row, p, adjusted, size=len(rows))
        for row, p, adjusted in zip(rows, tests, holm(tests), strict=True)
    ]


def _change(
    values: Sequence[float], p: float | None, adjusted: float | None, *, size: int
) -> Change:
    found = difference(values, [0.0] * len(values))
    decided = adjusted is not None and adjusted < ALPHA
    side: Decision = "above" if found.mean > 0 else "below"
    return Change(
        mean=found.mean,
        deviation=found.deviation,
        low=found.low,
        high=found.high,
        values=found.values,
        p=p,
        p_signs=sign_flips(values),
        p_adjusted=adjusted,
        decision=side if decided else "undecided",
        # Holm's hardest step divides 5 % by the number of comparisons.
        seeds_to_decide=None
        if decided or p is None or found.deviation is None
        else seeds_to_decide(
            found.mean,
            found.deviation,
            more_than=len(values),
            level=1 - ALPHA / size,
        ),
    )

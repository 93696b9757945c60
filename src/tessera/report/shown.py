"""Which regimes a figure draws when a study has more than a figure can hold."""

from itertools import zip_longest

from tessera.phrases import in_list, listed
from tessera.record import StudyRecord

MOST = 6
"""Regimes that a figure holds; the palette and the markers have seven."""


def finished(record: StudyRecord) -> list[str]:
    """The regimes that some run is finished of, in the experiment's order."""
    there = {cell.regime for cell in record.cells}
    return [r.name for r in record.experiment.regimes if r.name in there]


def regimes(record: StudyRecord) -> tuple[str, ...]:
    """The regimes to draw, in the experiment's order.

    All of them up to `MOST`. Of more: balanced and plain training, then the remedies
    that rank best, model by model.
    """
    every = finished(record)
    if len(every) <= MOST:
        return tuple(every)
    first = [
        name
        for ranking in record.rankings
        for name in (ranking.balanced, ranking.plain)
        if name
    ]
    ranked = [[row.regime for row in r.remedies] for r in record.rankings]
    best = [name for place in zip_longest(*ranked) for name in place if name]
    kept = list(dict.fromkeys([*first, *best, *every]))[:MOST]
    return tuple(name for name in every if name in kept)


def cells(record: StudyRecord) -> tuple[tuple[str, str], ...]:
    """The (model, regime) pairs to draw, in the record's order."""
    names = regimes(record)
    return tuple((c.model, c.regime) for c in record.cells if c.regime in names)


def note(record: StudyRecord) -> str:
    """A sentence for a caption, with a space before it; empty where all is shown."""
    total, drawn = len({c.regime for c in record.cells}), regimes(record)
    if len(drawn) == total:
        return ""
    which = (
        "the references and the remedies with the highest macro-F1"
        if record.rankings
        else "the first"
    )
    return f" Of {total} regimes {len(drawn)} are drawn: {which}; the tables hold all."


def joined(names: list[str]) -> str:
    """Names in a row, or the first two and how many more."""
    told = [in_list(name) for name in names]
    if len(told) <= 3:
        return listed(told)
    return f"{told[0]}, {told[1]} and {len(told) - 2} others"

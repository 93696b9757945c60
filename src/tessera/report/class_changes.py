"""What every remedy does to every class: the change of its recall, in colour.

The scale is told apart with every common colour blindness, and every cell holds its
number.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tessera.phrases import plural, signed
from tessera.record import CellSummary, StudyRecord
from tessera.report.drawing import Drawing
from tessera.report.facts import single
from tessera.report.style import (
    DIVERGING,
    INK,
    QUIET,
    drawing,
    narrowing,
    readable,
    svg,
)
from tessera.report.words import short
from tessera.results import Ranking

_NUMBERED = 20
"""Classes up to which every cell holds its number."""
_LEVEL = 9
"""Letters of a class's name up to which it is not turned upright."""


def class_changes(record: StudyRecord) -> tuple[Drawing, ...]:
    """Draw a table per ranking: a row per remedy, a column per class."""
    cells = {(c.model, c.regime): c for c in record.cells}
    return tuple(_figure(ranking, cells, record) for ranking in record.rankings)


def _figure(
    ranking: Ranking, cells: dict[tuple[str, str], CellSummary], record: StudyRecord
) -> Drawing:
    names = record.data.class_names
    plain = cells[ranking.model, ranking.plain]
    counts = plain.train_counts or (0,) * len(names)
    order = sorted(range(len(names)), key=lambda i: -counts[i])
    changes = np.array(
        [
            [
                _mean_change(cells[ranking.model, row.regime], plain, names[i])
                if record.data.test_counts[i]
                else np.nan
                for i in order
            ]
            for row in ranking.remedies
        ]
    )
    labels = [names[i] for i in order]
    rare = [i in ranking.rare_classes for i in order]
    mean = "" if single(record) else ", mean over seeds"
    with drawing():
        picture = _table(changes, [r.regime for r in ranking.remedies], labels, rare)
    return Drawing(
        key=f"class-changes-{ranking.model}--{ranking.plain}",
        title=f"{ranking.model}, {ranking.plain}",
        caption=f"Recall minus that of plain training, points{mean}; classes "
        "from the most common to the rarest in training, the "
        f"{ranking.sides[0]} ones marked with *. Orange is a gain, violet a loss; the "
        f"deepest colours are {plural(round(_reach(changes)), 'point')}.",
        alternative="Table of recall changes. "
        + _ends(ranking.remedies[0].regime, changes[0], labels),
        svg=picture,
    )


def _ends(remedy: str, changes: NDArray[np.float64], labels: Sequence[str]) -> str:
    """Where a remedy's change is highest and where lowest; it may be a loss or none."""
    top, foot = (int(f(changes)) for f in (np.nanargmax, np.nanargmin))
    most, least = (f"{signed(float(changes[i]), 0)} points" for i in (top, foot))
    if changes[top] == changes[foot]:
        return f"With {remedy} every class changes by {most}."
    return (
        f"With {remedy} the change is highest for the class {labels[top]}, {most}, and "
        f"lowest for {labels[foot]}, {least}."
    )


def _mean_change(cell: CellSummary, plain: CellSummary, name: str) -> float:
    """In points, over the seeds that both finished."""
    before = dict(zip(plain.seeds, plain.per_class_recall[name].values, strict=True))
    pairs = zip(cell.seeds, cell.per_class_recall[name].values, strict=True)
    return 100 * float(np.mean([v - before[s] for s, v in pairs if s in before]))


def _table(
    changes: NDArray[np.float64],
    remedies: Sequence[str],
    classes: Sequence[str],
    rare: Sequence[bool],
) -> str:
    marked = [
        f"{short(name)} *" if bold else short(name)
        for name, bold in zip(classes, rare, strict=True)
    ]
    longest, numbered = max(map(len, marked)), len(classes) <= _NUMBERED
    upright = longest > _LEVEL or not numbered
    size = narrowing(len(classes), width=8.0)
    # A matter of inches: what the names need above the table, and a row per remedy.
    height = max(1.3, 0.4 + upright * longest * size * 0.01) + 0.27 * len(remedies)
    figure = Figure(figsize=(9.2, height), layout="constrained")
    axes = figure.subplots()
    reach = _reach(changes)
    axes.pcolormesh(changes, cmap=DIVERGING, vmin=-reach, vmax=reach)
    if numbered:
        _numbers(axes, changes, reach)
    axes.set_yticks(np.arange(len(remedies)) + 0.5, remedies)
    axes.set_xticks(np.arange(len(classes)) + 0.5, marked, rotation=90 * upright)
    axes.tick_params(length=0, labelsize=8)
    axes.tick_params(axis="x", labelsize=size)
    for label, bold in zip(axes.get_xticklabels(), rare, strict=True):
        label.set_color(INK if bold else QUIET)
    axes.xaxis.tick_top()
    axes.invert_yaxis()
    for side in axes.spines.values():
        side.set_visible(False)
    return svg(figure)


def _reach(changes: NDArray[np.float64]) -> float:
    """The change, in points, that has the deepest colour."""
    return max(float(np.nanmax(np.abs(changes))), 1.0)


def _numbers(axes: Axes, changes: NDArray[np.float64], reach: float) -> None:
    for (row, column), value in np.ndenumerate(changes):
        if np.isnan(value):
            continue
        axes.text(
            column + 0.5,
            row + 0.5,
            signed(float(value), 0),
            ha="center",
            va="center",
            fontsize=7,
            color=readable(DIVERGING, (1 + float(value) / reach) / 2),
            in_layout=False,
        )

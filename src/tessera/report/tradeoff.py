"""What remedies win for classes of few images against what they take from others."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from tessera.phrases import points
from tessera.record import StudyRecord
from tessera.report import words
from tessera.report.drawing import Drawing
from tessera.report.facts import single
from tessera.report.placement import Spot, free, ranks, together
from tessera.report.style import (
    INK,
    PALETTE,
    PAPER,
    QUIET,
    drawing,
    grid_of_axes,
    svg,
)
from tessera.results import Ranking

_SIDE = 185.0
"""Of a panel, about, in printer's points."""


def tradeoff(record: StudyRecord) -> Drawing | None:
    """Draw a panel per ranking of at least two remedies; None where there is none."""
    rankings = [r for r in record.rankings if len(r.remedies) > 1]
    if not rankings:
        return None
    classes = len(record.data.class_names)
    few, many = words.sides(rankings)
    with drawing():
        picture = _panels(rankings, classes)
    return Drawing(
        key="tradeoff",
        title=f"What the {few} classes win, what the {many} classes lose",
        caption=f"{'Of one seed' if single(record) else 'Mean over seeds'}, in points "
        "against plain training (the cross). "
        "Numbers are those of the table; dots that cover one another share a label. "
        + (
            "Above the dashed line the mean recall of all classes rises; a "
            if _whole(rankings, classes)
            else "A "
        )
        + "remedy above and to the right of another is better on both sides.",
        alternative="Scatter chart. "
        + " ".join(_sentence(ranking) for ranking in rankings),
        svg=picture,
    )


def _whole(rankings: Sequence[Ranking], classes: int) -> bool:
    """Whether every class is on one of the two sides."""
    return all(len(r.rare_classes) + len(r.common_classes) == classes for r in rankings)


def _sentence(ranking: Ranking) -> str:
    rows = "; ".join(
        f"{r.regime}: {ranking.sides[0]} {points(r.rare.mean)}, "
        f"{ranking.sides[1]} {points(r.common.mean)}"
        for r in ranking.remedies
    )
    return f"{ranking.model}, {ranking.plain}: {rows}."


def _panels(rankings: Sequence[Ranking], classes: int) -> str:
    figure, axes = grid_of_axes(len(rankings), columns=3, width=3.3, height=3.4)
    every = [remedy for ranking in rankings for remedy in ranking.remedies]
    across = _ends([100 * r.common.mean for r in every], -1.0)
    upward = _ends([100 * r.rare.mean for r in every], 0.0)
    for panel, ranking in zip(axes, rankings, strict=True):
        rare, common = len(ranking.rare_classes), len(ranking.common_classes)
        if rare + common == classes:
            slope = -common / rare
            panel.axline((0, 0), slope=slope, color=QUIET, linewidth=1, linestyle="--")
        panel.plot(0, 0, "P", color=QUIET, mec=PAPER, mew=0.6, ms=8)
        panel.set_xlim(*across)
        panel.set_ylim(*upward)
        _points(panel, ranking)
        panel.set_title(f"{ranking.model}, {ranking.plain}")
        panel.grid()
        panel.set_axisbelow(True)
    few, many = words.sides(rankings)
    figure.supxlabel(f"{many} classes' recall, points", fontsize=9)
    figure.supylabel(f"{few} classes' recall, points", fontsize=9)
    return svg(figure)


def _ends(values: Sequence[float], lowest: float) -> tuple[float, float]:
    """Ends of an axis that holds the values and the cross, with room for labels."""
    low, high = min(*values, lowest), max(*values, 1.0)
    room = 0.12 * (high - low)
    return low - room, high + room


def _points(axes: Axes, ranking: Ranking) -> None:
    """Dots and their ranks; dots that cover one another share a label."""
    where = [(100 * r.common.mean, 100 * r.rare.mean) for r in ranking.remedies]
    for row, (x, y) in zip(ranking.remedies, where, strict=True):
        pick = row.regime == ranking.pick
        axes.plot(
            *(x, y),
            "D" if pick else "o",
            color=PALETTE[1] if pick else PALETTE[0],
            mec=PAPER,
            mew=0.6,
            ms=7 if pick else 6,
        )
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    spots = [
        Spot(_SIDE * (x - left) / (right - left), _SIDE * (y - bottom) / (top - bottom))
        for x, y in where
    ]
    taken = list(spots)
    for members in together(spots):
        text = ranks(members)
        at, place, spot = free(text, spots, members, taken, _SIDE)
        taken.append(spot)
        axes.annotate(
            text,
            where[at],
            xytext=place,
            textcoords="offset points",
            ha="left" if place[0] > 0 else "right" if place[0] < 0 else "center",
            fontsize=7.5,
            color=INK,
            in_layout=False,
        )

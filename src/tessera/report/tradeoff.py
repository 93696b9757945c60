"""What remedies win for the rare classes against what they take from the others."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from tessera.evaluation.evidence import points
from tessera.record import StudyRecord
from tessera.report.drawing import Drawing
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

_AROUND = ((7, -3), (-7, -3), (0, 7), (0, -13), (7, 6), (-7, 6), (7, -12), (-7, -12))
"""Where a label may stand beside its point, in printer's points."""


def tradeoff(record: StudyRecord) -> Drawing | None:
    """Draw a panel per ranking of at least two remedies; None where there is none."""
    rankings = [r for r in record.rankings if len(r.remedies) > 1]
    if not rankings:
        return None
    classes = len(record.data.class_names)
    with drawing():
        picture = _panels(rankings, classes)
    return Drawing(
        key="tradeoff",
        title="What the rare classes win, what the others lose",
        caption="Mean over seeds, in points against plain training (the cross). "
        "Numbers are those of the table. "
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
    far = [100 * r.common.mean for x in rankings for r in x.remedies]
    low, high = min(*far, -1.0), max(*far, 1.0)
    room = 0.12 * (high - low)
    for panel, ranking in zip(axes, rankings, strict=True):
        rare, common = len(ranking.rare_classes), len(ranking.common_classes)
        if rare + common == classes:
            slope = -common / rare
            panel.axline((0, 0), slope=slope, color=QUIET, linewidth=1, linestyle="--")
        panel.plot(0, 0, "P", color=QUIET, mec=PAPER, mew=0.6, ms=8)
        _points(panel, ranking)
        panel.set_title(f"{ranking.model}, {ranking.plain}")
        panel.grid()
        panel.set_axisbelow(True)
        panel.set_xlim(low - room, high + room)
    heights = [100 * r.rare.mean for x in rankings for r in x.remedies]
    bottom, top = min(*heights, 0.0), max(*heights, 1.0)
    axes[0].set_ylim(bottom - 0.1 * (top - bottom), top + 0.12 * (top - bottom))
    sides = {ranking.sides for ranking in rankings}
    rare_name, common_name = sides.pop() if len(sides) == 1 else ("rare", "common")
    figure.supxlabel(f"{common_name} classes' recall, points", fontsize=9)
    figure.supylabel(f"{rare_name} classes' recall, points", fontsize=9)
    return svg(figure)


def _points(axes: Axes, ranking: Ranking) -> None:
    taken: list[tuple[float, float]] = []
    where = [(100 * r.common.mean, 100 * r.rare.mean) for r in ranking.remedies]
    wide = max((abs(x) for x, _ in where), default=1.0) / 60 or 1.0
    tall = max((abs(y) for _, y in where), default=1.0) / 60 or 1.0
    for rank, (row, (x, y)) in enumerate(zip(ranking.remedies, where, strict=True), 1):
        pick = row.regime == ranking.pick
        axes.plot(
            *(x, y),
            "D" if pick else "o",
            color=PALETTE[1] if pick else PALETTE[0],
            mec=PAPER,
            mew=0.6,
            ms=7 if pick else 6,
        )
        right, up = _free(x, y, [*where, *taken], wide, tall)
        taken.append((x + right * wide / 2, y + up * tall / 2))
        axes.annotate(
            str(rank),
            (x, y),
            xytext=(right, up),
            textcoords="offset points",
            ha="left" if right > 0 else "right" if right < 0 else "center",
            fontsize=7.5,
            color=INK,
            in_layout=False,
        )


def _free(
    x: float,
    y: float,
    others: Sequence[tuple[float, float]],
    wide: float,
    tall: float,
) -> tuple[int, int]:
    """The place around a point that is farthest from all else."""

    def room(place: tuple[int, int]) -> float:
        right, up = x + place[0] * wide / 2, y + place[1] * tall / 2
        return min(
            ((right - a) / wide) ** 2 + ((up - b) / tall) ** 2 for a, b in others
        )

    return max(_AROUND, key=room)

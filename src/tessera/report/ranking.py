"""A ranking of remedies -> its interval plot, one row per remedy."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tessera.evaluation.recommendation import with_interval
from tessera.phrases import listed, plural, points
from tessera.record import StudyRecord
from tessera.report.drawing import Drawing
from tessera.report.style import PALETTE, QUIET, drawing, interval_row, svg
from tessera.results import Change, RankedRemedy, Ranking

_ROW = 0.25
"""Inches per remedy."""


def ranking_figures(record: StudyRecord) -> tuple[Drawing, ...]:
    """Draw every ranking of at least two remedies; one alone has no order to see."""
    return tuple(_figure(r) for r in record.rankings if len(r.remedies) > 1)


def _figure(ranking: Ranking) -> Drawing:
    with drawing():
        picture = _panels(ranking)
    seeds = max(len(row.seeds) for row in ranking.remedies)
    best = ranking.remedies[0]
    return Drawing(
        key=f"ranking-{ranking.model}--{ranking.plain}",
        title=f"{ranking.model}, {ranking.plain}: remedies against plain training",
        caption=_told(ranking, seeds)
        + (f" The dashed line is {ranking.reference}." if ranking.balanced_f1 else "")
        + (
            " \N{BLACK RIGHT-POINTING SMALL TRIANGLE}: recommended."
            * bool(ranking.pick)
        ),
        alternative=f"Interval plot over {plural(seeds, 'seed')}. "
        f"Highest: {best.regime}. "
        + " ".join(_sentence(row, ranking) for row in ranking.remedies),
        svg=picture,
    )


def _told(ranking: Ranking, seeds: int) -> str:
    """What the marks are."""
    if seeds == 1:
        return (
            "Differences in points of one seed, which gives them no interval: none of "
            "them is decided."
        )
    return (
        "Differences in points over paired seeds. Diamonds are means, rings single "
        "seeds, bars 95 % t-intervals; a bar that reaches the edge goes on beyond it. "
        "A filled diamond is decided after Holm's correction for "
        f"{plural(len(ranking.tested), 'comparison')}, a hollow one is not."
    )


def _sentence(row: RankedRemedy, ranking: Ranking) -> str:
    return (
        f"{row.regime}: macro-F1 {with_interval(row.change)}, {row.change.decision}; "
        + listed(
            [
                f"{ranking.sides[0]} classes' recall {points(row.rare.mean)}",
                f"{ranking.sides[1]} classes' {points(row.common.mean)}.",
            ]
        )
    )


def _panels(ranking: Ranking) -> str:
    rows = ranking.remedies
    figure = Figure(figsize=(9.6, 1.1 + _ROW * len(rows)), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    columns: tuple[tuple[str, list[Change]], ...] = (
        ("macro-F1", [r.change for r in rows]),
        (f"recall of the {ranking.sides[0]} classes", [r.rare for r in rows]),
        (f"recall of the {ranking.sides[1]} classes", [r.common for r in rows]),
    )
    top = ranking.balanced_f1
    gap = 100 * (top.mean - ranking.plain_f1.mean) if top else None
    for panel, (title, changes) in zip(panels, columns, strict=True):
        _panel(panel, changes, gap if title == "macro-F1" else None)
        panel.set_title(title)
    names = [_name(ranking, row.regime) for row in rows]
    panels[0].set_yticks(range(len(rows)), names)
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    figure.supxlabel("difference to plain training, points", fontsize=9)
    return svg(figure)


def _name(ranking: Ranking, regime: str) -> str:
    mark = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE} "
    return f"{mark if regime == ranking.pick else ''}{regime}"


def _panel(axes: Axes, changes: Sequence[Change], gap: float | None) -> None:
    low, high = _limits(changes, gap or 0.0)
    for row, change in enumerate(changes):
        interval_row(axes, row, change, (low, high))
    axes.axvline(0, color=QUIET, linewidth=1)
    if gap is not None:
        axes.axvline(gap, color=PALETTE[2], linewidth=1.2, linestyle="--")
    axes.set_xlim(low, high)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _limits(changes: Sequence[Change], gap: float) -> tuple[float, float]:
    """Room for every seed, zero and the gap; bars of few seeds may reach beyond."""
    seeds = [100 * v for c in changes for v in c.values]
    low, high = min(*seeds, 0.0), max(*seeds, gap, 0.0)
    room = max(0.25 * (high - low), 0.5)
    return low - room, high + room

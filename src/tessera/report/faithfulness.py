"""Checked explanations -> charts, and the part of the page that tells the result."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup
from matplotlib.axes import Axes

from tessera.evaluation import faithfulness as checked
from tessera.evaluation.faithfulness import (
    Against,
    Faithfulness,
    Interval,
    Measured,
    Method,
    Metric,
)
from tessera.phrases import MINUS, in_row
from tessera.report.drawing import Drawing
from tessera.report.load import Study
from tessera.report.style import (
    INK,
    MARKERS,
    PALETTE,
    PAPER,
    QUIET,
    drawing,
    grid_of_axes,
    inline,
    svg,
)
from tessera.report.templates import Filters, render
from tessera.report.words import NO_BREAK, tidy, unbroken

CORE = (
    "deletion_mean",
    "deletion_blur",
    "insertion_mean",
    "insertion_blur",
    "road",
    "mosaic_energy",
)
"""What the overview and the chart show; the rest is in the whole table."""
PARTS = ("deletion_mean", "road", "mosaic_energy")
"""What is shown by class and by group."""
CURVES = ("deletion_mean", "insertion_blur", "road_morf")


@dataclass(frozen=True)
class Shown:
    """One method of one run, and its charts."""

    run: Faithfulness
    method: Method
    drawings: tuple[Drawing, ...]


def checks_of(study: Study) -> tuple[Faithfulness, ...]:
    """The checks that fit the study's runs, cell by cell, by rising seed."""
    folders = (study.folders[r.model, r.regime, r.seed] for r in study.records)
    return checked.read_all(folders, study.records)


def charted(found: Sequence[Faithfulness]) -> tuple[Shown, ...]:
    """Every method of checked runs."""
    return tuple(
        Shown(run, method, drawings_of(run, method))
        for run in found
        for method in run.methods
    )


def section(rows: Sequence[Shown], *, rare: str = "reduced", folds: int = 0) -> Markup:
    """The part of the page; a sentence on what is missing where nothing was checked.

    Args:
        rows: What was checked.
        rare: What the study's classes with few images are called.
        folds: How many hold the models in the study's place.
    """
    return Markup(
        render(
            "faithfulness.html",
            filters=_filters(),
            rows=rows,
            metrics={m.key: m for row in rows for m in row.run.metrics},
            checks={c.key: c for row in rows for c in row.method.checks},
            shown=[k for k in CORE if any(row.method.of(k) for row in rows)],
            rare=rare,
            folds=folds,
            parts=PARTS,
            summary=summary,
        )
    )


@cache
def _filters() -> Filters:
    return {
        "interval": lambda value: unbroken(interval(value)),
        "number": number,
        "in_row": in_row,
        "inline": _inline,
        "tidy": tidy,
    }


def summary(method: Method) -> dict[str, str]:
    """The overview's words on one method: what it beats, its checks, its blanks."""
    rows = [m for m in method.measured if m.metric in CORE]
    beaten = sum(len(m.beaten()) for m in rows)
    total = sum(len(m.against) for m in rows)
    worse = sum(a.decision == "worse" for m in rows for a in m.against)
    blank = sum(n for b in method.blanks.values() for n in b.reasons.values())
    images = sum(b.images for b in method.blanks.values())
    cascade = method.check("cascade")
    return {
        "beats": f"{beaten} of {total}",
        "worse": f"{worse}",
        "cascade": "not done" if cascade is None else cascade.result,
        "blank": f"{100 * blank / max(images, 1):.1f}{NO_BREAK}%",
    }


def interval(value: Interval) -> str:
    """Say `0.42 [0.40, 0.44]`; no brackets of few images, a dash without any."""
    if value.low is None:
        return number(value.mean)
    return f"{number(value.mean)} [{number(value.low)}, {number(value.high)}]"


def number(value: float | None) -> str:
    """Two decimals, or a dash."""
    if value is None:
        return "\N{EN DASH}"
    text = f"{value:.2f}"
    return text.replace("-", MINUS) if float(text) else "0.00"


def drawings(found: Faithfulness) -> tuple[Drawing, ...]:
    """The charts of every method of a run."""
    return tuple(d for method in found.methods for d in drawings_of(found, method))


def drawings_of(found: Faithfulness, method: Method) -> tuple[Drawing, ...]:
    """The charts of one method: against its controls, and its curves."""
    with drawing():
        return (_against(found, method), _curves(found, method))


def _key(kind: str, found: Faithfulness, method: Method) -> str:
    name = f"{method.name.lower()}-{found.model}--{found.regime}"
    return re.sub(r"[^\w.-]", "-", f"faithfulness-{kind}-{name}")


def _against(found: Faithfulness, method: Method) -> Drawing:
    rows = [row for key in CORE if (row := method.of(key)) is not None]
    names = [a.control for a in rows[0].against]
    figure, axes = grid_of_axes(
        len(rows), columns=3, width=2.9, height=0.75 + 0.27 * len(names)
    )
    for panel, row in zip(axes, rows, strict=True):
        metric = found.metric(row.metric)
        for place, against in enumerate(row.against):
            _bar(panel, place, metric, against)
        panel.axvline(0, color=QUIET, linewidth=1)
        panel.set_yticks(range(len(names)), names)
        panel.set_title(f"{metric.name} {metric.arrow}")
        panel.grid(axis="x")
        panel.set_axisbelow(True)
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    figure.supxlabel("advantage over the control; right of zero is better", fontsize=9)
    return Drawing(
        key=_key("controls", found, method),
        title=f"{method.name} against maps that know nothing: "
        f"{found.model}, {found.regime}",
        caption=f"Mean paired advantage over {found.images} test images with its 95 % "
        "bootstrap interval. Right of zero the method is better than the control, "
        "whichever way the metric points; filled markers are decided.",
        alternative=" ".join(_sentence(found.metric(r.metric), r) for r in rows),
        svg=svg(figure),
    )


def _bar(panel: Axes, place: int, metric: Metric, against: Against) -> None:
    difference = against.difference
    if difference.mean is None or difference.low is None or difference.high is None:
        return
    sign = -1 if metric.direction == "lower" else 1
    ends = sorted((sign * difference.low, sign * difference.high))
    colour = PALETTE[1] if against.decision == "worse" else PALETTE[0]
    decided = against.decision != "undecided"
    panel.hlines(place, *ends, color=colour, linewidth=2.4)
    panel.plot(
        sign * difference.mean,
        place,
        "D",
        mfc=INK if decided else PAPER,
        mec=INK,
        mew=0.8,
        ms=5,
    )


def _sentence(metric: Metric, row: Measured) -> str:
    sides = "; ".join(f"{a.control}: {a.decision}" for a in row.against)
    return f"{metric.name}, {interval(row.level)}, against {sides}."


def _curves(found: Faithfulness, method: Method) -> Drawing:
    keys = [k for k in CURVES if any(c.metric == k for c in method.curves)]
    figure, axes = grid_of_axes(len(keys), columns=3, width=2.9, height=2.6)
    for panel, key in zip(axes, keys, strict=True):
        mine = [c for c in method.curves if c.metric == key]
        for i, curve in enumerate(mine):
            first = curve.map == method.name
            panel.plot(
                curve.shares,
                curve.values,
                color=PALETTE[i % len(PALETTE)],
                marker=MARKERS[i % len(MARKERS)],
                markersize=3.5 if first else 2.5,
                linewidth=2.2 if first else 1,
                label=curve.map,
            )
        metric = found.metric(key)
        panel.set_title(f"{metric.name} {metric.arrow}")
        panel.set_xlabel("share changed")
        panel.set_ylim(0, 1)
        panel.grid()
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3
    )
    return Drawing(
        key=_key("curves", found, method),
        title=f"How fast the answer goes: {found.model}, {found.regime}",
        caption="Mean over images of the explained class's probability (deletion, "
        "insertion) or of the answer's survival (ROAD), while cells are changed in the "
        "order of each map. A faithful map falls faster under deletion and ROAD, and "
        "rises faster under insertion, than its controls.",
        alternative=f"Curves of {method.name} and its controls; the table gives the "
        "areas under them.",
        svg=svg(figure),
    )


def _inline(shown: Drawing) -> Markup:
    return Markup(inline(shown.svg, title=shown.alternative, key=shown.key))

"""Recall per class under every regime side by side, and the scores at a glance."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from tessera.evaluation.comparison import reduced_classes
from tessera.evaluation.roles import rare_word, roles
from tessera.phrases import listed, plural
from tessera.record import CellSummary, Spread
from tessera.report import shown
from tessera.report.drawing import Drawing
from tessera.report.load import Study
from tessera.report.style import (
    BAND,
    MARKERS,
    PALETTE,
    PAPER,
    drawing,
    grid_of_axes,
    legend_above,
    svg,
)
from tessera.report.words import over_seeds, short

NOTHING = Spread(mean=math.nan, deviation=None, values=(math.nan,))
"""Of a score that nothing was measured for: no marker is drawn."""
TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "worst_class_recall": "worst class's recall",
    "reduced_recall": "recall of the {rare} classes",
}
_SORTED = (
    " Classes from the most common to the rarest, with the training images of the data "
    "as they come."
)
_GLANCE = ("macro_f1", "reduced_recall")
_SHADED = {
    "reduced": " Shaded: the classes that the profile reduces.",
    "rare": " Shaded: the classes that are rare in the data as they come.",
}


def per_class_recall(study: Study) -> Drawing:
    """Draw every class's recall: a panel per model, a marker per regime."""
    reduced, models = _reduced(study), _models(study)
    with drawing():
        picture = _recall_panels(study, reduced)
    return Drawing(
        key="per-class-recall",
        title="Recall of every class, regime by regime",
        caption=f"On the test set. {_markers(study)}"
        + _SORTED * _unequal(study)
        + _SHADED[rare_word(study.record.experiment)] * bool(reduced)
        + shown.note(study.record),
        alternative="Dot chart of recall per class. "
        + " ".join(
            _lowest(c.model, c.regime, _recalls(study, c))
            for cells in models.values()
            for c in cells
        ),
        svg=picture,
    )


def _unequal(study: Study) -> bool:
    """Whether data are taken as they come, with more images of some classes."""
    natural = rare_word(study.record.experiment) == "rare"
    return natural and len(set(study.record.data.train_counts)) > 1


def _order(study: Study) -> list[int]:
    """Unequal classes from the most common to the rarest; equal ones as they are."""
    counts = study.record.data.train_counts
    if not _unequal(study):
        return list(range(len(counts)))
    return sorted(range(len(counts)), key=lambda k: -counts[k])


def _labels(study: Study) -> list[str]:
    """Of the rows, in their order."""
    data, unequal = study.record.data, _unequal(study)
    return [
        short(data.class_names[k]) + f" ({data.train_counts[k]:,})" * unequal
        for k in _order(study)
    ]


def _markers(study: Study) -> str:
    if len(study.record.experiment.seeds) == 1:
        return "Markers are of one seed; another may move them."
    return (
        f"Markers are means over {over_seeds(study.record)}, lines reach from the "
        "lowest to the highest."
    )


def _reduced(study: Study) -> tuple[int, ...]:
    return reduced_classes(study.records)


def _models(study: Study) -> dict[str, list[CellSummary]]:
    """The cells that figures show, by model."""
    wanted = shown.regimes(study.record)
    models: dict[str, list[CellSummary]] = {}
    for cell in study.record.cells:
        if cell.regime in wanted:
            models.setdefault(cell.model, []).append(cell)
    return models


def _recall_panels(study: Study, reduced: Sequence[int]) -> str:
    models, order = _models(study), _order(study)
    names = _labels(study)
    most = max(map(len, models.values()))
    height = 0.9 + len(names) * max(0.34, 0.08 * most)
    # One or two models have the whole page's width.
    width = 2.9 if len(models) > 2 else 7.0 / len(models)
    figure, axes = grid_of_axes(len(models), columns=3, width=width, height=height)
    regimes = shown.regimes(study.record)
    for panel, (model, cells) in zip(axes, models.items(), strict=True):
        for row in map(order.index, reduced):
            panel.axhspan(row - 0.5, row + 0.5, color=BAND, linewidth=0)
        known = {c.regime: _rows(study, c, order) for c in cells}
        # A regime keeps its colour and place where another one's runs are missing.
        _dots(panel, [(r, known.get(r, [NOTHING] * len(names))) for r in regimes])
        panel.set_title(model)
        panel.set_xlim(-2, 102)
        panel.set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    figure.supxlabel("recall, %", fontsize=9)
    legend_above(figure, axes)
    return svg(figure)


def _dots(axes: Axes, series: Sequence[tuple[str, Sequence[Spread]]]) -> None:
    """Markers with lines over seeds; series are set apart within each row."""
    step = 0.62 / len(series)
    for i, (name, values) in enumerate(series):
        rows = np.arange(len(values)) + (i - (len(series) - 1) / 2) * step
        colour = PALETTE[i % len(PALETTE)]
        low, high = ([100 * f(v.values) for v in values] for f in (min, max))
        axes.hlines(rows, low, high, color=colour, linewidth=1.6)
        axes.plot(
            [100 * v.mean for v in values],
            rows,
            MARKERS[i % len(MARKERS)],
            color=colour,
            mec=PAPER,
            mew=0.6,
            ms=5.5,
            label=name,
        )
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def _recalls(study: Study, cell: CellSummary) -> dict[str, Spread]:
    """Of every class; that of a class without test images is not known."""
    data = study.record.data
    return {
        name: cell.per_class_recall[name] if images else NOTHING
        for name, images in zip(data.class_names, data.test_counts, strict=True)
    }


def _rows(study: Study, cell: CellSummary, order: Sequence[int]) -> list[Spread]:
    recalls = list(_recalls(study, cell).values())
    return [recalls[k] for k in order]


def _lowest(model: str, regime: str, recalls: Mapping[str, Spread]) -> str:
    known = {name: spread for name, spread in recalls.items() if spread is not NOTHING}
    lowest = min(spread.mean for spread in known.values())
    worst, *ties = (n for n, s in known.items() if math.isclose(s.mean, lowest))
    others = f" and {plural(len(ties), 'other')}" if ties else ""
    if len(ties) + 1 == len(known):
        return f"{model}, {regime}: {100 * lowest:.0f} % for every class."
    return f"{model}, {regime}: lowest for {worst}{others}, {100 * lowest:.0f} %."


def score_overview(study: Study) -> Drawing:
    """Draw the two scores that the study turns on, for every model and regime."""
    rare = rare_word(study.record.experiment)
    titles = {
        score: TITLES[score].format(rare=rare)
        for score in _GLANCE
        if all(score in c.scores for c in study.record.cells)
    }
    models = _models(study)
    with drawing():
        picture = _overview(models, shown.regimes(study.record), titles)
    return Drawing(
        key="scores",
        title="The comparison at a glance",
        caption=f"On the test set: {listed(list(titles.values()))}. {_markers(study)}"
        + _look(study)
        + shown.note(study.record),
        alternative="Dot chart. "
        + " ".join(
            f"{c.model}, {c.regime}: "
            + listed([f"{t} {100 * c.scores[s].mean:.1f} %" for s, t in titles.items()])
            + "."
            for cells in models.values()
            for c in cells
        ),
        svg=picture,
    )


def _look(study: Study) -> str:
    """What to look for, as far as the study compares it; with a space before it."""
    if len(shown.regimes(study.record)) < 2:
        return ""
    found = roles(study.record.experiment, study.records)
    unequal = (*found.imbalances, *found.mild)
    levelled = any(found.balanced not in (None, i.regime) for i in unequal)
    remedies = sum(len(i.remedies) for i in unequal)
    if not levelled:
        return " Look for what a remedy changes on the same images." * bool(remedies)
    if found.natural:
        return (
            " Balanced training leaves images of the common classes out; look for what "
            "that changes against the data as they come"
            + ", and what a remedy changes that keeps them all" * bool(remedies)
            + "."
        )
    back = (
        f", and how much of that {'the' if remedies == 1 else 'a'} remedy brings back"
    )
    return (
        " Look for how far each marker falls under imbalance"
        + back * bool(remedies)
        + "."
    )


def _overview(
    models: Mapping[str, list[CellSummary]],
    regimes: Sequence[str],
    titles: Mapping[str, str],
) -> str:
    height = 0.9 + max(0.42, 0.14 * len(regimes)) * len(models)
    figure, axes = grid_of_axes(len(titles), columns=2, width=3.5, height=height)
    for panel, (score, title) in zip(axes, titles.items(), strict=True):
        series = [
            (r, [_score(cells, r, score) for cells in models.values()]) for r in regimes
        ]
        _dots(panel, series)
        panel.set_title(title)
        panel.set_xlabel("%")
        panel.set_yticks(range(len(models)), list(models))
    axes[0].set_ylim(len(models) - 0.4, -0.6)
    legend_above(figure, axes)
    return svg(figure)


def _score(cells: Sequence[CellSummary], regime: str, score: str) -> Spread:
    return next((c.scores[score] for c in cells if c.regime == regime), NOTHING)

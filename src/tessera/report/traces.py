"""Curves over all thresholds: ROC, precision-recall, risk-coverage."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tessera.arrays import Labels, Probabilities
from tessera.evaluation import detection, selection
from tessera.evaluation.outcomes import read
from tessera.evaluation.probabilities import softmax
from tessera.phrases import first, in_list
from tessera.report import shown
from tessera.report.drawing import Drawing
from tessera.report.load import Study
from tessera.report.style import (
    PALETTE,
    QUIET,
    drawing,
    grid_of_axes,
    legend_above,
    svg,
)
from tessera.report.words import short

Kind = Literal["roc", "precision-recall"]
Answers = dict[tuple[str, str], tuple[Probabilities, Labels]]

SHOWN_CLASSES = 12
"""Classes with a panel; of more, those with the fewest training images in all."""
_FEW = 3
_POINTS = 60
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1, 1, 1)))


def answers(study: Study) -> Answers:
    """The first seed's test probabilities of every cell that figures show."""
    found: Answers = {}
    for model, regime in shown.cells(study.record):
        first = study.cells[model, regime][0]
        outcome = read(study.folders[model, regime, first.seed])
        if outcome is not None:
            found[model, regime] = softmax(outcome.logits), outcome.labels
    return found


def class_curves(study: Study, found: Answers, kind: Kind) -> tuple[Drawing, ...]:
    """Draw a figure per model: a panel per class, a line per regime.

    Without test images of two classes there is nothing to draw.
    """
    models = list(dict.fromkeys(model for model, _ in found))
    drawn = (_class_figure(study, found, kind, model) for model in models)
    return tuple(figure for figure in drawn if figure)


def _class_figure(
    study: Study, found: Answers, kind: Kind, model: str
) -> Drawing | None:
    names = study.record.data.class_names
    cells = {regime: pair for (m, regime), pair in found.items() if m == model}
    tested = np.unique(np.concatenate([labels for _, labels in cells.values()]))
    if len(tested) < 2:
        return None
    chosen = _rarest(study, model, tested)
    with drawing():
        picture = _class_panels(cells, kind, chosen, names)
    roc = kind == "roc"
    return Drawing(
        key=f"{kind}-{model}",
        title=f"{model}: {'ROC' if roc else 'precision and recall'}",
        caption="One class against the rest, first seed; dashed grey is guessing. "
        + (
            "With few images of a class among many others this curve flatters: read "
            "it beside precision and recall."
            if roc
            else "The share of a class among the test images is what guessing reaches."
        )
        + (
            f" Shown are the {len(chosen)} classes with the fewest training images."
            if len(chosen) < len(tested)
            else ""
        )
        + _untested(names, tested)
        + shown.note(study.record),
        alternative=f"{'ROC' if roc else 'Precision-recall'} curves of {model}. "
        + " ".join(_areas(regime, *pair, kind) for regime, pair in cells.items()),
        svg=picture,
    )


def _rarest(study: Study, model: str, tested: Labels) -> list[int]:
    """Classes to show of those with test images, in their order."""
    counts = [r[0].train_counts for (m, _), r in study.cells.items() if m == model]
    # Over all regimes: where one levels the classes, its counts alone tell none apart.
    images = np.sum(counts, axis=0)[tested]
    return sorted(tested[np.argsort(images, kind="stable")[:SHOWN_CLASSES]].tolist())


def _untested(names: Sequence[str], tested: Labels) -> str:
    """The classes that have no panel, after a space."""
    without = [in_list(name) for k, name in enumerate(names) if k not in tested]
    return f" Without test images, so not shown: {first(without)}." if without else ""


def _areas(regime: str, shares: Probabilities, labels: Labels, kind: Kind) -> str:
    known = detection.curves(shares, labels)
    if not any(known):
        return f"{regime}: no area."
    auc, precision = detection.macro(known)
    if kind == "roc":
        return f"{regime}: mean area {auc:.3f}."
    return f"{regime}: mean average precision {100 * precision:.1f} %."


def _class_panels(
    cells: dict[str, tuple[Probabilities, Labels]],
    kind: Kind,
    chosen: Sequence[int],
    names: Sequence[str],
) -> str:
    # A few panels are larger: the legend above them takes a part of their height.
    side = 1.9 if len(chosen) > _FEW else 2.8
    figure, axes = grid_of_axes(len(chosen), columns=5, width=side, height=side)
    for panel, k in zip(axes, chosen, strict=True):
        for i, (regime, (shares, labels)) in enumerate(cells.items()):
            curve = detection.curve(shares[:, k], labels == k)
            if curve is not None:
                _line(panel, curve, kind, i, regime)
                _guessing(panel, kind, float((labels == k).mean()))
        panel.set_title(short(names[k]))
        panel.set_xlim(0, 100)
        panel.set_ylim(0, 102)
    roc = kind == "roc"
    figure.supxlabel("false alarms, %" if roc else "recall, %", fontsize=9)
    figure.supylabel("recall, %" if roc else "precision, %", fontsize=9)
    legend_above(figure, axes)
    return svg(figure)


def _line(axes: Axes, curve: detection.Curve, kind: Kind, i: int, label: str) -> None:
    if kind == "roc":
        x, y = _thinned(curve.false_alarms, curve.hits)
    else:
        # The point at recall 0 is a convention, not a measurement.
        x, y = _thinned(curve.hits[1:], curve.precision[1:])
    axes.plot(
        100 * x,
        100 * y,
        color=PALETTE[i % len(PALETTE)],
        linestyle=_DASHES[i % len(_DASHES)],
        linewidth=1.3,
        label=label,
    )


def _guessing(axes: Axes, kind: Kind, share: float) -> None:
    y = [0, 100] if kind == "roc" else [100 * share] * 2
    axes.plot([0, 100], y, "--", color=QUIET, linewidth=0.7)


def _thinned(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `_POINTS` points, evenly along the curve's length; the ends stay."""
    if len(x) <= _POINTS:
        return x, y
    length = np.concatenate([[0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    wanted = np.linspace(0, length[-1], _POINTS)
    keep = np.unique(np.searchsorted(length, wanted).clip(0, len(x) - 1))
    return x[keep], y[keep]


def risk_coverage(study: Study, found: Answers) -> Drawing | None:
    """Draw a panel per model, a line per regime; None without predictions."""
    models = list(dict.fromkeys(model for model, _ in found))
    if not models:
        return None
    with drawing():
        figure, axes = grid_of_axes(len(models), columns=3, width=3.1, height=2.6)
        areas, every = [], shown.regimes(study.record)
        for panel, model in zip(axes, models, strict=True):
            for i, regime in enumerate(every):
                if (model, regime) not in found:
                    continue
                colour, dash = PALETTE[i % len(PALETTE)], _DASHES[i % len(_DASHES)]
                over = _risks(*found[model, regime])
                areas.append(f"{model}, {regime}: {100 * selection.area(over):.1f} %.")
                share = 100 * np.arange(1, len(over) + 1) / len(over)
                # A few images decide the left end: it starts at a hundredth.
                start = len(over) // 100
                x, y = _thinned(share[start:] / 100, over[start:])
                panel.plot(
                    *(100 * x, 100 * y), color=colour, linestyle=dash, label=regime
                )
            panel.set_title(model)
            panel.grid()
        axes[0].set_xlim(0, 100)
        axes[0].set_ylim(bottom=0)
        figure.supxlabel("coverage: images answered, surest first, %", fontsize=9)
        figure.supylabel("errors among them, %", fontsize=9)
        legend_above(figure, axes)
        picture = svg(figure)
    return Drawing(
        key="risk-coverage",
        title="Errors, if only the surest answers are given",
        caption="First seed. Lower is better, and a steep rise at the right means that "
        "the model knows which answers to withhold." + shown.note(study.record),
        alternative="Risk-coverage curves; mean risk " + " ".join(areas),
        svg=picture,
    )


def _risks(shares: Probabilities, labels: Labels) -> NDArray[np.float64]:
    return selection.risks(shares.max(axis=1), shares.argmax(axis=1) == labels)

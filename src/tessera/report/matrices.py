"""Confusion matrices: counts beside shares, one drawing per cell."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tessera.evaluation.comparison import pooled_confusion
from tessera.evaluation.scores import row_normalised
from tessera.record import Record
from tessera.report import shown
from tessera.report.drawing import Drawing
from tessera.report.load import Study
from tessera.report.style import (
    SEQUENTIAL,
    drawing,
    grid_of_axes,
    narrowing,
    readable,
    svg,
)
from tessera.report.words import short

Panel = tuple[str, NDArray[np.int64] | NDArray[np.float64], list[str]]
"""A matrix: what its numbers are, its values and their texts."""
_NUMBERED = 20
"""Classes up to which every cell holds its number."""
_BESIDE = 13
"""Classes up to which both matrices stand side by side, with numbers to be read."""


def confusion_matrices(study: Study) -> tuple[Drawing, ...]:
    """Draw every shown cell's confusion, its seeds added up."""
    return tuple(
        _confusion(model, regime, study.cells[model, regime])
        for model, regime in shown.cells(study.record)
    )


def _confusion(model: str, regime: str, runs: Sequence[Record]) -> Drawing:
    counts = pooled_confusion(runs)
    shares = row_normalised(counts)
    names = [c.name for c in runs[0].scores.per_class]
    with drawing():
        picture = _matrices(counts, shares, names)
    seeds = f"{len(runs)} seeds together" if len(runs) > 1 else f"seed {runs[0].seed}"
    together = f"test images of {seeds}"
    numbers = (
        f"Counts are {together}; the other numbers are the share of each true class in "
        "percent, whose diagonal is the recall."
        if len(names) <= _NUMBERED
        else f"Shares of each true class, {together}: from white for none of it to "
        "dark blue for all; the diagonal is the recall."
    )
    worst = _worst(counts, shares, names)
    return Drawing(
        key=f"confusion-{model}--{regime}",
        title=f"{model}, {regime}",
        caption=f"{worst} {numbers}",
        alternative=f"Confusion matrix of {model}, {regime}. {worst}",
        svg=picture,
    )


def _matrices(
    counts: NDArray[np.int64], shares: NDArray[np.float64], names: Sequence[str]
) -> str:
    """Counts and shares; of many classes the shares alone, whose colours both have."""
    side = max(3.4, min(0.34 * len(names) + 0.9, 9.0))
    # A bare 0 for exactly none, so that `0` and `0.4 %` do not look alike.
    percent = "% of the true class", shares, [_percent(s) for s in shares.flat]
    images = "test images", counts, [f"{c:,}" for c in counts.flat]
    shown: list[Panel] = [percent] if len(names) > _NUMBERED else [images, percent]
    columns = 2 if len(names) <= _BESIDE else 1
    figure, panels = grid_of_axes(len(shown), columns=columns, width=side, height=side)
    places, labels = np.arange(len(names)) + 0.5, [short(name) for name in names]
    for axes, (title, values, texts) in zip(panels, shown, strict=True):
        _matrix(axes, values, shares, texts)
        axes.set_title(title)
        axes.set_xlabel("predicted class")
        # Anchored at its end: the reader's letters may be narrower than those measured.
        axes.set_xticks(places, labels, rotation=90, rotation_mode="anchor")
        for label in axes.get_xticklabels():
            label.set(ha="right", va="center")
        axes.set_yticks(places, labels)
        axes.tick_params(length=0, labelsize=min(7.5, narrowing(len(names), width=7)))
        axes.tick_params(labelbottom=True)
    for axes in panels[::columns]:
        axes.set_ylabel("true class")
    panels[0].invert_yaxis()
    return svg(figure)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.005 or share == 0 else "<1"


def _matrix(
    axes: Axes,
    values: NDArray[np.int64] | NDArray[np.float64],
    shares: NDArray[np.float64],
    texts: Sequence[str],
) -> None:
    classes = len(values)
    axes.pcolormesh(
        shares, cmap=SEQUENTIAL, vmin=0, vmax=1, rasterized=classes > _NUMBERED
    )
    axes.set_aspect("equal")
    if classes > _NUMBERED:
        return
    for text, (row, column) in zip(texts, np.ndindex(values.shape), strict=True):
        axes.text(
            column + 0.5,
            row + 0.5,
            text,
            ha="center",
            va="center",
            fontsize=6.2,
            color=readable(SEQUENTIAL, float(shares[row, column])),
            # Inside its cell: leaving it out halves the time that layout takes.
            in_layout=False,
        )


def _worst(
    counts: NDArray[np.int64], shares: NDArray[np.float64], names: Sequence[str]
) -> str:
    """The error that takes most of a class, whether or not another has more images."""
    missed, errors = (m - np.diag(np.diag(m)) for m in (counts, shares))
    if not missed.any():
        return "No test image is misclassified."
    true, predicted = divmod(int(errors.argmax()), len(names))
    commonest = missed[true, predicted] == missed.max()
    which = "commonest error" if commonest else "error that takes most of a class"
    return (
        f"The {which}: {_percent(errors[true, predicted])} % of {names[true]} are "
        f"taken for {names[predicted]}."
    )

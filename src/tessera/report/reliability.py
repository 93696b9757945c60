"""Are confidences true? Reliability diagrams, before and after temperature scaling."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tessera.evaluation import calibration
from tessera.evaluation.outcomes import Outcome, read
from tessera.evaluation.probabilities import softmax
from tessera.record import CellSummary
from tessera.report import shown
from tessera.report.drawing import Drawing
from tessera.report.load import Study
from tessera.report.style import (
    LINE,
    PALETTE,
    PAPER,
    QUIET,
    drawing,
    grid_of_axes,
    legend_above,
    svg,
)


def reliability(study: Study) -> Drawing | None:
    """Draw a panel per cell, its first seed; None where no predictions are stored."""
    wanted = set(shown.cells(study.record))
    found = [
        (cell, outcome)
        for cell in study.record.cells
        if (cell.model, cell.regime) in wanted
        and (outcome := read(study.folders[cell.model, cell.regime, cell.seeds[0]]))
    ]
    if not found:
        return None
    with drawing():
        picture = _panels(found)
    return Drawing(
        key="reliability",
        title="Confidence and accuracy",
        caption="First seed; test images in 15 bins of confidence, each with its "
        "Wilson 95 % interval. On the dashed line confidences are true; below it the "
        "model is too sure. Bars at the foot: how many images each bin holds."
        + _scaling([cell for cell, _ in found])
        + shown.note(study.record),
        alternative="Reliability diagrams. "
        + " ".join(_sentence(cell) for cell, _ in found),
        svg=picture,
    )


def _scaling(cells: Sequence[CellSummary]) -> str:
    """What the squares are, and which cells have none."""
    without = [f"{c.model}, {c.regime}" for c in cells if not c.temperature]
    if len(without) == len(cells):
        return " Temperature scaling is not shown: no validation answers were kept."
    squares = " Squares: after temperature scaling, fitted on validation images."
    if without:
        squares += f" None for {'; '.join(without)}: some validation answers are gone."
    return squares + _unfitted(cells)


def _unfitted(cells: Sequence[CellSummary]) -> str:
    """The cells whose drawn temperature is 1, since their images do not tell it."""
    same = [
        f"{c.model}, {c.regime}"
        for c in cells
        if c.temperature and c.temperature.values[0] == 1.0
    ]
    if not same:
        return ""
    named = "; ".join(same) if len(same) < len(cells) else "every cell"
    return f" T is 1 for {named}: too few validation images, or none that tell it."


def _sentence(cell: CellSummary) -> str:
    text = f"{cell.model}, {cell.regime}: expected calibration error "
    text += f"{100 * cell.scores['ece'].mean:.1f} %" if "ece" in cell.scores else "-"
    if "ece_scaled" in cell.scores:
        text += f", after scaling {100 * cell.scores['ece_scaled'].mean:.1f} %"
    return f"{text}."


def _panels(found: list[tuple[CellSummary, Outcome]]) -> str:
    columns = len({cell.regime for cell, _ in found})
    figure, axes = grid_of_axes(
        len(found), columns=min(columns, 3), width=3.1, height=2.7
    )
    for panel, (cell, outcome) in zip(axes, found, strict=True):
        panel.plot([0, 100], [0, 100], "--", color=QUIET, linewidth=1)
        bins = _bins(outcome, 1.0)
        _shares(panel, bins)
        _points(panel, bins, "o", PALETTE[0], "as trained")
        if cell.temperature:
            after = _bins(outcome, cell.temperature.values[0])
            _points(panel, after, "s", PALETTE[1], "after temperature scaling")
        panel.set_title(f"{cell.model}, {cell.regime}")
        panel.set_xlim(0, 100)
        panel.set_ylim(0, 100)
    figure.supxlabel("confidence, %", fontsize=9)
    figure.supylabel("accuracy, %", fontsize=9)
    legend_above(figure, axes)
    return svg(figure)


def _bins(outcome: Outcome, temperature: float) -> calibration.Bins:
    shares = softmax(outcome.logits, temperature)
    correct = shares.argmax(axis=1) == outcome.labels
    edges = calibration.equal_width_edges()
    return calibration.reliability(shares.max(axis=1), correct, edges)


def _shares(axes: Axes, bins: calibration.Bins) -> None:
    shares: NDArray[np.float64] = 25 * bins.count / bins.count.max()
    left = 100 * bins.edges[:-1]
    axes.bar(left, shares, 100 / len(left) * 0.9, color=LINE, align="edge", zorder=0)


def _points(
    axes: Axes, bins: calibration.Bins, marker: str, colour: str, label: str
) -> None:
    filled = bins.count > 0
    hits = np.where(filled, bins.accuracy * bins.count, 0.0)
    low, high = calibration.wilson(hits, bins.count.astype(np.float64))
    x = 100 * bins.confidence[filled]
    axes.vlines(x, 100 * low[filled], 100 * high[filled], color=colour, linewidth=1.2)
    axes.plot(
        x,
        100 * bins.accuracy[filled],
        marker,
        color=colour,
        mec=PAPER,
        mew=0.5,
        ms=4.5,
        label=label,
        # Whole at the edges too: 0 and 100 % are common in small bins.
        clip_on=False,
    )

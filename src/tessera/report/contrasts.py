"""Wrong answers -> the evidence for what was said, for the truth, and their difference.

Grad-CAM is linear in the logits, so the difference of the two raw maps is the map of
the contrast: why this class rather than that one.
"""

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tessera.phrases import plural
from tessera.record import Record
from tessera.report.drawing import Drawing
from tessera.report.gallery import hardest, overlay, thumbnail, uri
from tessera.report.load import Explained, Study, explained
from tessera.report.style import DIVERGING
from tessera.report.templates import render
from tessera.report.words import short

PER_CLASS = 1
"""Wrong answers of each true class that are shown."""


def contrasts(study: Study) -> tuple[Drawing, ...]:
    """Draw the wrong answers of every cell's first seed that stored both maps."""
    drawn = []
    for (model, regime), runs in study.cells.items():
        found = explained(study.folders[model, regime, runs[0].seed].heatmaps)
        if found is not None and found.raw_true is not None:
            chosen = _wrong(runs[0], found)
            if chosen:
                drawn.append(_drawing(runs[0], found, found.raw_true, chosen))
    return tuple(drawn)


def _wrong(run: Record, found: Explained) -> list[int]:
    wrong = found.labels != found.predicted
    return [
        int(i)
        for label in hardest(run)
        for i in np.flatnonzero(wrong & (found.labels == label))[:PER_CLASS]
    ]


def _drawing(
    run: Record, found: Explained, raw_true: NDArray[np.float32], chosen: list[int]
) -> Drawing:
    names = [c.name for c in run.scores.per_class]
    rows = [_row(found, raw_true, i, names) for i in chosen]
    middle = -(-len(rows) // 2)
    whole, *halves = (
        render("contrasts.svg", rows=part)
        for part in (rows, rows[:middle], rows[middle:])
        if part
    )
    return Drawing(
        key=f"contrast-{run.model}--{run.regime}",
        title=f"Wrong answers of {run.model}, {run.regime}: said against true",
        caption=f"Seed {run.seed}; {found.method} on the layer {found.layer}. Per row: "
        "the image, the evidence for the class that was said, for the true one (both "
        "on one scale), and their difference: orange speaks for what was said rather "
        "than the truth, violet the other way.",
        alternative=f"{plural(len(rows), 'wrong answer')} by {run.model} "
        f"({run.regime}), no two of one class, each with the map of the predicted "
        "class, of the true class and of the difference.",
        svg=whole,
        parts=tuple(halves),
        images=True,
    )


def _row(
    found: Explained, raw_true: NDArray[np.float32], i: int, names: list[str]
) -> dict[str, str]:
    said, truth = found.raw[i], raw_true[i]
    image = thumbnail(found.images[i])
    top = float(np.maximum(said, truth).max())
    pictures = [overlay(raw, image.size, top=top) for raw in (said, truth)]
    return {
        "image": uri(image),
        "said_map": uri(pictures[0]),
        "true_map": uri(pictures[1]),
        "difference": uri(diverging(said - truth, image.size)),
        "said": short(names[found.predicted[i]]),
        "true": short(names[found.labels[i]]),
    }


def diverging(raw: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """A signed map over its largest absolute value: violet below zero, orange above.

    Args:
        raw: float [h, w].
        size: Width and height in pixels.

    Returns:
        An RGBA picture, clear where the map is zero.
    """
    finite: NDArray[np.float32] = np.nan_to_num(raw.astype(np.float32))
    largest = max(float(np.abs(finite).max()), float(np.finfo(np.float32).tiny))
    smooth = np.asarray(
        Image.fromarray(finite / largest).resize(size, Image.Resampling.BILINEAR)
    )
    colours = matplotlib.colormaps[DIVERGING]((1 + np.clip(smooth, -1, 1)) / 2)
    colours[..., 3] = np.minimum(np.abs(smooth), 1) * 0.85
    return Image.fromarray((255 * colours).round().astype(np.uint8))

"""Explained test images -> a drawing of images beside their Grad-CAM overlays.

Pictures stay as small as they are; the reader's viewer enlarges them. An image shows
its pixels, a map is smoothed from the layer's grid (bilinear, after ReLU).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tessera import png
from tessera.evaluation.outcomes import read
from tessera.phrases import plural
from tessera.record import Record
from tessera.report import confidence, shown
from tessera.report.drawing import Drawing
from tessera.report.load import Explained, Study, explained
from tessera.report.templates import render
from tessera.report.words import short

SHOWN_CLASSES = 20
"""Classes that are shown; of more, those with the lowest recall."""
SHOWN_PER_KIND = 2
"""Correct and wrong examples of a class that are shown, of each."""
_LETTERS = 30
"""Of class and answer that there is room for in one line below a picture."""
_LARGEST = 96
"""Pixels that a picture keeps at most, along its longer side."""


@dataclass(frozen=True)
class _Row:
    """A correct and a wrong example of a class; None: there is none, or no further."""

    pair: tuple[int | None, int | None]
    first: bool
    """Of its class."""


def galleries(study: Study) -> tuple[Drawing, ...]:
    """Draw the explained images of every shown cell's first seed."""
    drawn = []
    wanted = shown.cells(study.record)
    for cell in study.record.cells:
        key = cell.model, cell.regime
        run = study.folders[*key, cell.seeds[0]]
        found = explained(run.heatmaps) if key in wanted else None
        if found is not None:
            found = confidence.calibrated(found, cell, read(run))
            drawn.append(_gallery(study.cells[key][0], found))
    return tuple(drawn)


def _gallery(run: Record, found: Explained) -> Drawing:
    model, regime = run.model, run.regime
    names = [c.name for c in run.scores.per_class]
    classes = hardest(run)
    rows = _rows(found, classes)
    middle = -(-len(rows) // 2)
    shown = [i for row in rows for i in row.pair if i is not None]
    blank = sum(bool(found.reasons[i]) for i in shown)
    tested = sum(c.support > 0 for c in run.scores.per_class)
    return Drawing(
        key=f"gradcam-{model}--{regime}",
        title=f"{model}, {regime}",
        caption=f"Seed {run.seed}; {found.method} on the layer {found.layer}, a grid "
        f"of {found.raw.shape[1]} by {found.raw.shape[2]} cells, for the predicted "
        "class's logit. Brighter means more evidence for that class; every map is "
        "scaled to its own maximum, so brightness does not compare between images. "
        "Below stand the true class and what the model said. "
        f"Percentages are {confidence.words(found.temperature)}."
        + (f" {blank} shown without a map, with the reason." if blank else "")
        + (
            f" Shown are the {len(classes)} classes with the lowest recall."
            if len(classes) < tested
            else ""
        )
        + "".join(f" {caution}" for caution in found.cautions),
        alternative=f"{_pictured(found, shown)} by {model} ({regime}), "
        f"each beside its {found.method} map.",
        svg=_svg(found, rows, names),
        parts=tuple(
            _svg(found, half, names) for half in (rows[:middle], rows[middle:])
        ),
        images=True,
    )


def _pictured(found: Explained, shown: Sequence[int]) -> str:
    """How many images, of how many classes, and how many of them are answered well."""
    right = sum(bool(found.labels[i] == found.predicted[i]) for i in shown)
    classes = len({int(found.labels[i]) for i in shown})
    return (
        f"{plural(len(shown), 'test image')} of {classes} "
        f"{'class' if classes == 1 else 'classes'}, {right} answered correctly and "
        f"{len(shown) - right} wrongly"
    )


def hardest(run: Record, most: int = SHOWN_CLASSES) -> list[int]:
    """The classes to show, in their order: all, or those with the lowest recall."""
    per_class = run.scores.per_class
    tested = [i for i, c in enumerate(per_class) if c.support]
    ranked = sorted(tested, key=lambda i: per_class[i].recall)
    return sorted(ranked[:most])


def _rows(found: Explained, classes: Sequence[int]) -> list[_Row]:
    """Pairs of (correct, wrong) examples, class by class."""
    right = found.labels == found.predicted
    rows: list[_Row] = []
    for label in classes:
        mine = found.labels == label
        pair = [
            np.flatnonzero(mine & kind)[:SHOWN_PER_KIND] for kind in (right, ~right)
        ]
        for i in range(max(len(side) for side in pair)):
            correct, wrong = (int(s[i]) if i < len(s) else None for s in pair)
            rows.append(_Row((correct, wrong), first=not i))
    return rows


def _svg(found: Explained, rows: Sequence[_Row], names: Sequence[str]) -> str:
    examples = [[_example(found, i, names) for i in row.pair] for row in rows]
    two_lines = any(
        len(e["true"]) + len(e["said"]) > _LETTERS for row in examples for e in row if e
    )
    return render(
        "gallery.svg",
        rows=examples,
        absent=["none" if row.first else "no other" for row in rows],
        two_lines=two_lines,
        pitch=142 if two_lines else 128,
    )


def _example(
    found: Explained, i: int | None, names: Sequence[str]
) -> dict[str, str] | None:
    if i is None:
        return None
    true, said = (short(names[of[i]]) for of in (found.labels, found.predicted))
    image = thumbnail(found.images[i])
    same = found.labels[i] == found.predicted[i]
    sure = f"{100 * found.probabilities[i]:.0f} %"
    return {
        "image": uri(image),
        "overlay": "" if found.reasons[i] else uri(overlay(found.raw[i], image.size)),
        "true": true,
        "said": f"said so, {sure}" if same else f"said {said}, {sure}",
        "reason": found.reasons[i],
    }


def thumbnail(image: NDArray[np.uint8]) -> Image.Image:
    """A picture of at most 96 pixels a side, uint8 [H, W, C] with C 1 or 3."""
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if max(picture.size) > _LARGEST:
        picture.thumbnail((_LARGEST, _LARGEST), Image.Resampling.LANCZOS)
    return picture


def overlay(
    raw: NDArray[np.float32], size: tuple[int, int], *, top: float | None = None
) -> Image.Image:
    """A map's positive part over its maximum, enlarged, coloured and see-through.

    Args:
        raw: Signed map, float [h, w].
        size: Width and height in pixels.
        top: What counts as the maximum; None: the map's own.

    Returns:
        An RGBA picture; its opacity rises with the evidence, from 45 % without any to
        70 % at the maximum.
    """
    positive = np.maximum(raw, 0)
    largest = float(positive.max()) if top is None else top
    shares = positive / max(largest, np.finfo(np.float32).tiny)
    smooth = Image.fromarray(shares.astype(np.float32)).resize(
        size, Image.Resampling.BILINEAR
    )
    strength = np.asarray(smooth)
    colours = matplotlib.colormaps["inferno"](strength)
    colours[..., 3] = 0.45 + 0.25 * strength
    return Image.fromarray((255 * colours).round().astype(np.uint8))


def uri(picture: Image.Image) -> str:
    """The picture as a PNG inside an address."""
    return png.url(png.encoded(np.asarray(picture), small=True))

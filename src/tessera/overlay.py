"""A raw map and its image -> RGB pixels to look at; NumPy, Pillow and a colour table.

The display map is ReLU, then division by its maximum. No min-max scaling: that would
invent contrast in a flat map and paint evidence against a class as weak evidence for
it. Colours are looked up after enlarging, since colours must not be interpolated.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels: TypeAlias = NDArray[np.uint8]
"""RGB, uint8 [H, W, 3]."""

Values: TypeAlias = NDArray[np.float32]
"""Positive evidence relative to the map's maximum, 0..1, float32 [h, w]."""

COLOURS = "inferno"
"""Even in lightness, and read the same with any colour vision."""


def display(raw: NDArray[Any]) -> Values:
    """ReLU, then division by the maximum; a blank map is all zeros.

    Args:
        raw: One signed map, float [h, w]; not finite: shown as zeros, which
            `blank.reasons` explains.
    """
    if not np.isfinite(raw).all():
        return np.zeros(raw.shape, np.float32)
    positive: Values = np.maximum(raw, 0).astype(np.float32)
    largest = max(positive.max(), np.finfo(np.float32).smallest_subnormal)
    relative: Values = positive / largest
    return relative


def smooth(values: Values, height: int, width: int) -> Values:
    """Enlarge to height x width: bilinear, half-pixel centres, edges held.

    Bilinear never leaves the range of its input; bicubic would overshoot.
    """
    enlarged = Image.fromarray(values).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    clipped: Values = np.clip(np.asarray(enlarged), 0, 1)
    return clipped


def colour(values: Values, *, colours: str = COLOURS) -> Pixels:
    """Look up colours for 0..1 in one of matplotlib's tables."""
    import matplotlib

    rgba = matplotlib.colormaps[colours](values, bytes=True)
    return np.ascontiguousarray(rgba[..., :3])


def magnified(image: NDArray[np.uint8], side: int) -> int:
    """How many times an image is enlarged for its longer side to reach `side`."""
    longer = int(max(image.shape[:2]))
    return max(1, -(-side // longer))


def enlarge(image: NDArray[np.uint8], *, magnification: int = 8) -> Pixels:
    """Every pixel as a square of magnification x magnification; grey becomes RGB.

    Args:
        image: uint8 [H, W, 3] or [H, W, 1].
        magnification: At least 1.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3):
        raise ValueError(
            "image: expected uint8 [H, W, 3] or [H, W, 1]. "
            f"Received: {image.dtype} {list(image.shape)}."
        )
    rgb = np.broadcast_to(image, (*image.shape[:2], 3))
    return rgb.repeat(magnification, axis=0).repeat(magnification, axis=1)


def cells(
    raw: NDArray[Any], height: int, width: int, *, colours: str = COLOURS
) -> Pixels:
    """The map as it was computed: hard-edged cells, uint8 [height, width, 3]."""
    return blocks(display(raw), height, width, colours=colours)


def blocks(values: Values, height: int, width: int, *, colours: str) -> Pixels:
    """Coloured values 0..1, each an evenly filled block, uint8 [height, width, 3]."""
    native = Image.fromarray(colour(values, colours=colours))
    return np.asarray(native.resize((width, height), Image.Resampling.NEAREST))


def overlay(
    image: NDArray[np.uint8],
    raw: NDArray[Any],
    *,
    magnification: int = 8,
    strength: float = 0.7,
    colours: str = COLOURS,
) -> Pixels:
    """The smooth map over its image; opacity grows with the evidence.

    Where there is no positive evidence the image is untouched.

    Args:
        image: uint8 [H, W, 3] or [H, W, 1].
        raw: Its signed map, float [h, w].
        magnification: How many times the image is enlarged, a whole number.
        strength: Opacity of the largest value, 0..1.
        colours: Name of a matplotlib colour table.

    Returns:
        RGB, uint8 [H * magnification, W * magnification, 3].
    """
    below = enlarge(image, magnification=magnification)
    values = smooth(display(raw), *below.shape[:2])
    alpha = (strength * values)[..., None]
    mixed = (1 - alpha) * below + alpha * colour(values, colours=colours)
    return mixed.round().astype(np.uint8)

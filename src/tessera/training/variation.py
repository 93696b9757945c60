"""Images turned, zoomed and recoloured, each by amounts of its own.

What happens to an image is a row of whole numbers, and so is everything that is done
with it: NumPy and JAX give the same bytes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera import remedies
from tessera.arrays import Counts, Images
from tessera.experiment import Training

VARIATION_STREAM = 7
"""Of seeds, see `order`."""

DRAWS = 5
"""Uniform numbers an image: turn, zoom, contrast, saturation, brightness."""

PLACES = 16
"""Binary places of a position, in pixels."""
SHADES = 12
"""Binary places of a factor on a colour."""

MOST = (180.0, 1.0, 1.0)
"""Degrees, zoom and colour that an image is given at most."""

AT_ONCE = 32
"""Images changed at a time, so that what lies between fits a core's cache."""


def draws(size: int, *, seed: int, epoch: int, again: int = 0) -> NDArray[np.float64]:
    """Uniform numbers in -1..1 for each image of the dataset, [size, DRAWS].

    Row i depends on (seed, epoch, i, again) alone, as those of `order.draws` do.

    Args:
        size: Training images in the dataset, before any profile.
        seed: The run's.
        epoch: Counted from 0.
        again: How often the image has come before in this epoch.
    """
    rng = np.random.default_rng([VARIATION_STREAM, seed, epoch, again])
    return rng.uniform(-1, 1, (size, DRAWS))


def ranges(
    training: Training, more: remedies.Variation | None, counts: Counts
) -> NDArray[np.float64]:
    """How far images of each class vary, [K, 3]: degrees, zoom and colour.

    Args:
        training: Says how far all images do.
        more: How far those of rarer classes do besides, times 1 - n_c / n_max.
        counts: Images per class that the optimiser sees, int64 [K].
    """
    common = np.array([training.rotation, training.zoom, training.colour])
    if more is None:
        return np.tile(common, (len(counts), 1))
    rarity = 1 - np.asarray(counts, np.float64) / np.max(counts)
    extra = np.array([more.rotation, more.zoom, more.colour])
    reach: NDArray[np.float64] = np.minimum(common + rarity[:, None] * extra, MOST)
    return reach


def changes(
    uniform: NDArray[np.float64], reach: NDArray[np.float64], channels: int
) -> NDArray[np.int32]:
    """Draws -> what is done to each image, as whole numbers.

    Args:
        uniform: In -1..1, [N, DRAWS].
        reach: The range of each image, [N, 3], see `ranges`.
        channels: C, of the images.

    Returns:
        int32 [N, 4 + C C + C]: where rows and columns of the result come from, then
        the factors between channels, then what is added to each.
    """
    turn, zoom = np.deg2rad(uniform[:, 0] * reach[:, 0]), 1 + reach[:, 1]
    scale = zoom ** uniform[:, 1] * 2 ** (PLACES - 1)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    places = np.stack([cosine, -sine, sine, cosine], axis=1)
    shades = _shades(uniform[:, 2:] * reach[:, 2:], channels) * 2**SHADES
    rows = np.concatenate([places, shades], axis=1)
    whole: NDArray[np.int32] = np.rint(rows).astype(np.int32)
    return whole


def _shades(amounts: NDArray[np.float64], channels: int) -> NDArray[np.float64]:
    """Colours as a matrix and an offset, [N, C C + C]; no change is (1, 0).

    Contrast stretches about mid-grey, saturation about the mean of the channels.
    """
    contrast, saturation = 1 + amounts[:, 0], 1 + amounts[:, 1]
    mean = np.full((channels, channels), 1 / channels)
    own = np.eye(channels) - mean
    factors = contrast[:, None, None] * (mean + saturation[:, None, None] * own)
    offset = 127.5 * (1 - contrast + amounts[:, 2])
    offsets = np.tile(offset[:, None], (1, channels))
    return np.concatenate([factors.reshape(len(amounts), -1), offsets], axis=1)


def applied(images: Images, rows: NDArray[np.int32]) -> Images:
    """What `varied` gives, some images at a time, and none that stay as they are."""
    none = changes(np.zeros((1, DRAWS)), np.zeros((1, 3)), images.shape[-1])
    moved = np.flatnonzero((rows != none).any(axis=1))
    found = images.copy()
    for start in range(0, len(moved), AT_ONCE):
        some = moved[start : start + AT_ONCE]
        found[some] = varied(images[some], rows[some])
    return found


def varied(images: Any, rows: Any) -> Any:
    """Images as their changes make them; edges are repeated where they are left.

    Args:
        images: uint8 [N, H, W, C], of NumPy or JAX.
        rows: Of `changes`, int32 [N, 4 + C C + C], of the same.

    Returns:
        uint8 [N, H, W, C].
    """
    xp, (count, *size, channels) = images.__array_namespace__(), images.shape
    pixels = _moved(xp, images, rows[:, :4])  # [N, C, H W]
    factors = rows[:, 4:-channels].reshape(count, channels, channels)
    added = rows[:, -channels:, None] + 2 ** (SHADES - 1)
    shades = (xp.matmul(factors, pixels) + added) >> SHADES
    planes = xp.clip(shades, 0, 255).astype(xp.uint8)
    return xp.moveaxis(planes, 1, 2).reshape(count, *size, channels)


def _moved(xp: Any, images: Any, places: Any) -> Any:
    """Each pixel from where its row says, between four, int32 [N, C, H W]."""
    count, height, width, channels = images.shape
    # Twice the distance from the centre, so that it is whole.
    down = 2 * xp.arange(height, dtype=xp.int32)[:, None] - (height - 1)
    right = 2 * xp.arange(width, dtype=xp.int32) - (width - 1)
    turns = places[:, :, None, None]
    rows = turns[:, 0] * down + turns[:, 1] * right
    columns = turns[:, 2] * down + turns[:, 3] * right
    top, bottom, low = _between(xp, rows, height)
    left, right, near = _between(xp, columns, width)
    flat = images.reshape(-1, channels)
    first = xp.arange(count, dtype=xp.int32)[:, None, None] * height

    def at(row: Any, column: Any) -> Any:
        chosen = ((first + row) * width + column).reshape(-1)
        found = xp.take(flat, chosen, axis=0).reshape(count, -1, channels)
        return xp.moveaxis(found, -1, 1).astype(xp.int32)

    above = at(top, left) * (256 - near) + at(top, right) * near
    below = at(bottom, left) * (256 - near) + at(bottom, right) * near
    return (above * (256 - low) + below * low + 2**15) >> 16


def _between(xp: Any, places: Any, length: int) -> tuple[Any, Any, Any]:
    """The pixels on either side of each position, and the second's share of 256."""
    middle = (length - 1) << (PLACES - 1)
    inside = xp.clip(places + middle, 0, (length - 1) << PLACES)
    before = inside >> PLACES
    after = xp.minimum(before + 1, length - 1)
    share = (inside - (before << PLACES)) >> (PLACES - 8)
    return before, after, share.reshape(len(places), 1, -1)

"""(seed, epoch, index) -> which image comes when, and how it is flipped and cropped.

Keras is never asked to shuffle or augment: its seeded shuffle repeats one order every
epoch (3.15), and its RandomCrop draws one offset for a whole batch.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Counts, Images, Indices, Labels
from tessera.experiment import Fill, Training

# Each use of a seed has a stream of its own, so that no two share random numbers.
ORDER_STREAM = 1
AUGMENTATION_STREAM = 2
SAMPLING_STREAM = 3
SIDES_STREAM = 5
CUTOUT_STREAM = 6
# 7: `variation`

Number = TypeVar("Number", bound=np.generic)

GREY = 128
"""Of a square that is cut out: stands for the mean, which the paper fills with."""


def order(size: int, *, seed: int, epoch: int) -> Indices:
    """A permutation of 0..size-1, int64 [size]: another for every seed and epoch."""
    return np.random.default_rng([ORDER_STREAM, seed, epoch]).permutation(size)


def sampled(labels: Labels, draws: Counts, *, seed: int, epoch: int) -> Indices:
    """Positions in `labels` that hold each class as often as asked, in random order.

    Within a class no image comes again before all others have come: a class of 3
    images drawn 7 times gives each of them 2 or 3 times. Images are drawn by
    position and never copied.

    Args:
        labels: Of the images to draw from, int32 [N].
        draws: How many of each class, int64 [K]; 0 for a class without images.
        seed: The run's.
        epoch: Counted from 0.

    Returns:
        Positions, int64 [sum of draws].
    """
    rng = np.random.default_rng([SAMPLING_STREAM, seed, epoch])
    parts = [
        _rounds(np.flatnonzero(labels == label), int(wanted), rng)
        for label, wanted in enumerate(draws)
    ]
    return rng.permutation(np.concatenate(parts))


def _rounds(positions: Indices, wanted: int, rng: np.random.Generator) -> Indices:
    """`wanted` of the positions: whole permutations of them, the last one cut."""
    rounds = -(-wanted // len(positions)) if wanted else 0
    drawn = [rng.permutation(positions) for _ in range(rounds)]
    empty = np.empty(0, np.int64)
    return np.concatenate([empty, *drawn])[:wanted]


def occurrences(indices: Indices) -> Indices:
    """How often each entry has come before in the array, int64 [N]."""
    by_value = np.argsort(indices, kind="stable")
    ordered = indices[by_value]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    places = np.arange(len(ordered)) - np.repeat(starts, lengths)
    earlier = np.empty(len(indices), np.int64)
    earlier[by_value] = places
    return earlier


def draws(
    size: int, training: Training, *, seed: int, epoch: int, again: int = 0
) -> Indices:
    """What happens to each image of the dataset in one epoch.

    Row i depends on (seed, epoch, i, again) alone: neither on `size`, nor on which
    other images a regime keeps. Regimes compared under one seed see the same
    augmentation.

    Args:
        size: Training images in the dataset, before any profile.
        training: Says whether to flip and how far to crop.
        seed: The run's.
        epoch: Counted from 0.
        again: How often the image has come before in this epoch.

    Returns:
        int64 [size, 3]: row offset, column offset (0..2 * padding) and flip (0 or 1).
    """
    key = [AUGMENTATION_STREAM, seed, epoch, *([again] if again else [])]
    uniform = np.random.default_rng(key).random((size, 3))
    shifts = 2 * training.crop_padding + 1
    sides = 2 if training.flip else 1
    rows = np.floor(uniform * [shifts, shifts, sides]).astype(np.int64)
    if training.flip and training.alternating_flip:
        rows[:, 2] = (first_sides(size, seed=seed) + epoch + again) % 2
    return rows


def first_sides(size: int, *, seed: int) -> Indices:
    """Which images the first epoch flips when flips alternate, 0 or 1, int64 [size].

    Any two epochs in a row then show both sides of every image (Jordan 2024,
    arXiv:2404.00498), and so do two showings in one epoch.
    """
    return np.random.default_rng([SIDES_STREAM, seed]).integers(2, size=size)


def draws_for(
    indices: Indices, size: int, training: Training, *, seed: int, epoch: int
) -> Indices:
    """The draws of each entry of an epoch, int64 [N, 3]; repeats get new ones."""
    key = {"seed": seed, "epoch": epoch}
    return showings(indices, lambda n: draws(size, training, **key, again=n))


def showings(
    indices: Indices, table: Callable[[int], NDArray[Number]]
) -> NDArray[Number]:
    """The row of each entry, from another table each time an image comes again.

    Args:
        indices: Images in the order in which an epoch shows them, [N].
        table: How often an image has come before -> a row for each of the dataset.

    Returns:
        Rows [N, ...].
    """
    earlier = occurrences(indices)
    rows = table(0)[indices]
    for again in range(1, int(earlier.max(initial=0)) + 1):
        chosen = earlier == again
        rows[chosen] = table(again)[indices[chosen]]
    return rows


def augment(
    images: Images, rows: Indices, *, padding: int, fill: Fill = "black"
) -> Images:
    """Crop padded images at their own offsets, and flip the chosen ones.

    Args:
        images: uint8 [N, H, W, C].
        rows: The draws of these images, int64 [N, 3].
        padding: Pixels added on every side.
        fill: What they hold: zeros, or the image mirrored at its edge.

    Returns:
        uint8 [N, H, W, C].
    """
    height, width = images.shape[1:3]
    edge = (padding, padding)
    mode: Literal["constant", "reflect"] = "constant" if fill == "black" else "reflect"
    padded = np.pad(images, ((0, 0), edge, edge, (0, 0)), mode=mode)
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (height, width), axis=(1, 2)
    )  # [N, 2p+1, 2p+1, C, H, W]
    crops = windows[np.arange(len(images)), rows[:, 0], rows[:, 1]]
    crops = np.ascontiguousarray(np.moveaxis(crops, 1, -1))
    flipped = rows[:, 2] == 1
    crops[flipped] = crops[flipped, :, ::-1]
    return crops


def holes(
    count: int, size: tuple[int, int], side: int, *, seed: int, epoch: int, batch: int
) -> Indices:
    """Where a square is cut out of each image of a batch, int64 [B, 2].

    Its centre is uniform over the image; what sticks out is lost (DeVries and Taylor
    2017, arXiv:1708.04552).

    Args:
        count: Images in the batch.
        size: Their height and width.
        side: Of the square, in pixels.
        seed: The run's.
        epoch: Counted from 0.
        batch: Counted from 0 within the epoch.

    Returns:
        First row and first column of each square, outside the image perhaps.
    """
    rng = np.random.default_rng([CUTOUT_STREAM, seed, epoch, batch])
    return rng.integers(size, size=(count, 2)) - side // 2


def cut(images: Images, first: Indices, side: int) -> Images:
    """Images with a grey square each.

    Args:
        images: uint8 [B, H, W, C].
        first: First row and column of each square, int64 [B, 2].
        side: Of the squares, in pixels.
    """
    height, width = images.shape[1:3]
    down = np.arange(height) - first[:, :1]
    right = np.arange(width) - first[:, 1:]
    inside = ((down >= 0) & (down < side))[:, :, None] & (
        (right >= 0) & (right < side)
    )[:, None, :]
    return np.where(inside[..., None], np.uint8(GREY), images)

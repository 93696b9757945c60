"""Labelled images -> 2x2 mosaics of four classes, in which the cause's tile is known.

The grid pointing game of Böhle et al. 2021 (CVPR, arXiv:2104.00032), with tiles of half
the size so that any model can read the mosaic. A map of chance puts a quarter of its
energy into the tile of the class it explains.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images, Indices, Labels
from tessera.explain.faithfulness.ranking import Masks

TILES = 4
CHANCE = 1 / TILES


@dataclass(frozen=True, eq=False)
class Located:
    """Images in which the place of the evidence for a class is known."""

    images: NDArray[np.float32]
    """Pixels 0..255, float32 [N, H, W, C]."""
    targets: Labels
    """The class to explain, int32 [N]."""
    regions: Masks
    """Where its evidence lies, bool [N, H, W]."""
    together: Indices | None = None
    """Which entries share pictures, a number for each, int64 [N]; None: none do."""


def mosaics(images: Images, labels: Labels, *, count: int, seed: int) -> Located | None:
    """Draw mosaics of four different classes; each is explained for each of the four.

    No image is in two of them, so that mosaics are independent of one another.

    Args:
        images: Candidates, say those the model answers rightly, uint8 [N, H, W, C].
        labels: Their classes, int [N].
        count: Mosaics at most; the result has four entries for each.
        seed: Decides which images meet, and where.

    Returns:
        The mosaics, or None where fewer than four classes have images.
    """
    fours = _fours(labels, count, np.random.default_rng(seed))
    if not len(fours):
        return None
    places = tile_masks(*images.shape[1:3])
    pictures = np.stack([compose(images[four]) for four in fours])
    return Located(
        np.repeat(pictures, TILES, axis=0),
        labels[fours].ravel().astype(np.int32),
        np.tile(places, (len(fours), 1, 1)),
        np.repeat(np.arange(len(fours)), TILES),
    )


def _fours(labels: Labels, count: int, rng: np.random.Generator) -> Indices:
    """Positions of four images of different classes each, int64 [<= count, 4].

    Classes are drawn alike, until fewer than four have images left.
    """
    left = {
        int(k): list(rng.permutation(np.flatnonzero(labels == k)))
        for k in np.unique(labels)
    }
    fours: list[list[int]] = []
    while len(fours) < count and len(left) >= TILES:
        classes = rng.choice(list(left), TILES, replace=False)
        fours.append([left[k].pop() for k in classes])
        left = {k: rest for k, rest in left.items() if rest}
    return np.array(fours, np.int64).reshape(-1, TILES)


def compose(four: Images) -> NDArray[np.float32]:
    """Four images as one of the same size: upper left, upper right, lower left, right.

    Each is halved by the mean of 2 x 2 pixels; an odd last row or column is repeated.
    """
    height, width = four.shape[1:3]
    padded = np.pad(
        four.astype(np.float32),
        [(0, 0), (0, height % 2), (0, width % 2), (0, 0)],
        "edge",
    )
    rows, columns = padded.shape[1] // 2, padded.shape[2] // 2
    halves = padded.reshape(TILES, rows, 2, columns, 2, -1).mean(axis=(2, 4))
    upper = np.concatenate([halves[0], halves[1]], axis=1)
    lower = np.concatenate([halves[2], halves[3]], axis=1)
    return np.concatenate([upper, lower], axis=0)[:height, :width]


def tile_masks(height: int, width: int) -> Masks:
    """The four tiles in the order of `compose`, bool [4, H, W]."""
    below = np.arange(height) >= (height + 1) // 2
    right = np.arange(width) >= (width + 1) // 2
    return np.stack(
        [
            np.logical_and.outer(below == lower, right == far)
            for lower in (False, True)
            for far in (False, True)
        ]
    )

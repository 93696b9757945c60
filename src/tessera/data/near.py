"""Pictures that are nearly the same: compressed, resized or retouched copies."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images, Indices

Pixels: TypeAlias = NDArray[np.float32]

ALIKE = 0.97
"""Correlation of the pixels from which two pictures count as one. Chosen by looking at
CIFAR-10 (JPEG re-encoding): every pair that is so alike shows one photograph; from 0.95
on some show two ships on two seas."""

ROUGHLY = 0.96
"""The same of 8 x 8 means, below which the pixels are not compared."""

SIDE = 8
AT_ONCE = 256
"""Images compared with all others in one product: 50 MB for 50,000 others."""

FLAT = 1.0
"""Standard deviation, in grey levels, up to which a picture shows nothing."""


def pairs(
    images: Images, some: Indices, others: Indices, known: Images | None = None
) -> list[tuple[int, int]]:
    """Each picture of a set with its likest of another, where they are nearly the same.

    Two pictures are compared by Pearson's correlation of their pixels, each colour
    centred for itself, so that brightness, contrast and tint do not matter.

    Args:
        images: uint8 [N, H, W, C].
        some: Positions of the first set.
        others: Positions of the second, at least one, disjoint from the first unless
            it is of other images.
        known: The images that the second is of; None: `images` as well.

    Returns:
        (a position of `some`, one of `others`), in the order of the first.
    """
    known = images if known is None else known
    rough = _rough(known, others)
    found: list[tuple[int, int]] = []
    for chunk in _chunks(some):
        alike = _rough(images, chunk) @ rough.T
        likest = others[alike.argmax(axis=1)]
        near = alike.max(axis=1) >= ROUGHLY
        found += zip(chunk[near].tolist(), likest[near].tolist(), strict=True)
    return [
        (one, other)
        for one, other in found
        if correlation(images[one], known[other]) >= ALIKE
    ]


def correlation(one: Images, other: Images) -> float:
    """Of two pictures [H, W, C], -1 to 1; 0 where one of them is flat."""
    first, second = _unit(np.stack([one, other]).astype(np.float32))
    return float(first @ second)


def _chunks(positions: Indices) -> Iterator[Indices]:
    for start in range(0, len(positions), AT_ONCE):
        yield positions[start : start + AT_ONCE]


def _rough(images: Images, positions: Indices) -> Pixels:
    """Means over a grid of 8 x 8 cells, as unit vectors [N, 64 C]."""
    _, height, width, channels = images.shape
    rows, columns = (np.arange(SIDE) * side // SIDE for side in (height, width))
    found = [np.zeros((0, SIDE * SIDE * channels), np.float32)]
    for chunk in _chunks(positions):
        sums = np.add.reduceat(images[chunk], rows, axis=1, dtype=np.float32)
        sums = np.add.reduceat(sums, columns, axis=2)
        sizes = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
        found.append(_unit((sums / sizes[..., None]).astype(np.float32)))
    return np.concatenate(found)


def _unit(pixels: Pixels) -> Pixels:
    """Each picture as a vector of length 1, colours centred; zeros where flat."""
    centred = pixels - pixels.mean(axis=(1, 2), keepdims=True)
    vectors = centred.reshape(len(pixels), -1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    seen = lengths > FLAT * np.sqrt(vectors.shape[1])
    return np.where(seen, vectors / np.maximum(lengths, 1e-9), 0.0).astype(np.float32)

"""Batches of augmented images -> mixed images with two labels and a share each.

Every draw comes from a generator that is a pure function of (seed, epoch, batch). A
batch has one share and, where boxes are cut, one box, as in the papers' own code.
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from tessera import remedies
from tessera.arrays import Counts, Images, Indices, Labels

MIXING_STREAM = 4

Box = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""
NOWHERE: Box = (0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Mix:
    """How each image of a batch is mixed with another one."""

    share: float
    """Of the first image's pixels, outside the box."""
    box: Box
    """Where the other image lies over it."""
    labels: NDArray[np.float64]
    """The first label's share of the target, [B]."""


def generator(*, seed: int, epoch: int, batch: int) -> np.random.Generator:
    """The random numbers of one batch."""
    return np.random.default_rng([MIXING_STREAM, seed, epoch, batch])


def pasted(
    labels: Labels,
    counts: Counts,
    size: int,
    power: float,
    rng: np.random.Generator,
) -> Indices:
    """Positions of `size` images, each drawn with a weight of n_c^-power of its class.

    With power 1 every class is pasted equally often. Park et al. 2022,
    arXiv:2112.00412, as its code weighs images.
    """
    weights = np.asarray(counts, np.float64)[labels] ** -power
    return rng.choice(len(labels), size=size, p=weights / weights.sum())


def mix(
    mixing: remedies.Mixing,
    labels: Labels,
    others: Labels,
    counts: Counts,
    size: tuple[int, int],
    rng: np.random.Generator,
) -> Mix:
    """Draw how a batch is mixed with as many other images.

    Args:
        mixing: The remedy.
        labels: Of the batch, int32 [B].
        others: Of the other images, int32 [B].
        counts: Images per class that the optimiser sees, int64 [K].
        size: Height and width of the images.
        rng: Of this batch.
    """
    share = rng.beta(mixing.alpha, mixing.alpha)
    match mixing:
        case remedies.Mixup():
            return Mix(share, NOWHERE, np.full(len(labels), share))
        case remedies.Remix():
            sizes = counts[labels] / counts[others]
            shares = leaning(share, sizes, mixing.kappa, mixing.threshold)
            return Mix(share, NOWHERE, shares)
        case remedies.CutMix() | remedies.TailOnHead():
            place = box(size, share, rng)
            return Mix(1.0, place, np.full(len(labels), 1 - covered(place, size)))
        case _:
            assert_never(mixing)


def unmixed(size: int) -> Mix:
    """A batch of `size` images left as it is."""
    return Mix(1.0, NOWHERE, np.ones(size))


def mixed(mix: Mix, images: Images, others: Images) -> NDArray[np.float32]:
    """The pixels of a mixed batch, float32 [B, H, W, C] in 0..255.

    Args:
        mix: How.
        images: uint8 [B, H, W, C].
        others: As many.
    """
    pixels = images.astype(np.float32)
    if mix.share < 1:
        pixels = blend(pixels, others.astype(np.float32), mix.share)
    top, bottom, left, right = mix.box
    pixels[:, top:bottom, left:right] = others[:, top:bottom, left:right]
    return pixels


def targets(mix: Mix, labels: Labels, others: Labels) -> NDArray[np.float32]:
    """Both labels and the first one's share, float32 [B, 3]."""
    return np.stack([labels, others, mix.labels], axis=1).astype(np.float32)


def blend(
    first: NDArray[np.float32], second: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """Blended as share x first + (1 - share) x second (Zhang et al. 2018)."""
    blended: NDArray[np.float32] = np.float32(share) * first
    blended += np.float32(1 - share) * second
    return blended


def leaning(
    share: float, sizes: NDArray[np.float64], kappa: float, threshold: float
) -> NDArray[np.float64]:
    """Remix's share of the first label, [B], from the ratio n_first / n_second.

    0 where the first class is at least kappa times the second and has under
    `threshold` of the image; 1 the other way round; else the image's own share. Chou
    et al. 2020, arXiv:2007.03943, equation 10.
    """
    shares = np.full(len(sizes), share)
    if share < threshold:
        shares[sizes >= kappa] = 0.0
    if 1 - share < threshold:
        shares[sizes * kappa <= 1] = 1.0
    return shares


def box(size: tuple[int, int], share: float, rng: np.random.Generator) -> Box:
    """Where one image is pasted over another, which keeps about `share` of its area.

    The box has sides sqrt(1 - share) of the image's and a uniform centre; what sticks
    out is cut off. Yun et al. 2019, arXiv:1905.04899.
    """
    side = np.sqrt(1 - share)
    rows, columns = (_span(length, side, rng) for length in size)
    return (*rows, *columns)


def covered(box: Box, size: tuple[int, int]) -> float:
    """The share of an image's area that a box has."""
    top, bottom, left, right = box
    height, width = size
    return (bottom - top) * (right - left) / (height * width)


def _span(length: int, side: float, rng: np.random.Generator) -> tuple[int, int]:
    centre, size = int(rng.integers(length)), int(length * side)
    start, stop = centre - size // 2, centre + size // 2
    return max(start, 0), min(stop, length)

"""Batches of augmented images -> mixed images with two labels and a share each.

Every draw comes from a generator that is a pure function of (seed, epoch, batch). A
batch has one share and, where boxes are cut, one box, as in the papers' own code.
"""

from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from tessera import remedies
from tessera.arrays import Counts, Images, Indices, Labels

MIXING_STREAM = 4

Pixels = NDArray[Any]
"""[B, H, W, C], uint8 or float32, 0..255."""


@dataclass(frozen=True, eq=False)
class Mixed:
    """A batch after mixing."""

    pixels: Pixels
    targets: NDArray[np.float32]
    """[B, 3]: the label of the first image, of the second, the first's share."""


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
    images: Images,
    labels: Labels,
    others: tuple[Images, Labels],
    counts: Counts,
    rng: np.random.Generator,
) -> Mixed:
    """Mix each image with the one at its place in `others`.

    Args:
        mixing: How.
        images: uint8 [B, H, W, C].
        labels: int32 [B].
        others: As many images and their labels.
        counts: Images per class that the optimiser sees, int64 [K].
        rng: Of this batch.

    Returns:
        The mixed batch.
    """
    share = rng.beta(mixing.alpha, mixing.alpha)
    match mixing:
        case remedies.Mixup():
            pixels = blend(images, others[0], share)
            shares = np.full(len(labels), share)
        case remedies.Remix():
            pixels = blend(images, others[0], share)
            sizes = counts[labels] / counts[others[1]]
            shares = leaning(share, sizes, mixing.kappa, mixing.threshold)
        case remedies.CutMix() | remedies.TailOnHead():
            pixels, left = paste(images, others[0], share, rng)
            shares = np.full(len(labels), left)
        case _:
            assert_never(mixing)
    targets = np.stack([labels, others[1], shares], axis=1).astype(np.float32)
    return Mixed(pixels, targets)


def unmixed(images: Images, labels: Labels) -> Mixed:
    """A batch left as it is, in the form of a mixed one."""
    targets = np.stack([labels, labels, np.ones(len(labels))], axis=1)
    return Mixed(images.astype(np.float32), targets.astype(np.float32))


def blend(images: Images, others: Images, share: float) -> NDArray[np.float32]:
    """Blended as share x images + (1 - share) x others, float32 (Zhang et al. 2018)."""
    first, second = images.astype(np.float32), others.astype(np.float32)
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


def paste(
    images: Images, others: Images, share: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], float]:
    """Paste one box of `others` into `images`; the share of `images` that is left.

    The box has sides sqrt(1 - share) of the image's and a uniform centre; what sticks
    out is cut off, and the share counted anew. Yun et al. 2019, arXiv:1905.04899.
    """
    height, width = images.shape[1:3]
    side = np.sqrt(1 - share)
    top, bottom = _span(height, side, rng)
    left, right = _span(width, side, rng)
    pixels = images.astype(np.float32)
    pixels[:, top:bottom, left:right] = others[:, top:bottom, left:right]
    covered = (bottom - top) * (right - left) / (height * width)
    return pixels, 1 - covered


def _span(length: int, side: float, rng: np.random.Generator) -> tuple[int, int]:
    centre, size = int(rng.integers(length)), int(length * side)
    start, stop = centre - size // 2, centre + size // 2
    return max(start, 0), min(stop, length)

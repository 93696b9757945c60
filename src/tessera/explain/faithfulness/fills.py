"""What stands where pixels were taken away."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tessera.arrays import Images

Pixels: TypeAlias = NDArray[np.float32]
"""Images in 0..255, float32 [N, H, W, C]."""

BLUR = 1 / 8
"""Deviation of the heavy blur, as a share of the image's height."""


def mean_colour(images: Images, *, most: int = 10_000) -> NDArray[np.float32]:
    """Mean of every channel over the training images, float32 [C].

    Of more than `most` every second, third, ... is taken: a folder is read class by
    class, and its first images may be of one class alone.
    """
    every = images[:: -(-len(images) // most)]
    colour: NDArray[np.float32] = every.mean(axis=(0, 1, 2), dtype=np.float64)
    return colour.astype(np.float32)


def mean_fill(images: Pixels, colour: NDArray[np.float32]) -> Pixels:
    """The training mean everywhere: a grey that no class owns, but a hard edge."""
    return np.broadcast_to(colour, images.shape).astype(np.float32)


def blur_fill(images: Pixels) -> Pixels:
    """The image itself, blurred until no shape is left (Petsiuk et al. 2018).

    A Gaussian with a deviation of an eighth of the height; edges are mirrored.
    """
    deviation = BLUR * images.shape[1]
    blurred: Pixels = ndimage.gaussian_filter(
        images.astype(np.float32), (0, deviation, deviation, 0)
    )
    return blurred

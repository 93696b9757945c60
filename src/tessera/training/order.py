"""(seed, epoch, index) -> which image comes when, and how it is flipped and cropped.

Keras is never asked to shuffle or augment: its seeded shuffle repeats one order every
epoch (3.15), and its RandomCrop draws one offset for a whole batch.
"""

import numpy as np

from tessera.arrays import Images, Indices
from tessera.experiment import Training

# Each use of a seed has a stream of its own, so that no two share random numbers.
ORDER_STREAM = 1
AUGMENTATION_STREAM = 2


def order(size: int, *, seed: int, epoch: int) -> Indices:
    """A permutation of 0..size-1, int64 [size]: another for every seed and epoch."""
    return np.random.default_rng([ORDER_STREAM, seed, epoch]).permutation(size)


def draws(size: int, training: Training, *, seed: int, epoch: int) -> Indices:
    """What happens to each image of the dataset in one epoch.

    Row i depends on (seed, epoch, i) alone: neither on `size`, nor on which other
    images a regime keeps. Regimes compared under one seed see the same augmentation.

    Args:
        size: Training images in the dataset, before any profile.
        training: Says whether to flip and how far to crop.
        seed: The run's.
        epoch: Counted from 0.

    Returns:
        int64 [size, 3]: row offset, column offset (0..2 * padding) and flip (0 or 1).
    """
    rng = np.random.default_rng([AUGMENTATION_STREAM, seed, epoch])
    uniform = rng.random((size, 3))
    shifts = 2 * training.crop_padding + 1
    sides = 2 if training.flip else 1
    return np.floor(uniform * [shifts, shifts, sides]).astype(np.int64)


def augment(images: Images, rows: Indices, *, padding: int) -> Images:
    """Crop zero-padded images at their own offsets, and flip the chosen ones.

    Args:
        images: uint8 [N, H, W, C].
        rows: The draws of these images, int64 [N, 3].
        padding: Zero pixels added on every side.

    Returns:
        uint8 [N, H, W, C].
    """
    height, width = images.shape[1:3]
    edge = (padding, padding)
    padded = np.pad(images, ((0, 0), edge, edge, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (height, width), axis=(1, 2)
    )  # [N, 2p+1, 2p+1, C, H, W]
    crops = windows[np.arange(len(images)), rows[:, 0], rows[:, 1]]
    crops = np.ascontiguousarray(np.moveaxis(crops, 1, -1))
    flipped = rows[:, 2] == 1
    crops[flipped] = crops[flipped, :, ::-1]
    return crops

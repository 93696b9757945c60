"""A model and images -> logits, in inference mode."""

from typing import Any

import numpy as np

from tessera.arrays import Images, Logits

MOST = 500
PIXELS = MOST * 64 * 64
"""At most so many images, and so many pixels, in a call: a layer's output has dozens of
numbers for each pixel, and large images would fill the memory."""


def at_once(images: Images, most: int = MOST) -> int:
    """How many of these images [N, H, W, C] a call may take: 1 to `most`."""
    _, height, width, _ = images.shape
    return max(1, min(most, PIXELS // int(height * width)))


def logits(net: Any, images: Images, *, batch_size: int | None = None) -> Logits:
    """Unnormalised scores of every image, float32 [N, K].

    Args:
        net: A Keras model: raw pixels in, logits out.
        images: uint8 [N, H, W, C]; may be memory-mapped.
        batch_size: Images per call, which changes the result by rounding alone; None:
            `at_once`.
    """
    size = batch_size or at_once(images)
    parts = [
        net.predict_on_batch(images[start : start + size].astype(np.float32))
        for start in range(0, len(images), size)
    ]
    return np.concatenate(parts).astype(np.float32)

"""A model and images -> logits, in inference mode."""

from typing import Any

import numpy as np

from tessera.arrays import Images, Logits


def logits(net: Any, images: Images, *, batch_size: int = 500) -> Logits:
    """Unnormalised scores of every image, float32 [N, K].

    Args:
        net: A Keras model: raw pixels in, logits out.
        images: uint8 [N, H, W, C]; may be memory-mapped.
        batch_size: Images per call; does not change the result beyond rounding.
    """
    parts = [
        net.predict_on_batch(images[start : start + batch_size].astype(np.float32))
        for start in range(0, len(images), batch_size)
    ]
    return np.concatenate(parts).astype(np.float32)

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


def logits(net: Any, images: Images) -> Logits:
    """Unnormalised scores of every image, float32 [N, K].

    Args:
        net: A Keras model: raw pixels in, logits out.
        images: uint8 [N, H, W, C]; may be memory-mapped.
    """
    trace(net, images.shape[1:])
    size = at_once(images)
    parts = [
        net.predict_on_batch(images[start : start + size].astype(np.float32))
        for start in range(0, len(images), size)
    ]
    return np.concatenate(parts).astype(np.float32)


def trace(net: Any, shape: tuple[int, ...]) -> None:
    """Have TensorFlow trace a model once, for any number of images [N, *shape].

    By itself Keras traces it for the first number, and again when it meets another.
    """
    import keras  # whoever names the errors of a training needs none

    if keras.backend.backend() == "tensorflow" and not net.predict_function:
        import tensorflow as tf

        net.make_predict_function()
        images = tf.TensorSpec([None, *shape], tf.float32)
        net.predict_function.get_concrete_function([(images,)])

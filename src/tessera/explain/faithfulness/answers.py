"""What is asked of a model: images in, logits out; and the probability of a class."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Floats, Heatmaps, Labels, Logits
from tessera.evaluation.probabilities import of_class, softmax
from tessera.explain.gradients import padded

Predict: TypeAlias = Callable[[NDArray[Any]], Logits]
"""Images [N, H, W, C] in 0..255 -> logits float32 [N, K], in inference mode."""

Mapper: TypeAlias = Callable[[keras.Model, NDArray[Any], Labels], Heatmaps]
"""(model, images, class of each) -> signed maps on the native grid, [N, h, w]."""

Maps: TypeAlias = Callable[[NDArray[Any], Labels], Heatmaps]
"""(images, class of each) -> maps: a mapper with its model, or a control."""

BATCH = 250


def predictor(net: keras.Model, *, batch_size: int = BATCH) -> Predict:
    """A model as a function; a last batch is filled up so that one shape serves all.

    Args:
        net: Pixels 0..255 in, logits out.
        batch_size: Images per call at most; does not change the result beyond rounding.
    """

    def predict(images: NDArray[Any]) -> Logits:
        batches = -(-len(images) // batch_size)
        size = -(-len(images) // batches)  # even parts: little is filled up
        parts = []
        for start in range(0, len(images), size):
            part = images[start : start + size].astype(np.float32)
            answers = net.predict_on_batch(padded(part, size))
            parts.append(np.asarray(answers)[: len(part)])
        return np.concatenate(parts).astype(np.float32)

    return predict


def bound(mapper: Mapper, net: keras.Model) -> Maps:
    """The mapper with its model."""
    return lambda images, targets: mapper(net, images, targets)


def probability(logits: Logits, targets: Labels) -> Floats:
    """Softmax probability of each image's class, float64 [N]."""
    return of_class(softmax(logits), targets)

"""A model and images -> the model fitted to them by heart, for checks on known ground.

Not the training of a study: no validation, no augmentation, no best epoch.
"""

from typing import Any

import keras
import numpy as np

from tessera.arrays import Images, Labels
from tessera.explain.faithfulness.answers import predictor

BATCH = 64
"""Images a step; a last smaller batch is left out."""


def memorise(
    net: keras.Model,
    images: Images,
    labels: Labels,
    *,
    seed: int,
    epochs: int,
    enough: float = 0.99,
    learning_rate: float = 1e-3,
) -> float:
    """Fit by Adam until the training accuracy is `enough`; changes the model.

    Args:
        net: Pixels in, logits out.
        images: uint8 [N, H, W, C].
        labels: int [N], in whatever relation to the images.
        seed: Decides the order.
        epochs: At most; an epoch of fewer than `BATCH` still makes a step.
        enough: Training accuracy to stop at.
        learning_rate: Adam's.

    Returns:
        The training accuracy reached, in inference mode.
    """
    net.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    predict = predictor(net)
    reached = 0.0
    for epoch in range(epochs):
        for batch in _batches(len(images), (seed, epoch)):
            net.train_on_batch(images[batch].astype(np.float32), labels[batch])
        reached = float((predict(images).argmax(axis=1) == labels).mean())
        if reached >= enough:
            break
    return reached


def _batches(images: int, seed: tuple[int, int]) -> list[Any]:
    order = np.random.default_rng(seed).permutation(images)
    size = min(BATCH, images)
    return [order[s : s + size] for s in range(0, images - size + 1, size)]

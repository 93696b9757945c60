"""A model and images so small that a training on JAX is mostly its compilation."""

import functools

import keras
import numpy as np
from keras import layers

from tessera.data import source
from tessera.data.dataset import Split
from tessera.experiment import Digits
from tessera.training.batches import Material

SIZE = 8
TRAINED = 80
"""Images that a seed trains on."""


def net_of(seed: int) -> keras.Model:
    """Convolution, batch normalisation, dropout, logits of two classes."""
    initial = keras.initializers.GlorotUniform(seed)
    # A bias before normalisation has a gradient of 0 but for rounding, from which Adam
    # makes steps of full length.
    first = layers.Conv2D(4, 3, 2, use_bias=False, kernel_initializer=initial)
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(1 / 255),
            first,
            layers.BatchNormalization(momentum=0.5),
            layers.ReLU(),
            layers.Dropout(0.3, seed=seed),
            layers.Flatten(),
            layers.Dense(2, kernel_initializer=initial, name="logits"),
        ]
    )


@functools.cache
def ones_and_sevens() -> Split:
    """The digits 1 and 7, called 0 and 1."""
    digits = source.load(Digits(image_size=SIZE)).train
    chosen = np.flatnonzero(np.isin(digits.labels, [1, 7]))
    labels = (digits.labels[chosen] == 7).astype(np.int32)
    return Split(digits.images[chosen], labels)


def material(seed: int) -> Material:
    """Each seed trains on images of its own and validates on 40 others."""
    split = ones_and_sevens()
    drawn = np.random.default_rng(seed).permutation(len(split))
    held = drawn[TRAINED : TRAINED + 40]
    validation = Split(split.images[held], split.labels[held])
    return Material(split, drawn[:TRAINED], validation)

"""The reference study's CNN, and the backbone and head it shares with the hybrid.

Built from Keras' own layers alone, so a saved model opens wherever Keras runs.
"""

from typing import Any

import keras
from keras import initializers, layers

from tessera.experiment import Cnn
from tessera.models.blocks import dense, pixels, stream
from tessera.models.logits import logits_layer

SMALLEST = 4
"""Pixels a side: two poolings halve the image, rounding down."""


def cnn(
    model: Cnn,
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    seed: int,
    cosine: float | None = None,
) -> Any:
    """Conv32-ReLU-pool, Conv64-ReLU-pool, Conv128-ReLU, global average, head.

    111,050 parameters for 32 x 32 x 3 and 10 classes.

    Args:
        model: The settings.
        image_shape: (H, W, C); H and W of at least `SMALLEST`.
        classes: Number of classes K.
        seed: Decides every initial weight and every dropout mask.
        cosine: See `build.build`.

    Returns:
        A `keras.Model` from pixels [B, H, W, C] to logits [B, K].
    """
    raw, scaled = pixels(image_shape)
    features = backbone(scaled, seed=seed)
    average = layers.GlobalAveragePooling2D(name="average")(features)
    logits = head(average, classes, dropout=model.dropout, seed=seed, cosine=cosine)
    return keras.Model(raw, logits, name="cnn")


def backbone(scaled: Any, *, seed: int) -> Any:
    """Three convolutions, two poolings: [B, H, W, C] -> [B, H // 4, W // 4, 128].

    The result is the output of the layer `features`, after its ReLU. `conv1` and
    `conv2` give their maps before it.
    """
    x = _pooled(_convolution(32, "conv1", seed)(scaled), "1")
    x = _pooled(_convolution(64, "conv2", seed)(x), "2")
    return _convolution(128, "features", seed, activation="relu")(x)


def _pooled(x: Any, number: str) -> Any:
    """The maximum of 2 x 2, then the ReLU.

    The ReLU never decreases, so the order of the two changes neither the output nor any
    gradient, and after the pooling it has a quarter of the values to pass through.
    """
    x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    return layers.ReLU(name=f"relu{number}")(x)


def head(
    vector: Any, classes: int, *, dropout: float, seed: int, cosine: float | None
) -> Any:
    """The reference study's head: Dense 128, ReLU, dropout, then logits [B, K]."""
    hidden = dense(128, name="head", seed=seed, activation="relu")(vector)
    hidden = layers.Dropout(dropout, seed=stream(seed, "dropout"), name="dropout")(
        hidden
    )
    return logits_layer(classes, seed=seed, cosine=cosine)(hidden)


def _convolution(
    filters: int, name: str, seed: int, activation: str | None = None
) -> Any:
    return layers.Conv2D(
        filters,
        3,
        padding="same",
        activation=activation,
        kernel_initializer=initializers.GlorotUniform(stream(seed, name)),
        name=name,
    )

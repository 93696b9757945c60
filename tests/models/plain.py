"""The reference study's CNN and hybrid as it writes them down, layer by layer.

Convolution with its ReLU, then pooling. `build` makes models that compute the same
function with less work; the tests compare the two.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

from tessera.experiment import Cnn, Hybrid
from tessera.models.blocks import stream
from tessera.models.hybrid import patches

SHAPES = ((32, 32, 3), (28, 28, 1), (31, 45, 4))
"""A map that 2 x 2 patches tile, and two that they do not (7 x 7 and 7 x 11)."""


def cnn(model: Cnn, shape: tuple[int, int, int], classes: int) -> Any:
    raw, features = _backbone(shape)
    average = layers.GlobalAveragePooling2D()(features)
    return keras.Model(raw, _head(average, model.dropout, classes))


def hybrid(model: Hybrid, shape: tuple[int, int, int], classes: int) -> Any:
    raw, features = _backbone(shape)
    average = layers.GlobalAveragePooling2D()(features)
    tokens = layers.Dense(model.width)(patches(features, model.patch))
    mean = layers.GlobalAveragePooling1D()(tokens)
    fused = layers.Concatenate()([average, mean])
    return keras.Model(raw, _head(fused, model.dropout, classes))


def assert_same(net: Any, plain: Any, images: np.ndarray | None = None) -> None:
    """Logits, and the loss's gradient by every weight, agree to float32's rounding."""
    random = np.random.default_rng(0)
    if images is None:
        images = random.integers(0, 256, (8, *net.input.shape[1:]), dtype=np.uint8)
    labels = np.arange(len(images)) % net.output.shape[-1]
    weights = [w + random.normal(scale=0.02, size=w.shape) for w in net.get_weights()]
    for one in (net, plain):
        one.set_weights(weights)
    here, there = (keras.ops.convert_to_numpy(one(images)) for one in (net, plain))
    assert np.abs(here - there).max() < 1e-5 * np.abs(there).max()
    for a, b in zip(*(gradients(n, images, labels) for n in (net, plain)), strict=True):
        assert np.abs(b).max() > 0
        assert np.abs(a - b).max() < 1e-4 * np.abs(b).max()


def of_one_colour() -> np.ndarray:
    """Images in which every maximum is a tie."""
    colours = np.repeat(np.array([1, 255], np.uint8), 4)[:, None, None, None]
    return np.broadcast_to(colours, (8, 32, 32, 3))


def gradients(net: Any, images: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """One step of plain gradient descent at rate 1 subtracts exactly the gradient."""
    before = net.get_weights()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # TensorFlow traces a step for longer than it takes.
    eagerly = keras.backend.backend() == "tensorflow"
    net.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=eagerly)
    net.train_on_batch(images, labels)
    return [b - a for b, a in zip(before, net.get_weights(), strict=True)]


def _backbone(shape: tuple[int, int, int]) -> tuple[Any, Any]:
    raw = keras.Input(shape)
    x = layers.Rescaling(1.0 / 255.0)(raw)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    return raw, layers.Conv2D(128, 3, padding="same", activation="relu")(x)


def _head(vector: Any, dropout: float, classes: int) -> Any:
    hidden = layers.Dense(128, activation="relu")(vector)
    hidden = layers.Dropout(dropout, seed=stream(0, "dropout"))(hidden)
    return layers.Dense(classes)(hidden)

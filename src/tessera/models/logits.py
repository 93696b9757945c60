"""The last layer: a vector per image to logits, linear or as a scaled cosine.

What is done to the logits after training (a shift, a scale, other lengths of the class
vectors) is written into this layer, so that a model carries it wherever it goes.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import initializers, layers, ops
from numpy.typing import NDArray

from tessera.models.blocks import dense, stream

Kernel = NDArray[np.float32]


@keras.saving.register_keras_serializable(package="tessera")
class CosineLogits(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """z_c = gain_c scale cos(x, w_c) + shift_c, [B, D] -> [B, K].

    LDAM's head (Cao et al. 2019, arXiv:1906.07413), which has no bias. Gain and shift
    are not trained: they start at 1 and 0, and hold corrections made afterwards.

    Args:
        classes: K.
        scale: Of the cosine.
        seed: Of the class vectors' random directions.
        **more: Passed on to `keras.layers.Layer`.
    """

    def __init__(
        self, classes: int, scale: float, seed: int | None = None, **more: Any
    ) -> None:
        super().__init__(**more)
        self.classes = classes
        self.scale = scale
        self.seed = seed

    def build(self, input_shape: tuple[int | None, int]) -> None:
        """Create the class vectors [D, K] and the corrections [K]."""
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.classes),
            initializer=initializers.RandomNormal(stddev=1.0, seed=self.seed),
            name="kernel",
        )
        shape = (self.classes,)
        self.gain = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="gain"
        )
        self.shift = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="shift"
        )

    def call(self, vectors: Any) -> Any:
        """Logits [B, K] of vectors [B, D]."""
        cosine = ops.matmul(unit(vectors, axis=1), unit(self.kernel, axis=0))
        return self.gain * self.scale * cosine + self.shift

    def compute_output_shape(
        self, input_shape: tuple[int | None, int]
    ) -> tuple[int | None, int]:
        """[B, D] -> [B, K]."""
        return input_shape[0], self.classes

    def multiply_adds(self, input_shape: tuple[int | None, int]) -> int:
        """Multiply-adds per image of the product with the class vectors."""
        return int(input_shape[-1]) * self.classes

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the layer."""
        own = {"classes": self.classes, "scale": self.scale, "seed": self.seed}
        return {**super().get_config(), **own}


def unit(vectors: Any, axis: int) -> Any:
    """The vectors along an axis with length one; a zero vector stays zero."""
    # rsqrt of a floored square: the length of a zero vector has no gradient.
    square = ops.sum(ops.square(vectors), axis=axis, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(square, 1e-12))


def logits_layer(
    classes: int, *, seed: int, cosine: float | None, normal: float | None = None
) -> Any:
    """The layer `logits`, float32 whatever the policy.

    Args:
        classes: K.
        seed: The model's.
        cosine: Scale of a cosine head; None: a dense layer with bias.
        normal: Standard deviation of the dense kernel; None: Glorot's uniform.
    """
    if cosine is None:
        return dense(classes, name="logits", seed=seed, normal=normal, dtype="float32")
    own = stream(seed, "logits")
    return CosineLogits(classes, cosine, own, name="logits", dtype="float32")


def redraw(net: Any, seed: int) -> None:
    """Give the last layer new initial weights, as the second stage of cRT does.

    Args:
        net: A model of `models.build`.
        seed: The model's; the draws come from a stream of their own.
    """
    layer = net.get_layer("logits")
    fresh = initializers.GlorotUniform(stream(seed, "logits again"))
    layer.kernel.assign(fresh(layer.kernel.shape))
    if isinstance(layer, layers.Dense):
        layer.bias.assign(ops.zeros(layer.bias.shape))


@dataclass(frozen=True, eq=False)
class Linear:
    """A model's last layer: the class vectors, and whether their lengths count."""

    kernel: Kernel
    """float32 [D, K]."""
    has_length: bool
    """False for a cosine head."""


def read(net: Any) -> Linear:
    """The last layer of a model of `models.build`."""
    layer = net.get_layer("logits")
    kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float32)
    return Linear(kernel, isinstance(layer, layers.Dense))


def scale_and_shift(net: Any, scale: Any, shift: Any) -> None:
    """Turn the model's logits z into scale z + shift, both a number or [K]."""
    layer = net.get_layer("logits")
    if isinstance(layer, layers.Dense):
        layer.kernel.assign(layer.kernel * scale)
        layer.bias.assign(layer.bias * scale + shift)
    else:
        layer.gain.assign(layer.gain * scale)
        layer.shift.assign(layer.shift * scale + shift)


def without_lengths(net: Any, tau: float) -> None:
    """Divide each class vector by its length to the power tau, and drop the bias.

    Kang et al. 2020, arXiv:1910.09217.
    """
    layer = net.get_layer("logits")
    layer.kernel.assign(normalised(read(net).kernel, tau))
    layer.bias.assign(ops.zeros(layer.bias.shape))


def normalised(kernel: Kernel, tau: float) -> Kernel:
    """w_c / |w_c|^tau for each column, float32 [D, K]."""
    lengths = np.linalg.norm(kernel, axis=0)
    scaled: Kernel = (kernel / np.maximum(lengths, 1e-12) ** tau).astype(np.float32)
    return scaled

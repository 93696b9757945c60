"""How much arithmetic one image costs: multiply-adds of a model's forward pass.

Counted: convolutions, dense layers (once per token), the two matrix products of
attention, and the weighted mean of sequence pooling. One multiply-add is one
multiplication with its addition (half a FLOP count). Not counted: biases,
activations, softmax, pooling, normalisation and skips, which cost no more than a few
operations per value.
"""

from math import prod
from typing import Any

import keras
from keras import layers

from tessera.models.attention import PositionEmbedding

FREE = (layers.LayerNormalization, layers.BatchNormalization, PositionEmbedding)
"""Layers with weights that do no matrix product."""


def multiply_adds(net: Any) -> int:
    """Multiply-adds of the forward pass for one image.

    Args:
        net: A functional `keras.Model`, each layer used once.

    Returns:
        The number of multiply-adds, an exact integer.

    Raises:
        TypeError: The model holds a layer with weights that is not known here.
    """
    return sum(_layer(layer) for layer in net.layers)


def _layer(layer: Any) -> int:
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    if hasattr(layer, "multiply_adds"):
        return int(layer.multiply_adds(layer.input.shape))
    if isinstance(layer, layers.Conv2D | layers.Dense):
        # Every output value takes one multiply-add per entry of its filter.
        return _values(layer) * int(prod(layer.kernel.shape[:-1]))
    if isinstance(layer, layers.DepthwiseConv2D):
        # A filter sees one channel.
        return _values(layer) * int(prod(layer.kernel.shape[:2]))
    if isinstance(layer, layers.MultiHeadAttention):
        return _attention(layer)
    if isinstance(layer, layers.Dot):
        return _values(layer) * int(layer.input[0].shape[1])
    if layer.weights and not isinstance(layer, FREE):
        raise TypeError(
            f"{layer.name}: expected a layer whose cost is known. Received: "
            f"{type(layer).__name__}. Give it a method `multiply_adds(input_shape)`."
        )
    return 0


def _attention(layer: Any) -> int:
    """Keras' own attention of tokens to one another: four dense layers, two products.

    With T tokens of width D and heads of together E: 4 T D E + 2 T T E.
    """
    _, tokens, width = layer.output.shape
    heads = layer.num_heads * layer.key_dim
    return int(4 * tokens * width * heads + 2 * tokens * tokens * heads)


def _values(layer: Any) -> int:
    """Output values per image."""
    return int(prod(layer.output.shape[1:]))

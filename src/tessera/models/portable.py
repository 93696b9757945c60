"""A model -> the same in Keras's own layers alone, for files that others open.

Keras imports no module that a saved model names, unless the module is its own. So a
file with one of our layers opens only once that layer's module is imported; a file of
these opens wherever Keras is.
"""

from typing import Any

import keras
from keras import layers

from tessera.models.attention import Attention, PositionEmbedding
from tessera.models.logits import CosineLogits, unit

OURS = (Attention, PositionEmbedding, CosineLogits)


def portable(net: Any) -> Any:
    """The same function, its weights in layers that every Keras has.

    Args:
        net: A functional model; its layers are Keras's, ours, or such models again.

    Returns:
        A model with the same inputs, outputs and names of layers. Layers of Keras are
        shared with `net`; the weights of ours are copied. `net` itself where it has
        none of ours.
    """
    if not _has_ours(net):
        return net
    return keras.models.clone_model(
        net, clone_function=lambda layer: layer, call_function=_call
    )


def _has_ours(net: Any) -> bool:
    return any(
        _has_ours(layer) if isinstance(layer, keras.Model) else isinstance(layer, OURS)
        for layer in net.layers
    )


def _call(layer: Any, inputs: Any, *more: Any, **options: Any) -> Any:
    match layer:
        case PositionEmbedding():
            return _positions(layer, inputs)
        case Attention():
            return _attention(layer, inputs)
        case CosineLogits():
            return _cosine(layer, inputs)
        case keras.Model():
            return portable(layer)(inputs)
        case _:
            return layer(inputs, *more, **options)


def _positions(layer: PositionEmbedding, tokens: Any) -> Any:
    """Tokens times one, plus the positions: no layer of Keras only adds."""
    added = layers.EinsumDense(
        "btd,d->btd",
        tuple(tokens.shape[1:]),
        bias_axes="td",
        kernel_initializer="ones",
        dtype=layer.dtype_policy,
        name=layer.name,
    )
    out = added(tokens)
    added.bias.assign(layer.position)
    return out


def _attention(layer: Attention, qkv: Any) -> Any:
    """The layer's own steps, each an operation of Keras."""
    steps = Attention(layer.heads, dtype=layer.dtype_policy)
    # One model cannot have two layers of a name, and every block calls its own alike.
    steps.drop = layers.Dropout(
        layer.dropout, seed=layer.seed, name=f"{layer.name}_dropout"
    )
    return steps.call(qkv)


def _cosine(layer: CosineLogits, vectors: Any) -> Any:
    """A dense layer over vectors of length one, with what was corrected afterwards."""
    policy = layer.dtype_policy
    directions = layers.UnitNormalization(dtype=policy, name=f"{layer.name}_unit")
    dense = layers.Dense(
        layer.classes, kernel_initializer="zeros", dtype=policy, name=layer.name
    )
    out = dense(directions(vectors))
    dense.kernel.assign(unit(layer.kernel, axis=0) * layer.gain * layer.scale)
    dense.bias.assign(layer.shift)
    return out

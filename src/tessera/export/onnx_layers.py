"""Each Keras layer of Tessera's models -> ONNX nodes that compute the same.

A closed set: a layer that is not here stops the export with its name. Operators are
those of opset 17, so that old runtimes read the file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import layers

from tessera.export.errors import ExportError
from tessera.export.onnx_graph import Graph, Value
from tessera.models.attention import Attention, PositionEmbedding
from tessera.models.logits import CosineLogits


def add(graph: Graph, layer: Any, inputs: Sequence[Value]) -> Value:
    """Add one layer in inference mode.

    Args:
        graph: Where it goes.
        layer: A built Keras layer, called once.
        inputs: The values it takes.

    Returns:
        Its output.

    Raises:
        ExportError: The layer, or an option of it, has no translation here.
    """
    match layer:
        case layers.Dropout():
            return inputs[0]
        case (
            layers.Conv2D()
            | layers.MaxPooling2D()
            | layers.AveragePooling2D()
            | layers.ZeroPadding2D()
            | layers.GlobalAveragePooling2D()
            | layers.GlobalMaxPooling2D()
            | layers.BatchNormalization()
        ):
            return _map(graph, layer, inputs[0])
        case layers.Add() if all(value.channels_first for value in inputs):
            return Value(graph.node("Sum", *(v.name for v in inputs)), True)
        case layers.ReLU() | layers.Activation() | layers.Rescaling():
            name = _pointwise(graph, layer, inputs[0].name)
            return Value(name, inputs[0].channels_first)
        case layers.Concatenate() | layers.Add() | layers.Dot():
            return Value(_several(graph, layer, [graph.last(v) for v in inputs]))
        case Attention():
            return Value(_attention(graph, layer, graph.last(inputs[0])))
        case _:
            return Value(_single(graph, layer, graph.last(inputs[0])))


def _refused(layer: Any, what: str = "") -> ExportError:
    kind = type(layer).__name__
    return ExportError(
        f"onnx: expected layers that ONNX can be written for. Received: "
        f"{layer.name!r}, a {kind}{what}. Export to keras, litert or saved-model."
    )


def _array(variable: Any) -> Any:
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)


def _map(graph: Graph, layer: Any, value: Value) -> Value:
    """A layer over maps [B, C, h, w]."""
    x = graph.first(value)
    match layer:
        case layers.Conv2D():
            return Value(_convolution(graph, layer, x), True)
        case layers.MaxPooling2D() | layers.AveragePooling2D():
            maximum = isinstance(layer, layers.MaxPooling2D)
            pooled = graph.node(
                "MaxPool" if maximum else "AveragePool",
                x,
                kernel_shape=layer.pool_size,
                strides=layer.strides,
                auto_pad=_padding(layer),
            )
            return Value(pooled, True)
        case layers.BatchNormalization():
            return Value(_standardised(graph, layer, x), True)
        case layers.GlobalMaxPooling2D():
            return Value(graph.node("ReduceMax", x, axes=[2, 3], keepdims=0))
        case layers.ZeroPadding2D():
            (top, bottom), (left, right) = layer.padding
            pads = graph.constant([0, 0, top, left, 0, 0, bottom, right], np.int64)
            return Value(graph.node("Pad", x, pads), True)
        case _:
            return Value(graph.node("ReduceMean", x, axes=[2, 3], keepdims=0))


def _standardised(graph: Graph, layer: Any, x: str) -> str:
    """Batch normalisation by the statistics that training left, over channels."""
    moments = (_array(layer.moving_mean), _array(layer.moving_variance))
    constants = map(graph.constant, (*_scale_and_shift(layer), *moments))
    return graph.node("BatchNormalization", x, *constants, epsilon=layer.epsilon)


def _scale_and_shift(layer: Any) -> tuple[Any, Any]:
    """What a normalisation of the last axis multiplies by, and adds."""
    if list(np.atleast_1d(layer.axis)) not in ([-1], [len(layer.output.shape) - 1]):
        raise _refused(layer, f" over axis {layer.axis}")
    width = layer.output.shape[-1]
    return (
        _array(layer.gamma) if layer.scale else np.ones(width),
        _array(layer.beta) if layer.center else np.zeros(width),
    )


def _convolution(graph: Graph, layer: Any, x: str) -> str:
    kernel = graph.constant(_array(layer.kernel).transpose(3, 2, 0, 1))
    bias = [graph.constant(_array(layer.bias))] if layer.use_bias else []
    convolved = graph.node(
        "Conv",
        *(x, kernel, *bias),
        kernel_shape=layer.kernel_size,
        strides=layer.strides,
        dilations=layer.dilation_rate,
        group=layer.groups,
        auto_pad=_padding(layer),
    )
    return _activation(graph, layer, convolved)


def _padding(layer: Any) -> str:
    match layer.padding:
        case "same":
            return "SAME_UPPER"
        case "valid":
            return "VALID"
        case other:
            raise _refused(layer, f" with padding {other!r}")


def _pointwise(graph: Graph, layer: Any, x: str) -> str:
    match layer:
        case layers.Rescaling():
            scaled = graph.node("Mul", x, graph.constant(layer.scale))
            if not np.any(layer.offset):
                return scaled
            return graph.node("Add", scaled, graph.constant(layer.offset))
        case layers.ReLU():
            if layer.max_value is not None or layer.negative_slope or layer.threshold:
                raise _refused(layer, " with a maximum, a slope or a threshold")
            return graph.node("Relu", x)
        case _:
            return _activation(graph, layer, x)


def _activation(graph: Graph, layer: Any, x: str) -> str:
    match getattr(layer.activation, "__name__", ""):
        case "linear":
            return x
        case "relu":
            return graph.node("Relu", x)
        case "gelu":
            # x / 2 (1 + erf(x / sqrt(2))), Hendrycks and Gimpel 2016, arXiv:1606.08415,
            # divided and not multiplied by a root: so ONNX Runtime knows it again and
            # makes one node of it, with the bias before it.
            tilted = graph.node("Div", x, graph.constant(np.sqrt(2)))
            share = graph.node("Add", graph.node("Erf", tilted), graph.constant(1))
            half = graph.node("Mul", x, graph.constant(0.5))
            return graph.node("Mul", half, share)
        case other:
            raise _refused(layer, f" with activation {other!r}")


def _several(graph: Graph, layer: Any, values: Sequence[str]) -> str:
    match layer:
        case layers.Add():
            # Not Add: with it ONNX Runtime makes one node of sum and normalisation,
            # which on a CPU takes ten times as long as the two.
            return graph.node("Sum", *values)
        case layers.Concatenate() if layer.axis == -1:
            return graph.node("Concat", *values, axis=-1)
        case layers.Dot() if layer.axes == 1 and not layer.normalize:
            turned = graph.node("Transpose", values[0], perm=[0, 2, 1])
            return graph.node("MatMul", turned, values[1])
        case _:
            raise _refused(layer, " along other axes")


def _single(graph: Graph, layer: Any, x: str) -> str:
    """A layer of one value, channels last."""
    match layer:
        case layers.Dense():
            product = graph.node("MatMul", x, graph.constant(_array(layer.kernel)))
            if layer.use_bias:
                bias = graph.constant(_array(layer.bias))
                product = graph.node("Add", product, bias)
            return _activation(graph, layer, product)
        case layers.Reshape():
            shape = graph.constant([0, *layer.output.shape[1:]], np.int64)
            return graph.node("Reshape", x, shape)
        case layers.Permute():
            return graph.node("Transpose", x, perm=[0, *layer.dims])
        case layers.GlobalAveragePooling1D():
            return graph.node("ReduceMean", x, axes=[1], keepdims=0)
        case layers.Softmax():
            return graph.node("Softmax", x, axis=layer.axis)
        case layers.LayerNormalization():
            return _normalised(graph, layer, x)
        case CosineLogits():
            return _cosine(graph, layer, x)
        case PositionEmbedding():
            return graph.node("Add", x, graph.constant(_array(layer.position)))
        case _:
            raise _refused(layer)


def _cosine(graph: Graph, layer: CosineLogits, x: str) -> str:
    """Gain scale cos(x, w) + shift; see `models.logits`."""
    kernel = _array(layer.kernel).astype(np.float64)
    lengths = np.sqrt(np.maximum((kernel**2).sum(axis=0), 1e-12))
    columns = kernel / lengths * layer.scale * _array(layer.gain)
    square = graph.node("ReduceSumSquare", x, axes=[1], keepdims=1)
    floored = graph.node("Max", square, graph.constant(1e-12))
    unit = graph.node("Div", x, graph.node("Sqrt", floored))
    product = graph.node("MatMul", unit, graph.constant(columns))
    return graph.node("Add", product, graph.constant(_array(layer.shift)))


def _normalised(graph: Graph, layer: Any, x: str) -> str:
    constants = map(graph.constant, _scale_and_shift(layer))
    return graph.node(
        "LayerNormalization", x, *constants, axis=-1, epsilon=layer.epsilon
    )


def _attention(graph: Graph, layer: Attention, qkv: str) -> str:
    """Softmax(q k' / sqrt(d)) v of every head; see `models.attention`.

    A loop over heads, as there: one cut and one joining instead of five transpositions.
    """
    heads = layer.heads
    root = graph.constant((layer.output.shape[-1] // heads) ** -0.5)
    parts = graph.split(qkv, 3 * heads)
    mixed = []
    for query, key, value in zip(
        parts[:heads], parts[heads : 2 * heads], parts[2 * heads :], strict=True
    ):
        turned = graph.node("Transpose", key, perm=[0, 2, 1])
        scores = graph.node("Mul", graph.node("MatMul", query, turned), root)
        weights = graph.node("Softmax", scores, axis=-1)
        mixed.append(graph.node("MatMul", weights, value))
    return graph.node("Concat", *mixed, axis=-1)

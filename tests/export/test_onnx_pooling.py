"""ReLU and maximum change places, and what is computed stays the same."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers
from onnx import TensorProto, helper

from tessera.export import onnx_layers, onnx_pooling
from tessera.export.onnx_graph import Graph, Value

Padding = tuple[tuple[int, int], tuple[int, int]]


def graph_of(*chain: layers.Layer, extra: bool = False) -> Graph:
    """Layers one after another, from `x` [N, 6, 5, 3] to `y`, channels first."""
    graph, tensor, value = Graph(), keras.Input((6, 5, 3)), Value("x")
    for layer in chain:
        tensor = layer(tensor)
        value = onnx_layers.add(graph, layer, [value])
    if extra:
        graph.node("Neg", graph.nodes[-2].output[0], name="z")
    graph.node("Identity", value.name, name="y")
    return graph


def run(graph: Graph, nodes: list[onnx.NodeProto], x: np.ndarray) -> np.ndarray:
    described = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4)
        for name in ("x", "y")
    ]
    whole = helper.make_model(
        helper.make_graph(nodes, "g", described[:1], described[1:], graph.constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    session = onnxruntime.InferenceSession(whole.SerializeToString())
    (found,) = session.run(["y"], {"x": x})
    return found


def kinds(nodes: list[onnx.NodeProto]) -> list[str]:
    return [node.op_type for node in nodes]


@pytest.mark.parametrize("padding", [None, ((1, 0), (0, 1)), ((1, 1), (1, 1))])
def test_the_answer_is_the_same_where_values_are_below_zero(
    padding: Padding | None,
) -> None:
    around = [] if padding is None else [layers.ZeroPadding2D(padding)]
    graph = graph_of(*around, layers.MaxPooling2D(3, 2), layers.ReLU())
    turned = onnx_pooling.relu_first(graph.nodes, graph.constants)
    assert kinds(turned) == ["Transpose", "Relu", "MaxPool", "Identity"]
    x = np.random.default_rng(0).normal(-1, 1, (4, 6, 5, 3)).astype(np.float32)
    before = run(graph, graph.nodes, x)
    assert (before == 0).any() and (before > 0).any()
    np.testing.assert_array_equal(run(graph, turned, x), before)


@pytest.mark.parametrize(
    "chain",
    [
        (layers.AveragePooling2D(2), layers.ReLU()),
        (layers.MaxPooling2D(2), layers.Activation("gelu")),
    ],
    ids=["a mean of what is above zero is another number", "GELU falls somewhere"],
)
def test_other_orders_stay(chain: tuple[layers.Layer, ...]) -> None:
    graph = graph_of(*chain)
    assert onnx_pooling.relu_first(graph.nodes, graph.constants) == graph.nodes


def test_a_maximum_that_something_else_reads_stays() -> None:
    graph = graph_of(layers.MaxPooling2D(2), layers.ReLU(), extra=True)
    assert onnx_pooling.relu_first(graph.nodes, graph.constants) == graph.nodes


def test_padding_as_wide_as_the_window_stays_a_node() -> None:
    """A window of padding alone has a maximum of 0 here, and none without the zeros."""
    wide = layers.ZeroPadding2D(((2, 0), (0, 0)))
    graph = graph_of(wide, layers.MaxPooling2D(2), layers.ReLU())
    turned = onnx_pooling.relu_first(graph.nodes, graph.constants)
    assert kinds(turned) == ["Transpose", "Pad", "Relu", "MaxPool", "Identity"]

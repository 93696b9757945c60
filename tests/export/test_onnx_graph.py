"""Values are turned between the two layouts once, and only where needed."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from tessera.export.onnx_graph import Graph, Value


def run(graph: Graph, output: str, x: np.ndarray, rank: int = 4) -> np.ndarray:
    described = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * size)
        for name, size in (("x", x.ndim), (output, rank))
    ]
    whole = helper.make_model(
        helper.make_graph(
            graph.nodes, "g", described[:1], described[1:], graph.constants
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    session = onnxruntime.InferenceSession(whole.SerializeToString())
    return session.run([output], {"x": x})[0]


def test_channels_move_to_the_front_and_back() -> None:
    x = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    graph = Graph()
    first = graph.first(Value("x"))
    np.testing.assert_array_equal(run(graph, first, x), np.moveaxis(x, 3, 1))
    last = graph.last(Value(first, channels_first=True))
    np.testing.assert_array_equal(run(graph, last, x), x)


def test_a_value_in_the_right_layout_costs_no_node() -> None:
    graph = Graph()
    assert graph.last(Value("x")) == "x"
    assert graph.first(Value("x", channels_first=True)) == "x"
    assert graph.nodes == []


def test_a_value_needed_twice_is_turned_once() -> None:
    graph = Graph()
    assert graph.first(Value("x")) == graph.first(Value("x"))
    assert len(graph.nodes) == 1


def test_the_last_axis_is_split_evenly_and_constants_keep_their_values() -> None:
    graph = Graph()
    parts = graph.split("x", 3)
    total = graph.node("Add", parts[2], graph.constant([10, 20]))
    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    np.testing.assert_array_equal(run(graph, total, x, 2), x[:, 4:] + [10, 20])


def test_no_two_names_are_the_same() -> None:
    graph = Graph()
    names = [graph.node("Relu", "x") for _ in range(50)]
    names += [graph.constant(1) for _ in range(50)]
    assert len(set(names)) == 100

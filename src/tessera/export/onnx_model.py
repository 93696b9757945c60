"""A trained model -> an ONNX file: pixels in, calibrated probabilities out.

Written from the layers themselves, so neither TensorFlow nor a converter takes part.
Where `closed_form` holds, the file also computes the heatmap of its own answer. Of
an ensemble it holds every member's layers, and the mean of their probabilities.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from keras import layers
from onnx import TensorProto, helper

from tessera import __version__
from tessera.ensembled import Ensemble, fold_of
from tessera.export import closed_form, onnx_layers, onnx_pooling
from tessera.export.onnx_graph import Graph, Value
from tessera.trained import Trained

OPSET = 17
IR_VERSION = 8
"""Old enough for every runtime since 2022."""

INPUT, PROBABILITIES, HEATMAP = "pixels", "probabilities", "heatmap"


def write(trained: Trained, path: Path) -> None:
    """Write the model.

    Input `pixels`, float32 [N, H, W, C], 0..255. Outputs `probabilities`, float32
    [N, K], and, for the reference study's CNN and hybrid, `heatmap`, float32
    [N, h, w]: the signed Grad-CAM map at `features` for the class with the highest
    probability.

    Raises:
        ExportError: The model holds a layer that has no translation.
    """
    onnx.save(model(trained), path)


def model(trained: Trained, *, heatmap: bool = True) -> Any:
    """The model as an ONNX `ModelProto`, checked; with its heatmap where it has one."""
    graph = Graph()
    outputs = [_described(PROBABILITIES, len(trained.class_names))]
    if isinstance(trained, Ensemble):
        shares = [_answered(graph, one)[0] for one in trained.members]
        graph.node("Mean", *shares, name=PROBABILITIES)
    else:
        _, values = _answered(graph, trained, PROBABILITIES)
        if heatmap and closed_form.exists(trained.run.model, trained.net):
            _heatmap(graph, trained, values)
            outputs.append(_described(HEATMAP, *_grid(trained.net)))
    return _whole(graph, trained, outputs)


def _answered(
    graph: Graph, trained: Trained, name: str = ""
) -> tuple[str, dict[str, Value]]:
    """Add one network up to its probabilities; return these and its layers' outputs."""
    values = _layers(graph, trained.net)
    scale = graph.constant(1.0 / trained.temperature)
    cooled = graph.node("Mul", values["logits"].name, scale)
    return graph.node("Softmax", cooled, name=name, axis=-1), values


def _whole(graph: Graph, trained: Trained, outputs: Sequence[Any]) -> Any:
    """The file's content around a graph, checked."""
    nodes = onnx_pooling.relu_first(graph.nodes, graph.constants)
    used = {name for node in nodes for name in node.input}
    whole = helper.make_model(
        helper.make_graph(
            nodes,
            trained.run.cell,
            [_described(INPUT, *trained.record.data.image_shape)],
            outputs,
            initializer=[kept for kept in graph.constants if kept.name in used],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="tessera",
        producer_version=__version__,
    )
    helper.set_model_props(whole, _notes(trained))
    onnx.checker.check_model(whole, full_check=True)
    return whole


def _layers(graph: Graph, net: Any) -> dict[str, Value]:
    """Add every layer in order; return the outputs by layer name."""
    known = {id(net.inputs[0]): Value(INPUT)}
    named: dict[str, Value] = {}
    for layer in net.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        taken = layer.input if isinstance(layer.input, list) else [layer.input]
        value = onnx_layers.add(graph, layer, [known[id(tensor)] for tensor in taken])
        known[id(layer.output)] = named[layer.name] = value
    return named


def _heatmap(graph: Graph, trained: Trained, values: dict[str, Value]) -> None:
    """Add the map of the answer: see `closed_form` for the formula."""
    net = trained.net
    answer = graph.node("ArgMax", values["logits"].name, axis=1, keepdims=0)
    kernel = np.asarray(net.get_layer("logits").kernel.numpy()).T
    row = graph.node("Gather", graph.constant(kernel), answer, axis=0)
    above = graph.node("Greater", values["head"].name, graph.constant(0))
    mask = graph.node("Cast", above, to=TensorProto.FLOAT)
    constants = graph.constant(closed_form.weights(trained.run.model, net).T)
    alpha = graph.node("MatMul", graph.node("Mul", row, mask), constants)
    height, width = _grid(net)
    channels = net.get_layer("features").output.shape[-1]
    across = graph.constant([0, 1, channels], np.int64)
    flat = graph.constant([0, channels, height * width], np.int64)
    cells = graph.node("Reshape", graph.first(values["features"]), flat)
    summed = graph.node("MatMul", graph.node("Reshape", alpha, across), cells)
    grid = graph.constant([0, height, width], np.int64)
    graph.node("Reshape", summed, grid, name=HEATMAP)


def _grid(net: Any) -> tuple[int, int]:
    _, height, width, _ = net.get_layer("features").output.shape
    return height, width


def _described(name: str, *shape: int) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])


def _notes(trained: Trained) -> dict[str, str]:
    """What the file says about itself."""
    members = trained.members if isinstance(trained, Ensemble) else (trained,)
    folds = [str(fold) for one in members if (fold := fold_of(one)) is not None]
    return {
        "class_names": json.dumps(list(trained.class_names)),
        "temperature": ", ".join(repr(member.temperature) for member in members),
        "seed": ", ".join(str(member.run.seed) for member in members),
        "run": trained.run.cell,
        "run_digest": trained.record.digest,
        "data": trained.record.data.name,
        "data_fingerprint": trained.record.data.fingerprint,
        **({"fold": ", ".join(folds)} if folds else {}),
    }

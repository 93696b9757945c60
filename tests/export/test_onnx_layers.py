"""Every layer gives in ONNX Runtime what it gives in Keras, on odd shapes too."""

import keras
import numpy as np
import onnxruntime
import pytest
from keras import layers
from onnx import TensorProto, helper

from tessera.export import onnx_layers
from tessera.export.errors import ExportError
from tessera.export.onnx_graph import Graph, Value
from tessera.models.attention import Attention, PositionEmbedding
from tessera.models.logits import CosineLogits

MAP = (7, 5, 6)
TOKENS = (9, 12)
VECTOR = (12,)
CASES = {
    "same convolution with ReLU": (layers.Conv2D(4, 3, padding="same"), MAP),
    "valid strided convolution": (layers.Conv2D(4, 3, 2, activation="relu"), MAP),
    "same strided convolution": (layers.Conv2D(4, 3, 2, padding="same"), MAP),
    "dilated grouped convolution": (
        layers.Conv2D(4, 2, groups=2, dilation_rate=2, use_bias=False),
        MAP,
    ),
    "pooling that drops the odd row": (layers.MaxPooling2D(2), MAP),
    "average pooling": (layers.AveragePooling2D((1, 3)), MAP),
    "average pooling whose padding does not count": (
        layers.AveragePooling2D(2, padding="same"),
        MAP,
    ),
    "overlapping pooling": (layers.MaxPooling2D(3, 2), MAP),
    "padding unevenly": (layers.ZeroPadding2D(((1, 0), (2, 3))), MAP),
    "global average of a map": (layers.GlobalAveragePooling2D(), MAP),
    "global average of tokens": (layers.GlobalAveragePooling1D(), TOKENS),
    "rescaling with an offset": (layers.Rescaling(1 / 3, 0.5), MAP),
    "ReLU": (layers.ReLU(), MAP),
    "GELU": (layers.Activation("gelu"), TOKENS),
    "dense on vectors": (layers.Dense(5, activation="relu"), VECTOR),
    "dense on tokens": (layers.Dense(5, use_bias=False), TOKENS),
    "reshaping a map": (layers.Reshape((7, 30)), MAP),
    "permutation": (layers.Permute((3, 1, 2)), MAP),
    "softmax over tokens": (layers.Softmax(axis=1), TOKENS),
    "layer normalisation": (layers.LayerNormalization(epsilon=1e-5), TOKENS),
    "position embedding": (PositionEmbedding(seed=1), TOKENS),
    "cosine logits": (CosineLogits(7, 16.0), VECTOR),
    "dropout, which does nothing": (layers.Dropout(0.9), VECTOR),
}


def random_weights(layer: layers.Layer) -> None:
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])


def compare(layer: layers.Layer, *shapes: tuple[int, ...]) -> None:
    inputs = [keras.Input(shape) for shape in shapes]
    net = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    random_weights(layer)
    rng = np.random.default_rng(1)
    given = [rng.normal(size=(3, *shape)).astype(np.float32) for shape in shapes]
    graph = Graph()
    names = [f"x{i}" for i in range(len(shapes))]
    output = graph.last(onnx_layers.add(graph, layer, [Value(n) for n in names]))
    shape = net.output.shape
    whole = helper.make_model(
        helper.make_graph(
            graph.nodes + ([] if graph.nodes else [identity(output)]),
            "g",
            [described(n, (None, *s)) for n, s in zip(names, shapes, strict=True)],
            [described(output if graph.nodes else "same", shape)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    session = onnxruntime.InferenceSession(whole.SerializeToString())
    (found,) = session.run(None, dict(zip(names, given, strict=True)))
    expected = net.predict_on_batch(given if len(given) > 1 else given[0])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def identity(value: str):
    return helper.make_node("Identity", [value], ["same"])


def described(name: str, shape: tuple[int | None, ...]):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


@pytest.mark.parametrize(("layer", "shape"), CASES.values(), ids=CASES)
def test_a_layer_computes_the_same(layer: layers.Layer, shape: tuple[int, ...]) -> None:
    compare(layer.__class__.from_config(layer.get_config()), shape)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_computes_the_same(heads: int) -> None:
    compare(Attention(heads, dropout=0.5), (9, 24))


def test_layers_of_several_values_compute_the_same() -> None:
    compare(layers.Add(), TOKENS, TOKENS)
    compare(layers.Concatenate(), VECTOR, (5,))
    compare(layers.Dot(axes=1), (9, 1), TOKENS)


@pytest.mark.parametrize(
    ("layer", "shape", "what"),
    [
        (layers.LSTM(3, name="odd"), TOKENS, "'odd', a LSTM"),
        (layers.Dense(3, activation="selu"), VECTOR, "with activation 'selu'"),
        (layers.ReLU(max_value=6), VECTOR, "with a maximum"),
        (layers.LayerNormalization(axis=1), TOKENS, "over axis"),
    ],
)
def test_what_has_no_translation_is_named(
    layer: layers.Layer, shape: tuple[int, ...], what: str
) -> None:
    layer(keras.Input(shape))
    with pytest.raises(ExportError, match=what):
        onnx_layers.add(Graph(), layer, [Value("x")])

"""A model is read as it stands: opened, in order, up to its logits, and untouched."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.explain import graph as graphs
from tessera.explain import maps, reading
from tessera.explain.graph import ExplainError
from tessera.explain.methods import IntegratedGradients


def logits(net, images):
    graph = reading.read(net)
    pixels = keras.ops.convert_to_tensor(images, dtype=graph.dtype)
    (values,) = graphs.run(graph, {graph.pixels: pixels}, [graph.logits])
    return keras.ops.convert_to_numpy(values)


def backbone(name="backbone"):
    pixels = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, padding="same", name="conv")(pixels)
    maps = layers.BatchNormalization(name="norm")(maps)
    return keras.Model(pixels, layers.ReLU(name="relu")(maps), name=name)


def classifier(activation=None, body=backbone):
    pixels = keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(body()(pixels))
    return keras.Model(pixels, layers.Dense(3, activation, name="top")(pooled))


@pytest.fixture
def images():
    """Four 8x8 RGB images with values from -1 to 1."""
    return np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32)


def test_a_nested_model_is_opened_and_its_layers_are_paths():
    paths = [step.path for step in reading.read(classifier()).steps]
    inside = [p for p in paths if p.startswith("backbone/")]
    assert inside[1:] == ["backbone/conv", "backbone/norm", "backbone/relu"]
    assert paths.index("backbone") > paths.index("backbone/relu")


def test_running_the_graph_is_running_the_model(images):
    net = classifier()
    np.testing.assert_allclose(logits(net, images), net(images), atol=1e-6)


def test_models_nested_twice_over_are_opened(images):
    def wrapped():
        return keras.Sequential([keras.Input((8, 8, 3)), backbone()], name="outer")

    net = classifier(body=wrapped)
    paths = [step.path for step in reading.read(net).steps]
    assert "outer/backbone/conv" in paths
    np.testing.assert_allclose(logits(net, images), net(images), atol=1e-6)


def test_a_sequential_model_that_grew_layer_by_layer_is_read_as_it_ended(images):
    net = keras.Sequential([keras.Input((8, 8, 3))])
    for layer in (layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)):
        net.add(layer)
    np.testing.assert_allclose(logits(net, images), net(images), atol=1e-6)


def test_a_layer_that_is_called_twice_has_two_paths(images):
    pixels = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    pooled = layers.GlobalAveragePooling2D()(shared(shared(pixels)))
    net = keras.Model(pixels, layers.Dense(2)(pooled))
    paths = [step.path for step in reading.read(net).steps]
    assert paths[:2] == ["shared", "shared:2"]
    np.testing.assert_allclose(logits(net, images), net(images), atol=1e-6)


def test_a_nested_model_that_is_called_twice_keeps_its_calls_apart(images):
    inner = backbone()
    pixels = keras.Input((8, 8, 3))
    halves = [inner(pixels), inner(layers.Rescaling(-1)(pixels))]
    pooled = layers.GlobalAveragePooling2D()(layers.Subtract()(halves))
    net = keras.Model(pixels, layers.Dense(2)(pooled))
    paths = {step.path for step in reading.read(net).steps}
    assert {"backbone/conv", "backbone/conv:2"} <= paths
    np.testing.assert_allclose(logits(net, images), net(images), atol=1e-6)


def end_in(last):
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, last(layers.Flatten()(inputs)))


@pytest.mark.parametrize(
    "net",
    [
        lambda: classifier("softmax"),
        lambda: end_in(lambda x: layers.Softmax()(layers.Dense(3)(x))),
        lambda: end_in(lambda x: layers.Activation("softmax")(layers.Dense(3)(x))),
        lambda: keras.Sequential([keras.Input((8, 8, 3)), classifier("softmax")]),
        lambda: end_in(lambda x: keras.ops.softmax(layers.Dense(3)(x))),
        lambda: end_in(lambda x: keras.activations.softmax(layers.Dense(3)(x))),
        lambda: classifier("log_softmax"),
        lambda: end_in(lambda x: layers.Activation("log_softmax")(layers.Dense(3)(x))),
        lambda: end_in(lambda x: keras.ops.log_softmax(layers.Dense(3)(x))),
        lambda: end_in(
            lambda x: layers.Activation("linear", dtype="float32")(
                layers.Dropout(0.5)(layers.Identity()(layers.Softmax()(x)))
            )
        ),
    ],
    ids=[
        "inside",
        "a layer",
        "by name",
        "in a nested model",
        "an operation",
        "a function",
        "the logarithm inside",
        "the logarithm by name",
        "the logarithm's operation",
        "before what changes nothing",
    ],
)
def test_a_softmax_at_the_end_is_left_away_wherever_it_is(net, images):
    net = net()
    values = logits(net, images)
    answers = keras.ops.convert_to_numpy(net(images))
    shares = answers if answers.min() >= 0 else np.exp(answers)
    # Neither probabilities nor their logarithms, but what they are the softmax of.
    assert not np.allclose(values.sum(axis=1), 1)
    assert not np.allclose(np.exp(values).sum(axis=1), 1)
    np.testing.assert_allclose(keras.ops.softmax(values), shares, atol=1e-6)


@pytest.mark.parametrize(
    "last",
    [
        lambda x: layers.Dense(1, activation="sigmoid")(x),
        lambda x: layers.Activation("sigmoid")(layers.Dense(2)(x)),
        lambda x: keras.ops.sigmoid(layers.Dense(2)(x)),
    ],
    ids=["inside", "by name", "an operation"],
)
def test_a_sigmoid_at_the_end_is_left_away_too_and_remembered(images, last):
    net = end_in(last)
    values = logits(net, images)
    np.testing.assert_allclose(keras.ops.sigmoid(values), net(images), atol=1e-6)
    assert reading.read(net).sigmoid
    assert not reading.read(classifier("softmax")).sigmoid


@pytest.mark.parametrize(
    "last",
    [
        lambda x: layers.Dense(2, activation="log_sigmoid")(x),
        lambda x: keras.ops.log_sigmoid(layers.Dense(2)(x)),
    ],
    ids=["inside", "an operation"],
)
def test_the_logarithm_of_a_sigmoid_is_left_away_as_well(images, last):
    net = end_in(last)
    values = keras.ops.log_sigmoid(logits(net, images))
    np.testing.assert_allclose(values, net(images), atol=1e-5)
    assert reading.read(net).sigmoid


@pytest.mark.parametrize("policy", ["float16", "bfloat16"])
def test_a_softmax_of_weights_in_another_type_is_left_away(images, policy):
    net = end_in(lambda x: layers.Dense(3, activation="softmax", dtype=policy)(x))
    expected = keras.ops.cast(net(images), "float32")
    np.testing.assert_allclose(
        keras.ops.softmax(logits(net, images)), expected, atol=0.01
    )


def test_an_output_that_is_no_row_of_classes_is_refused():
    pixels = keras.Input((8, 8, 3))
    net = keras.Model(pixels, layers.Conv2D(3, 1)(pixels))
    with pytest.raises(ExplainError, match=r"\[N, classes\].*\[None, 8, 8, 3\]"):
        reading.read(net)


def test_a_softmax_without_bias_is_left_away(images):
    net = end_in(lambda x: layers.Dense(3, activation="softmax", use_bias=False)(x))
    values = logits(net, images)
    np.testing.assert_allclose(keras.ops.softmax(values), net(images), atol=1e-6)


def test_a_softmax_inside_a_last_layer_that_is_not_dense_is_refused():
    class Odd(layers.Layer):
        def __init__(self, **more):
            super().__init__(**more)
            self.activation = keras.activations.softmax

        def call(self, values):
            return keras.ops.softmax(values)

    net = end_in(lambda x: Odd(name="odd")(layers.Dense(2)(x)))
    with pytest.raises(ExplainError, match=r"'odd': expected logits.*keras.layers.Sof"):
        reading.read(net)


def test_a_layer_whose_default_is_to_train_is_run_in_inference(images):
    class Loud(layers.Layer):
        def call(self, values, training=True):
            return values + 100 if training else values

    net = end_in(lambda x: layers.Dense(2)(Loud()(x)))
    np.testing.assert_allclose(
        logits(net, images), net(images, training=False), atol=1e-5
    )


def test_a_nested_model_in_mixed_precision_gives_what_its_call_gives(images):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        net = classifier()
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(logits(net, images), net(images))


def test_a_subclassed_model_is_refused_with_the_reason_and_a_way_that_works():
    class Opaque(keras.Model):
        def call(self, pixels):
            return pixels[:, 0, :2, 0]

    net = Opaque()
    with pytest.raises(ExplainError, match=r"functional or sequential.*pixels = ke"):
        reading.read(net)
    pixels = keras.Input((8, 8, 3))
    wrapped = keras.Model(pixels, net(pixels))
    images = np.ones((1, 8, 8, 3), np.float32)
    found = maps.compute(wrapped, images, method=IntegratedGradients(), target=1)
    assert np.argwhere(found.raw[0]).tolist() == [[0, 1]]


def test_of_several_outputs_one_is_to_be_chosen():
    pixels = keras.Input((8, 8, 3))
    flat = layers.Flatten()(pixels)
    net = keras.Model(pixels, [layers.Dense(2)(flat), layers.Dense(3)(flat)])
    with pytest.raises(ExplainError, match=r"2 outputs\. Choose one output: keras"):
        reading.read(net)
    assert reading.read(keras.Model(net.inputs, net.outputs[0])).classes == 2


def test_channels_first_is_refused():
    pixels = keras.Input((3, 8, 8))
    maps = layers.Conv2D(2, 3, data_format="channels_first", name="conv")
    pooled = layers.GlobalAveragePooling2D(data_format="channels_first")
    with pytest.raises(ExplainError, match="'conv': expected channels last"):
        reading.read(keras.Model(pixels, layers.Dense(2)(pooled(maps(pixels)))))

"""A head is called affine only where it is."""

import keras
import pytest
from keras import layers

from tessera.explain import affine, reading

HEADS = {
    "average, dense": ([layers.GlobalAveragePooling2D, lambda: layers.Dense(2)], True),
    "flatten, dropout, dense": (
        [layers.Flatten, lambda: layers.Dropout(0.5), lambda: layers.Dense(2)],
        True,
    ),
    "softmax at the end": (
        [layers.GlobalAveragePooling2D, lambda: layers.Dense(2, activation="softmax")],
        True,
    ),
    "log-softmax at the end": (
        [
            layers.GlobalAveragePooling2D,
            lambda: layers.Dense(2, activation="log_softmax"),
        ],
        True,
    ),
    "two linear dense": (
        [layers.Flatten, lambda: layers.Dense(3), lambda: layers.Dense(2)],
        True,
    ),
    "hidden ReLU": (
        [layers.Flatten, lambda: layers.Dense(3, "relu"), lambda: layers.Dense(2)],
        False,
    ),
    "maximum": ([layers.GlobalMaxPooling2D, lambda: layers.Dense(2)], False),
    "normalised over the image": (
        [layers.Flatten, layers.LayerNormalization, lambda: layers.Dense(2)],
        False,
    ),
}


@pytest.mark.parametrize("parts, expected", HEADS.values(), ids=HEADS)
def test_a_head_is_affine(parts, expected):
    pixels = keras.Input((8, 8, 1))
    values = layers.Conv2D(2, 1, name="features")(pixels)
    for part in parts:
        values = part()(values)
    graph = reading.read(keras.Model(pixels, values))
    assert affine.affine(graph, graph.steps[0].outputs) is expected


@pytest.mark.parametrize("activation, expected", [(None, True), ("relu", False)])
def test_what_follows_a_layer_may_end_one_nested_model_and_be_another(
    activation, expected
):
    pixels = keras.Input((8, 8, 1))
    convolution = layers.Conv2D(2, 1, name="features")
    average = layers.GlobalAveragePooling2D()
    head = [layers.Dense(3, activation), layers.Dense(2, "softmax")]
    values = pixels
    for name, inner in (("backbone", [convolution, average]), ("head", head)):
        values = keras.Sequential(inner, name=name)(values)
    graph = reading.read(keras.Model(pixels, values))
    place = next(s for s in graph.steps if s.path == "backbone/features")
    assert affine.affine(graph, place.outputs) is expected


def test_a_head_that_also_reads_something_else_is_not(hybrid):
    graph = reading.read(hybrid())
    branch = next(step for step in graph.steps if step.path == "u")
    assert not affine.affine(graph, branch.outputs)

"""Any part of a model can be run from any of its values."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.explain import graph as graphs
from tessera.explain import reading


@pytest.fixture
def forked():
    """Pixels -> `left` and `right`, added; then `top`."""
    pixels = keras.Input((4,))
    left = layers.Dense(3, name="left")(pixels)
    right = layers.Dense(3, name="right")(pixels)
    both = layers.Add(name="both")([left, right])
    return keras.Model(pixels, layers.Dense(2, name="top")(both))


def output(graph, path):
    return next(step.outputs[0] for step in graph.steps if step.path == path)


def test_only_the_steps_between_two_values_are_run(forked):
    graph = reading.read(forked)
    steps, open_ends = graphs.needed(graph, [output(graph, "both")], [graph.logits])
    assert [step.path for step in steps] == ["top"]
    assert not open_ends


def test_a_path_around_the_given_values_is_found(forked):
    graph = reading.read(forked)
    one, other = output(graph, "left"), output(graph, "right")
    assert not graphs.connects(graph, [one], [graph.logits])
    assert graphs.needed(graph, [one], [graph.logits])[1] == {graph.pixels}
    assert graphs.connects(graph, [one, other], [graph.logits])


def test_a_given_value_replaces_what_the_model_would_compute(forked):
    graph = reading.read(forked)
    value = keras.ops.ones((1, 3))
    (logits,) = graphs.run(graph, {output(graph, "both"): value}, [graph.logits])
    kernel, bias = forked.get_layer("top").get_weights()
    np.testing.assert_allclose(logits, (kernel.sum(axis=0) + bias)[None], rtol=1e-6)


def test_every_value_knows_its_maker_and_the_pixels_have_none(forked):
    graph = reading.read(forked)
    assert graphs.producer(graph, output(graph, "left")).path == "left"
    assert graphs.producer(graph, graph.pixels) is None

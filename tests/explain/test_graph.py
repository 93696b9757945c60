"""A model that cannot be explained is refused, with the reason and the way out."""

import keras
import pytest
from keras import layers

from tessera.explain import gradients, graph


def test_a_wrong_layer_lists_the_right_ones_with_their_shapes(hybrid):
    with pytest.raises(graph.ExplainError, match="features: 8 x 8 x 6") as caught:
        gradients.cut(hybrid(), "logits")
    assert "Received: 'logits'" in str(caught.value)


@pytest.mark.parametrize("side, accepted", [(3, False), (4, True), (7, True)])
def test_a_grid_below_4_is_refused_and_below_8_cautioned(side, accepted):
    pixels = keras.Input((side, side, 1))
    maps = layers.Conv2D(2, 1, name="features")(pixels)
    net = keras.Model(pixels, layers.Dense(2)(layers.Flatten()(maps)))
    if accepted:
        (caution,) = gradients.cautions(gradients.cut(net, "features"), side, side)
        assert f"{side} x {side}" in caution
    else:
        with pytest.raises(graph.CoarseGrid, match="cannot show a place"):
            gradients.cut(net, "features")


def test_a_softmax_inside_the_last_layer_is_refused():
    pixels = keras.Input((8, 8, 1))
    maps = layers.Conv2D(2, 1, name="features")(pixels)
    pooled = layers.GlobalAveragePooling2D()(maps)
    net = keras.Model(pixels, layers.Dense(2, activation="softmax")(pooled))
    with pytest.raises(graph.ExplainError, match="expected logits"):
        gradients.cut(net, "features")


def test_a_subclassed_model_is_refused_with_the_reason():
    class Opaque(keras.Model):
        def call(self, pixels):
            return pixels

    with pytest.raises(graph.ExplainError, match="functional or sequential"):
        gradients.cut(Opaque(), "features")

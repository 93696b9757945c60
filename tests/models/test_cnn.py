"""The baseline CNN is the reference study's."""

import keras
import pytest
from keras import layers

from tessera.experiment import Cnn
from tessera.models.build import build

from . import plain


def test_the_studys_cnn_has_111050_parameters() -> None:
    # 3*3*3*32+32, 3*3*32*64+64, 3*3*64*128+128, 128*128+128, 128*10+10
    by_hand = 896 + 18_496 + 73_856 + 16_512 + 1_290
    net = build(Cnn(), (32, 32, 3), 10, seed=0)
    assert net.count_params() == by_hand == 111_050


def test_its_backbone_has_93248_parameters() -> None:
    net = build(Cnn(), (32, 32, 3), 10, seed=0)
    backbone = keras.Model(net.input, net.get_layer("features").output)
    assert backbone.count_params() == 93_248


def test_the_dropout_is_the_settings() -> None:
    net = build(Cnn(dropout=0.45), (32, 32, 3), 10, seed=0)
    rates = [layer.rate for layer in net.layers if isinstance(layer, layers.Dropout)]
    assert rates == [0.45]


@pytest.mark.parametrize("shape", plain.SHAPES, ids=str)
def test_relu_after_pooling_changes_neither_logits_nor_gradients(
    shape: tuple[int, int, int],
) -> None:
    net = build(Cnn(), shape, 10, seed=0)
    plain.assert_same(net, plain.cnn(Cnn(), shape, 10))

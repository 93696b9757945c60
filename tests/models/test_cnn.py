"""The baseline CNN is the reference study's."""

import keras
import numpy as np
import pytest

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


def test_its_kernels_start_as_glorots_uniform_numbers() -> None:
    net = build(Cnn(), (32, 32, 3), 10, seed=0)
    fans = {
        "conv1": (27, 288),
        "conv2": (288, 576),
        "features": (576, 1152),
        "head": (128, 128),
        "logits": (128, 10),
    }
    for name, (fan_in, fan_out) in fans.items():
        kernel, bias = net.get_layer(name).get_weights()
        limit = np.sqrt(6 / (fan_in + fan_out))
        assert 0.98 * limit < np.abs(kernel).max() <= limit
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
        assert not bias.any()


@pytest.mark.parametrize("shape", plain.SHAPES, ids=str)
def test_relu_after_pooling_changes_neither_logits_nor_gradients(
    shape: tuple[int, int, int],
) -> None:
    net = build(Cnn(), shape, 10, seed=0)
    plain.assert_same(net, plain.cnn(Cnn(), shape, 10))

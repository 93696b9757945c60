import keras
import numpy as np
from keras import layers

from tessera.experiment import Transformer
from tessera.explain import gradcam
from tessera.explain.faithfulness import mappers
from tessera.explain.methods import AttentionRollout, GradCam, SmoothGrad
from tessera.models import build

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1)).astype("float32")
TARGETS = np.int32([2, 0, 1])


def test_grad_cam_is_grad_cam_of_the_layer_that_is_asked_for():
    net = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, padding="same", name="first"),
            layers.MaxPooling2D(),
            layers.Conv2D(2, 3, padding="same", name="features"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="logits"),
        ]
    )
    images = IMAGES[:, :8, :8]
    for asked, layer, cells in (({}, "features", 4), ({"layer": "first"}, "first", 8)):
        found = mappers.mapper(GradCam(), **asked)(net, images, TARGETS)
        expected = gradcam.explain(net, images, targets=TARGETS, layer=layer)
        assert (found == expected.raw).all() and found.shape == (3, cells, cells)


def test_methods_on_pixels_and_on_attention_take_no_layer():
    net = build.build(Transformer(), (32, 32, 1), 3, seed=0)
    pixels = mappers.mapper(SmoothGrad(samples=2))(net, IMAGES, TARGETS)
    assert pixels.shape == (3, 32, 32)
    rollout = AttentionRollout(readout="pool_weights")
    tokens = mappers.mapper(rollout, grid=(8, 8))(net, IMAGES, TARGETS)
    assert tokens.shape == (3, 8, 8)


def test_a_record_says_where_a_method_looks():
    assert mappers.place(GradCam(), "conv2") == "conv2"
    assert mappers.place(SmoothGrad(), "conv2") == "pixels"


def test_a_model_without_attention_has_no_rollout():
    assert mappers.on_any_net(AttentionRollout()) is None
    assert mappers.on_any_net(GradCam()) is not None

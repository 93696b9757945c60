"""Score-CAM's weights are a softmax over the logits of masked images."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.explain import maps
from tessera.explain.methods import ScoreCam
from tessera.explain.targets import Contrast


@pytest.fixture
def net():
    """Features of the images' own size, so that masks need no enlarging."""
    keras.utils.set_random_seed(2)
    pixels = keras.Input((8, 8, 3))
    conv = layers.Conv2D(5, 3, padding="same", activation="tanh", name="features")
    hidden = layers.Dense(6, "tanh")(layers.Flatten()(conv(pixels)))
    return keras.Model(pixels, layers.Dense(4)(hidden))


def by_hand(net, image, target, channels):
    """The paper's loop, one channel at a time."""
    head = keras.Function(net.inputs, [net.get_layer("features").output])
    features = np.asarray(head([keras.ops.convert_to_tensor(image[None])])[0])[0]
    scores = []
    for k in channels:
        mask = features[..., k]
        mask = (mask - mask.min()) / np.ptp(mask)
        masked = (image * mask[..., None])[None]
        scores.append(float(np.asarray(net(masked))[0] @ target))
    weights = np.exp(scores) / np.exp(scores).sum()
    return features[..., channels] @ weights


@pytest.mark.parametrize("target", [1, Contrast(1, 3)])
def test_maps_agree_with_the_papers_loop(net, images, target):
    pictures = (images / 255).astype(np.float32)[:3]
    direction = np.eye(4)[1] - (0 if target == 1 else np.eye(4)[3])
    found = maps.compute(net, pictures, method=ScoreCam(), target=target)
    for picture, drawn in zip(pictures, found.raw, strict=True):
        expected = by_hand(net, picture, direction, range(5))
        np.testing.assert_allclose(drawn, expected, rtol=1e-4, atol=1e-5)


def test_the_fast_variant_takes_the_channels_that_vary_most(net, images):
    picture = (images / 255).astype(np.float32)[:1]
    head = keras.Function(net.inputs, [net.get_layer("features").output])
    features = np.asarray(head([keras.ops.convert_to_tensor(picture)])[0])[0]
    best = np.argsort(-features.std(axis=(0, 1)))[:2]
    found = maps.compute(net, picture, method=ScoreCam(channels=2), target=0)
    expected = by_hand(net, picture[0], np.eye(4)[0], best)
    np.testing.assert_allclose(found.raw[0], expected, rtol=1e-4, atol=1e-5)


def test_a_constant_channel_makes_no_mask(net, images):
    kernel, bias = net.get_layer("features").get_weights()
    kernel[..., 2] = 0
    bias[2] = 5
    net.get_layer("features").set_weights([kernel, bias])
    picture = (images / 255).astype(np.float32)[:1]
    found = maps.compute(net, picture, method=ScoreCam(), target=0)
    expected = by_hand(net, picture[0], np.eye(4)[0], [0, 1, 3, 4])
    np.testing.assert_allclose(found.raw[0], expected, rtol=1e-4, atol=1e-5)


def test_with_constant_channels_only_the_map_is_empty_and_says_so(net):
    found = maps.compute(net, np.zeros((1, 8, 8, 3)), method=ScoreCam())
    assert not found.raw.any()
    assert found.reasons.tolist() == ["no positive evidence"]

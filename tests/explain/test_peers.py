"""Agreement with tf-keras-vis, wherever both define the same map.

Not compared: its Grad-CAM++ divides the alphas by their sum, and its Score-CAM weighs
channels by a softmax over classes; those are other maps than the papers' equations.
"""

import importlib

import keras
import numpy as np
import pytest

from tessera.experiment import Cnn, Hybrid, Transformer
from tessera.explain import maps
from tessera.explain.methods import GradCam, HiResCam, LayerCam, SmoothGrad
from tessera.explain.targets import Contrast
from tessera.models import build

pytestmark = [
    pytest.mark.slow,
    # Of tf-keras-vis and what it imports.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def peer(module):
    """A module of tf-keras-vis."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf-keras-vis knows TensorFlow alone")
    return importlib.import_module(f"tf_keras_vis.{module}")


@pytest.fixture(params=[Cnn(), Hybrid(), Hybrid(depth=1), Transformer()], ids=str)
def net(request):
    """The reference study's models and a hybrid with attention, at random weights."""
    model = build.build(request.param, (32, 32, 3), 10, seed=1)
    random = np.random.default_rng(0)
    model.set_weights(
        [w + 0.02 * random.standard_normal(w.shape) for w in model.get_weights()]
    )
    return model


@pytest.fixture
def images():
    """Six 32x32 RGB images."""
    return np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)


TARGETS = np.array([0, 3, 9, 9, 5, 1])
OTHERS = np.array([1, 2, 0, 4, 6, 7])


def score(outputs):
    return [outputs[i][c] for i, c in enumerate(TARGETS)]


def contrast(outputs):
    pairs = zip(TARGETS, OTHERS, strict=True)
    return [outputs[i][c] - outputs[i][d] for i, (c, d) in enumerate(pairs)]


def theirs(kind, net, images, wanted, **options):
    """A raw, signed map on the layer's own grid."""
    return kind(net, clone=False)(
        wanted,
        images.astype("float32"),
        penultimate_layer="features",
        seek_penultimate_conv_layer=False,
        activation_modifier=None,
        expand_cam=False,
        normalize_cam=False,
        **options,
    )


def assert_close(ours, other):
    scale = np.abs(ours).max()
    assert scale > 0
    np.testing.assert_allclose(ours / scale, np.asarray(other) / scale, atol=1e-5)


@pytest.mark.parametrize(
    "target, wanted",
    [(TARGETS, score), (Contrast(TARGETS, OTHERS), contrast)],
    ids=["class", "contrast"],
)
def test_grad_cam_agrees(net, images, target, wanted):
    ours = maps.compute(net, images, method=GradCam(), target=target)
    other = theirs(peer("gradcam").Gradcam, net, images, wanted)
    assert_close(ours.raw, other)


def test_layercam_agrees(net, images):
    ours = maps.compute(net, images, method=LayerCam(), target=TARGETS)
    other = theirs(peer("layercam").Layercam, net, images, score)
    assert_close(ours.raw, other)


def test_hirescam_is_its_layercam_with_negative_gradients_kept(net, images):
    ours = maps.compute(net, images, method=HiResCam(), target=TARGETS)
    kind = peer("layercam").Layercam
    other = theirs(kind, net, images, score, gradient_modifier=None)
    assert_close(ours.raw, other)


def test_smoothgrad_without_noise_is_its_plain_gradient(net, images):
    method = SmoothGrad(samples=1, noise=0.0)
    ours = maps.compute(net, images, method=method, target=TARGETS)
    other = peer("saliency").Saliency(net, clone=False)(
        score,
        images.astype("float32"),
        keepdims=True,
        gradient_modifier=None,
        normalize_map=False,
    )
    assert_close(ours.raw, np.asarray(other).sum(axis=-1))


def test_smoothgrad_agrees_with_its_plain_gradient_on_the_same_noise(net, images):
    method = SmoothGrad(samples=3, noise=0.1, seed=4)
    ours = maps.compute(net, images, method=method, target=TARGETS)
    pixels = images.astype("float32")
    reach = np.ptp(pixels, axis=(1, 2, 3))[:, None, None, None]
    random = np.random.default_rng(4)
    total = 0
    for _ in range(3):
        noise = random.standard_normal((32, 32, 3), np.float32)
        total += peer("saliency").Saliency(net, clone=False)(
            score,
            pixels + 0.1 * reach * noise,
            keepdims=True,
            gradient_modifier=None,
            normalize_map=False,
        )
    assert_close(ours.raw, np.asarray(total).sum(axis=-1) / 3)

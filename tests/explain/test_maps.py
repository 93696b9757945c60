"""The promises that hold for every method, and oracles for whole models."""

import functools
import json

import keras
import numpy as np
import pytest
from keras import layers

from tessera.explain import gradients, maps, methods, pixels
from tessera.explain.explanations import CLASS_AGNOSTIC, SQUASHED
from tessera.explain.graph import CoarseGrid, ExplainError
from tessera.explain.methods import (
    AttentionRollout,
    EigenCam,
    GradCam,
    GradCamPlusPlus,
    HiResCam,
    IntegratedGradients,
    LayerCam,
    Occlusion,
    SmoothGrad,
)
from tessera.explain.targets import Contrast

EVERY = [kind() for kind in methods.METHODS]
LINEAR = [GradCam(), HiResCam(), IntegratedGradients(), SmoothGrad(), Occlusion()]
"""Methods whose maps are linear in the score."""


def compute(net, images, method, **options):
    if isinstance(method, AttentionRollout):
        options["grid"] = (8, 8)
    return maps.compute(net, images, method=method, **options)


def by_name(method):
    return method.name


@pytest.fixture(scope="module")
def net(nonlinear):
    """A hybrid with attention and a non-linear head, whose weights nobody changes."""
    return nonlinear()


def compiled(net):
    """A model for a method: on pixels, one that is compiled once for many calls."""
    lens = pixels.lens(net)
    return lambda method: lens if method.where == "pixels" else net


@pytest.fixture(scope="module")
def ready(net):
    return compiled(net)


@pytest.fixture(scope="module")
def other(nonlinear):
    """The same model again, for `twin`."""
    net = nonlinear()
    return net, net.get_weights(), compiled(net)


@pytest.fixture
def twin(other):
    """The same model, whose head a test may change, and as `compiled` gives it."""
    net, weights, ready = other
    yield net.get_layer("logits"), ready
    net.set_weights(weights)


@pytest.fixture(scope="module")
def plain(ready, images):
    """A method's maps of all ten images at once, computed when first asked for."""

    @functools.cache
    def explain(method, target="predicted"):
        return compute(ready(method), images, method, target=target)

    return explain


@pytest.mark.parametrize("method", EVERY, ids=by_name)
def test_every_method_gives_raw_float32_maps_and_says_what_they_are(
    net, images, plain, method
):
    found = plain(method)
    assert found.raw.dtype == np.float32 and len(found.raw) == len(images)
    assert found.method == method.label
    np.testing.assert_array_equal(found.targets, found.predicted)
    np.testing.assert_allclose(
        found.logits, np.asarray(net(images.astype("float32"))), atol=1e-6
    )
    assert not np.array_equal(found.raw[0], found.raw[1])


@pytest.mark.parametrize("method", EVERY, ids=by_name)
def test_every_image_of_a_batch_is_explained_as_if_alone(ready, images, plain, method):
    together = compute(ready(method), images, method, batch_size=4).raw
    alone = compute(ready(method), images[5:6], method).raw
    scale = np.abs(together).max()
    np.testing.assert_allclose(together, plain(method).raw, atol=1e-5 * scale)
    np.testing.assert_allclose(together[5:6], alone, atol=1e-5 * scale)


@pytest.mark.parametrize("method", EVERY, ids=by_name)
def test_permuting_the_images_permutes_the_maps(ready, images, plain, method):
    order = np.random.default_rng(1).permutation(len(images))
    straight = plain(method).raw
    permuted = compute(ready(method), images[order], method).raw
    scale = np.abs(straight).max()
    np.testing.assert_allclose(straight[order], permuted, atol=1e-5 * scale)


@pytest.mark.parametrize("method", EVERY, ids=by_name)
def test_adding_a_constant_to_the_logits_leaves_the_maps(twin, images, plain, method):
    (head, ready), before = twin, plain(method).raw
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + 3])
    after = compute(ready(method), images, method).raw
    # Occlusion subtracts logits, so their rounding stays.
    np.testing.assert_allclose(before, after, atol=1e-4 * np.abs(before).max())


@pytest.mark.parametrize("method", LINEAR, ids=by_name)
def test_scaling_the_head_scales_the_raw_maps(twin, images, plain, method):
    (head, ready), before = twin, plain(method).raw
    kernel, bias = head.get_weights()
    head.set_weights([3 * kernel, bias])
    after = compute(ready(method), images, method).raw
    np.testing.assert_allclose(after, 3 * before, atol=1e-5 * np.abs(after).max())


@pytest.mark.parametrize("method", LINEAR, ids=by_name)
def test_a_contrast_is_the_difference_of_two_maps(ready, images, plain, method):
    one, other = (plain(method, target).raw for target in (1, 3))
    found = compute(ready(method), images, method, target=Contrast(1, 3))
    scale = np.abs(one).max()
    np.testing.assert_allclose(found.raw, one - other, atol=1e-5 * scale)
    assert found.targets.tolist() == [1] * 10 and found.against.tolist() == [3] * 10


@pytest.mark.parametrize("method", EVERY, ids=by_name)
def test_each_image_may_have_a_target_of_its_own(ready, images, plain, method):
    targets = np.arange(10) % 5
    mixed = compute(ready(method), images, method, target=targets)
    single = plain(method, 3)
    scale = np.abs(single.raw).max()
    np.testing.assert_allclose(
        mixed.raw[targets == 3], single.raw[targets == 3], atol=1e-5 * scale
    )
    if not methods.class_specific(method):
        np.testing.assert_allclose(mixed.raw, single.raw, atol=1e-6 * scale)
        assert CLASS_AGNOSTIC in mixed.cautions


def test_a_softmax_that_cannot_be_seen_comes_with_a_caution():
    pixels = keras.Input((8, 8, 1))
    flat = layers.Flatten()(layers.Conv2D(2, 3, name="conv")(pixels))
    values = layers.Dense(3, name="values")(flat)
    images = np.random.default_rng(0).random((4, 8, 8, 1))
    for last, told in (
        (layers.Lambda(keras.activations.softmax)(values), True),
        (layers.Softmax()(values), False),
        (values, False),
    ):
        found = compute(keras.Model(pixels, last), images, GradCam(), layer="conv")
        assert (SQUASHED in found.cautions) == told


@pytest.fixture(scope="module")
def saved(net, tmp_path_factory):
    """The model, from a file."""
    path = tmp_path_factory.mktemp("saved") / "net.keras"
    net.save(path)
    return keras.models.load_model(path)


@pytest.mark.parametrize("method", EVERY, ids=by_name)
def test_a_model_is_left_as_it_was_and_a_saved_one_gives_the_same(
    saved, images, plain, method
):
    def state():
        return (
            json.dumps(saved.get_config(), default=str),
            [layer.trainable for layer in saved.layers],
            [len(layer._inbound_nodes) for layer in saved.layers],
        )

    before, weights = state(), [w.copy() for w in saved.get_weights()]
    found = compute(saved, images, method)
    assert state() == before
    for one, other in zip(weights, saved.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(
        found.raw, plain(method).raw, atol=1e-6 * np.abs(found.raw).max()
    )


FLIPPED = [m for m in EVERY if not isinstance(m, SmoothGrad | AttentionRollout)]


@pytest.mark.parametrize("method", FLIPPED, ids=by_name)
def test_flipping_the_image_flips_the_map_of_a_flip_symmetric_model(images, method):
    # SmoothGrad's noise is not symmetric, and this model has no attention.
    keras.utils.set_random_seed(1)
    pixels = keras.Input((8, 8, 3))
    features = layers.Conv2D(4, 3, padding="same", activation="relu", name="features")
    pooled = layers.GlobalAveragePooling2D()(features(pixels))
    net = keras.Model(pixels, layers.Dense(3)(layers.Dense(6, "tanh")(pooled)))
    kernel, bias = features.get_weights()
    features.set_weights([(kernel + kernel[:, ::-1]) / 2, bias])
    pictures = (images / 255).astype(np.float32)
    straight = compute(net, pictures, method).raw
    flipped = compute(net, pictures[:, :, ::-1], method).raw
    scale = np.abs(straight).max()
    np.testing.assert_allclose(straight[:, :, ::-1], flipped, atol=1e-5 * scale)


class Oracle:
    """A 1x1 convolution, ReLU, flatten, dense-ReLU-dense model, in float64 by hand."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.kernel, self.bias = random.normal(size=(3, 5)), random.normal(size=5)
        self.hidden = random.normal(size=(4 * 4 * 5, 7)) / 5
        self.shift = random.normal(size=7)
        self.top = random.normal(size=(7, 3))

    def model(self):
        pixels = keras.Input((4, 4, 3))
        maps_ = layers.Conv2D(5, 1, activation="relu", name="features")
        first, last = layers.Dense(7, "relu"), layers.Dense(3)
        net = keras.Model(pixels, last(first(layers.Flatten()(maps_(pixels)))))
        maps_.set_weights([self.kernel[None, None], self.bias])
        first.set_weights([self.hidden, self.shift])
        last.set_weights([self.top, np.zeros(3)])
        return net

    def maps(self, images):
        """Features and every logit's gradient there, by the chain rule."""
        features = np.maximum(images @ self.kernel + self.bias, 0)
        inner = features.reshape(len(images), -1) @ self.hidden + self.shift
        slope = (inner > 0)[:, :, None] * self.top[None]  # [N, 7, 3]
        gradient = np.einsum("ij,njc->nic", self.hidden, slope)
        return features, gradient.reshape(len(images), 4, 4, 5, 3)


@pytest.mark.parametrize(
    "method", [GradCam(), HiResCam(), LayerCam(), GradCamPlusPlus()], ids=by_name
)
@pytest.mark.parametrize("seed", [0, 1])
def test_maps_of_a_whole_model_agree_with_a_derivation_by_hand(method, seed):
    oracle = Oracle(seed)
    pictures = np.random.default_rng(seed).normal(size=(6, 4, 4, 3))
    features, gradient = oracle.maps(pictures)
    for c in range(3):
        g = gradient[..., c]
        match method:
            case GradCam():
                cells = np.broadcast_to(g.mean(axis=(1, 2), keepdims=True), g.shape)
            case HiResCam():
                cells = g
            case LayerCam():
                cells = np.maximum(g, 0)
            case GradCamPlusPlus():
                below = 2 * g**2 + features.sum(axis=(1, 2), keepdims=True) * g**3
                with np.errstate(divide="ignore", invalid="ignore"):
                    alpha = np.where(below == 0, 0, g**2 / below)
                weights = (alpha * np.maximum(g, 0)).sum(axis=(1, 2), keepdims=True)
                cells = np.broadcast_to(weights, g.shape)
        expected = (cells * features).sum(axis=-1)
        found = maps.compute(
            oracle.model(), pictures.astype("float32"), method=method, target=c
        )
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found.raw, expected, atol=2e-5 * scale)


def test_golden_maps_of_a_model_small_enough_for_paper(linear):
    # features = (x, -2x), logit 1 = mean(3 x) + mean(-2x): g = (3, 1) / 64.
    net = linear([1.0, -2.0], [[0.0, 3.0], [0.0, 1.0]])
    image = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1) / 8
    x = image[0, ..., 0]
    total = x.sum()  # S = (total, -2 total)
    alphas = 1 / (2 + total * 3 / 64), 1 / (2 - 2 * total / 64)
    weights = 64 * alphas[0] * 3 / 64, 64 * alphas[1] / 64
    golden = {
        GradCam(): x / 64,
        HiResCam(): x / 64,
        LayerCam(): x / 64,
        GradCamPlusPlus(): weights[0] * x - 2 * weights[1] * x,
        EigenCam(): np.sqrt(5) * x,  # v1 = (1, -2) / sqrt(5)
        IntegratedGradients(): x / 64,  # the logit is linear in the pixels
        SmoothGrad(): np.full((8, 8), 1 / 64),
        Occlusion(window=1.0, fill=0.0): x / 64,
    }
    for method, expected in golden.items():
        found = maps.compute(net, image, method=method, target=1)
        np.testing.assert_allclose(found.raw[0], expected, rtol=1e-4, atol=1e-6)


def test_hirescams_residual_is_nothing_where_the_head_is_affine(hybrid, images):
    net = hybrid()
    tokens = next(x.name for x in net.layers if x.name.startswith("multi_head"))
    for target in ("predicted", 2, Contrast(1, 2)):
        pixels = keras.Input((8, 8, 3))
        conv = layers.Conv2D(4, 3, name="features")(pixels)
        affine = keras.Model(pixels, layers.Dense(5)(layers.Flatten()(conv)))
        found = maps.compute(affine, images, method=HiResCam(), target=target)
        assert np.abs(found.residuals).max() < 1e-4 * np.abs(found.logits).max()
    # Attention follows the shared map, and other paths go around the tokens.
    assert maps.compute(net, images, method=HiResCam()).residuals is None
    inside = maps.compute(net, images, method=HiResCam(), layer=tokens, grid=(8, 8))
    assert inside.residuals is None


def test_where_a_token_has_no_cell_the_sum_of_a_map_has_no_residual(images):
    pixels = keras.Input(images.shape[1:])
    values = layers.Dense(17 * 2)(layers.Flatten()(pixels))
    values = layers.Reshape((17, 2), name="tokens")(values)
    net = keras.Model(pixels, layers.Dense(3)(layers.Flatten()(values)))
    where = {"method": HiResCam(), "layer": "tokens", "grid": (4, 4), "leading": 1}
    assert maps.compute(net, images, **where).residuals is None


def test_the_gradient_of_a_probability_is_a_contrast_that_fades_with_certainty(net):
    # d p_c = p_c (dy_c - sum_d p_d dy_d): why logits are explained, not probabilities.
    image = np.random.default_rng(0).random((1, 8, 8, 3), np.float32) * 255
    cut = gradients.cut(net, "features")
    features = next(gradients.batches(cut, image)).features

    def probability(maps_, scale=1.0):
        head = keras.Function([net.get_layer("features").output], net.outputs)
        logits = head([keras.ops.convert_to_tensor(maps_)])[0]
        return np.asarray(keras.ops.softmax(logits * scale))[0]

    p = probability(features)
    direction = (p[2] * (np.eye(5)[2] - p)).astype(np.float32)[None]
    slope = next(gradients.batches(cut, image, direction)).gradients
    place = np.unravel_index(np.abs(slope).argmax(), slope.shape)
    step = np.zeros_like(features)
    step[place] = 0.01
    difference = (probability(features + step) - probability(features - step))[2] / 0.02
    assert slope[place] == pytest.approx(difference, rel=0.02)
    # The same model, undecided and sure of its answer.
    best = p.argmax()
    fading = []
    for scale in (1, 1e4):
        sure = probability(features, scale)
        rows = (sure[best] * (np.eye(5)[best] - sure)).astype(np.float32)[None]
        batch = next(gradients.batches(cut, image, rows))
        fading.append(np.abs(batch.gradients).max())
    assert fading[1] < 1e-6 * fading[0]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"method": IntegratedGradients(), "layer": "features"}, "explains the pixels"),
        ({"method": AttentionRollout(), "layer": "features"}, "the attention"),
        ({"method": Occlusion(), "grid": (8, 8)}, r"grid: expected none.*\(8, 8\)"),
        ({"method": Occlusion(), "leading": 1}, "leading: expected none.*pixels"),
        ({"target": 9}, "classes from 0 to 4"),
    ],
)
def test_a_setting_that_has_no_use_is_refused(net, images, options, message):
    with pytest.raises(ExplainError, match=message):
        maps.compute(net, images, **options)


def test_no_images_are_refused(net, images):
    with pytest.raises(ExplainError, match="at least one"):
        maps.compute(net, images[:0])


@pytest.mark.parametrize("method", EVERY, ids=by_name)
@pytest.mark.parametrize("shape", [(2, 8, 9, 3), (2, 8, 8, 1)])
def test_images_of_another_size_than_the_model_takes_are_refused(net, method, shape):
    grid = (8, 8) if isinstance(method, AttentionRollout) else None
    with pytest.raises(ExplainError, match=r"takes, \[N, 8, 8, 3\]. Received: \[2, 8"):
        maps.compute(net, np.zeros(shape, np.float32), method=method, grid=grid)


@pytest.mark.parametrize("method", EVERY, ids=by_name)
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_an_image_that_is_no_numbers_is_named(net, method, broken):
    grid = (8, 8) if isinstance(method, AttentionRollout) else None
    images = np.zeros((3, 8, 8, 3), np.float32)
    images[1, 4, 4] = broken
    with pytest.raises(ExplainError, match="in 1 of 3, the first at 1"):
        maps.compute(net, images, method=method, grid=grid)


def test_a_layer_that_is_no_name_is_refused_in_words(net, images):
    with pytest.raises(ExplainError, match="layer: expected one whose output"):
        maps.compute(net, images, layer=net.get_layer("features"))


@pytest.mark.parametrize("wrong", [[[0.5]], "cat.jpg", None, np.zeros((8, 8, 3))])
def test_what_is_no_array_of_images_is_refused(net, wrong):
    with pytest.raises(ExplainError, match=r"images: expected an array \[N, H, W, C\]"):
        maps.compute(net, wrong)


def test_a_method_by_its_bare_name_or_no_model_is_refused_in_words(net, images):
    with pytest.raises(ExplainError, match=r"method: .*Received: 'hirescam'"):
        maps.compute(net, images, method="hirescam")
    with pytest.raises(ExplainError, match=r"model: expected a Keras model.*str"):
        maps.compute("model.keras", images)


def test_a_model_cut_once_serves_many_calls_and_follows_its_weights(nonlinear, images):
    net = nonlinear()
    cut = gradients.cut(net, "features")
    for scale in (1, 2):
        net.get_layer("features").set_weights(
            [scale * w for w in net.get_layer("features").get_weights()]
        )
        compiled, eager = (maps.compute(m, images).raw for m in (cut, net))
        limit = 1e-5 * np.abs(eager).max()
        np.testing.assert_allclose(compiled, eager, atol=limit)
    with pytest.raises(ExplainError, match="cut at 'features'"):
        maps.compute(cut, images, method=Occlusion())


@pytest.mark.parametrize("layer", ["reshape", "multi_head"])
def test_a_token_layer_is_explained_on_its_stated_grid(net, images, layer):
    name = next(x.name for x in net.layers if x.name.startswith(layer))
    found = maps.compute(net, images, layer=name, grid=(8, 8))
    assert found.raw.shape == (10, 8, 8)
    assert any(repr(name) in caution for caution in found.cautions)


def test_a_lit_token_lights_the_map_where_it_is():
    # The head reads token 2 * 8 + 5 alone.
    pixels = keras.Input((8, 8, 1))
    tokens = layers.Reshape((64, 1), name="tokens")(pixels)
    logits = layers.Dense(2)
    net = keras.Model(pixels, logits(layers.Flatten()(tokens)))
    kernel = np.zeros((64, 2))
    kernel[2 * 8 + 5, 0] = 1
    logits.set_weights([kernel, np.zeros(2)])
    found = maps.compute(
        net, np.ones((1, 8, 8, 1)), method=HiResCam(), layer="tokens", grid=(8, 8)
    )
    assert np.argwhere(found.raw[0]).tolist() == [[2, 5]]


def test_a_layer_inside_a_nested_model_gives_what_it_gives_unnested(images):
    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 3))
    conv = layers.Conv2D(4, 3, padding="same", activation="tanh", name="conv5")
    top = layers.Dense(3)
    pool = layers.GlobalAveragePooling2D()
    flat = keras.Model(pixels, top(layers.Activation("tanh")(pool(conv(pixels)))))
    inside = keras.Input((8, 8, 3))
    backbone = keras.Model(inside, conv(inside), name="backbone")
    outer = keras.Input((8, 8, 3))
    net = keras.Model(outer, top(layers.Activation("tanh")(pool(backbone(outer)))))
    nested = maps.compute(net, images, layer="backbone/conv5")
    plain = maps.compute(flat, images, layer="conv5")
    np.testing.assert_allclose(nested.raw, plain.raw, atol=1e-7)
    assert nested.layer == "backbone/conv5" and not nested.cautions


def test_a_coarse_map_is_refused_and_a_small_one_cautioned():
    def one(side):
        pixels = keras.Input((side, side, 1))
        conv = layers.Conv2D(2, 1, name="features")(pixels)
        net = keras.Model(pixels, layers.Dense(2)(layers.Flatten()(conv)))
        return maps.compute(net, np.ones((1, side, side, 1)), layer="features")

    with pytest.raises(CoarseGrid, match="3 x 3"):
        one(3)
    assert any("7 x 7" in caution for caution in one(7).cautions)
    assert not one(8).cautions


@pytest.fixture(scope="module")
def mixed(nonlinear):
    """The same model in mixed precision."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return compiled(nonlinear())
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("method", EVERY, ids=by_name)
def test_mixed_precision_is_explained_in_float32_within_its_rounding(
    mixed, images, plain, method
):
    exact = plain(method, 3).raw
    rounded = compute(mixed(method), images, method, target=3).raw
    assert rounded.dtype == np.float32
    scale = np.abs(exact).max()
    # On pixels, many small differences of logits that are rounded to half precision.
    tolerance = 0.15 if method.where == "pixels" else 0.03
    np.testing.assert_allclose(rounded / scale, exact / scale, atol=tolerance)

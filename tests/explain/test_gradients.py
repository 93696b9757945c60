"""The gradient at a cut: complete, per image, and without a trace in the model."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from tessera.explain import gradients, graph


def everything(net, layer, images, directions=None, **options):
    parts = list(
        gradients.batches(gradients.cut(net, layer), images, directions, **options)
    )
    return [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("features", "gradients", "logits")
    ]


def direction(classes, wanted, rows):
    return np.tile(np.eye(classes, dtype=np.float32)[wanted], (rows, 1))


def test_the_logits_at_the_cut_are_the_models_own(hybrid, images):
    net = hybrid()
    _, _, logits = everything(net, "features", images)
    expected = np.asarray(net(images.astype("float32"), training=False))
    np.testing.assert_allclose(logits, expected, atol=1e-6)


def test_the_gradient_agrees_with_finite_differences(hybrid, images):
    net = hybrid()
    cut = gradients.cut(net, "features")
    wanted = direction(5, 2, 1)
    batch = next(gradients.batches(cut, images[:1], wanted))
    head = keras.Function([net.get_layer("features").output], net.outputs)
    step = np.zeros_like(batch.features)
    step[0, 3, 4, 1] = 0.05
    up, down = (
        np.asarray(head([keras.ops.convert_to_tensor(batch.features + s)])[0])[0, 2]
        for s in (step, -step)
    )
    slope = batch.gradients[0, 3, 4, 1]
    assert slope == pytest.approx((up - down) / 0.1, rel=0.02)


def test_everything_is_float32(hybrid, images):
    for array in everything(hybrid(), "features", images):
        assert array.dtype == np.float32


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_the_batch_size_does_not_change_the_gradient(hybrid, images, batch_size):
    net = hybrid()
    whole = everything(net, "features", images)
    parts = everything(net, "features", images, batch_size=batch_size)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_permuting_the_images_permutes_the_gradients(hybrid, images):
    net = hybrid()
    order = np.random.default_rng(1).permutation(len(images))
    _, straight, _ = everything(net, "features", images)
    _, permuted, _ = everything(net, "features", images[order])
    np.testing.assert_allclose(straight[order], permuted, atol=1e-6)


def test_without_directions_the_predicted_class_is_explained(hybrid, images):
    net = hybrid()
    _, by_default, logits = everything(net, "features", images)
    wanted = np.eye(5, dtype=np.float32)[logits.argmax(axis=1)]
    _, asked, _ = everything(net, "features", images, wanted)
    np.testing.assert_array_equal(by_default, asked)


def test_the_gradient_of_a_contrast_is_the_difference_of_gradients(hybrid, images):
    net = hybrid()
    rows = len(images)
    one, other = direction(5, 1, rows), direction(5, 3, rows)
    contrast = everything(net, "features", images, one - other)[1]
    parts = [everything(net, "features", images, d)[1] for d in (one, other)]
    np.testing.assert_allclose(contrast, parts[0] - parts[1], atol=1e-6)


def test_the_gradients_of_both_branches_add_up_to_the_whole(hybrid, images):
    net = hybrid()
    wanted = direction(5, 0, len(images))
    whole = everything(net, "features", images, wanted)[1]
    kernel, bias = net.get_layer("logits").get_weights()
    branches = []
    for rows in (slice(0, 6), slice(6, 10)):
        alone = np.zeros_like(kernel)
        alone[rows] = kernel[rows]
        net.get_layer("logits").set_weights([alone, bias])
        branches.append(everything(net, "features", images, wanted)[1])
    assert all(np.abs(branch).max() > 1e-4 for branch in branches)
    scale = np.abs(whole).max()
    np.testing.assert_allclose(sum(branches) / scale, whole / scale, atol=1e-6)


def test_a_cut_follows_the_models_weights(hybrid, images):
    net = hybrid()
    cut = gradients.cut(net, "features")
    wanted = direction(5, 0, len(images))
    before = next(gradients.batches(cut, images, wanted)).gradients
    kernel, bias = net.get_layer("logits").get_weights()
    net.get_layer("logits").set_weights([2 * kernel, bias])
    after = next(gradients.batches(cut, images, wanted)).gradients
    np.testing.assert_allclose(after, 2 * before, rtol=1e-5)


def test_the_model_is_left_as_it_was(hybrid, images):
    net = hybrid()
    net.compile("adam", "mse")

    def state():
        return (
            json.dumps(net.get_config(), default=str),
            [layer.trainable for layer in net.layers],
            [len(layer._inbound_nodes) for layer in net.layers],
            net.compiled,
        )

    before, weights = state(), [w.copy() for w in net.get_weights()]
    everything(net, "features", images)
    assert state() == before
    for one, other in zip(weights, net.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_dropout_and_batch_statistics_play_no_part(hybrid, images):
    net = hybrid()
    first = everything(net, "features", images)
    second = everything(net, "features", images)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_layer_inside_one_branch_is_explained_with_a_caution(images):
    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, padding="same", name="features")(pixels)
    branch = layers.Conv2D(4, 3, padding="same", name="branch")(maps)
    joined = layers.Add(name="sum")([maps, branch])
    pooled = layers.GlobalAveragePooling2D()(joined)
    net = keras.Model(pixels, layers.Dense(2)(pooled))
    whole, part = gradients.cut(net, "sum"), gradients.cut(net, "branch")
    wanted = direction(2, 0, len(images))
    # The sum passes a gradient on unchanged, so both cuts must see the same one.
    np.testing.assert_allclose(
        next(gradients.batches(whole, images, wanted)).gradients,
        next(gradients.batches(part, images, wanted)).gradients,
        atol=1e-7,
    )
    assert whole.complete and not gradients.cautions(whole, 8, 8)
    (caution,) = gradients.cautions(part, 8, 8)
    assert "'branch'" in caution


def test_a_grid_known_only_from_the_images_is_checked_too(linear):
    pixels = keras.Input((None, None, 1))
    maps = layers.Conv2D(2, 1, name="features")(pixels)
    net = keras.Model(pixels, layers.Dense(2)(layers.GlobalAveragePooling2D()(maps)))
    cut = gradients.cut(net, "features")
    assert next(gradients.batches(cut, np.ones((1, 5, 6, 1)))).features.shape[1] == 5
    with pytest.raises(graph.CoarseGrid, match="5 x 3"):
        next(gradients.batches(cut, np.ones((1, 5, 3, 1))))


@pytest.mark.parametrize(
    "softmax", [layers.Softmax(), layers.Activation("softmax")], ids=["layer", "name"]
)
def test_a_softmax_after_the_logits_is_left_away(hybrid, images, softmax):
    net = hybrid()
    with_probabilities = keras.Model(net.inputs, softmax(net.outputs[0]))
    for one, other in zip(
        everything(net, "features", images),
        everything(with_probabilities, "features", images),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_sequential_model_is_explained_too(images):
    net = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(2, 3, name="features"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    features, _, logits = everything(net, "features", images)
    assert features.shape == (10, 6, 6, 2) and logits.shape == (10, 2)

"""Grad-CAM against closed forms, and the promises that hold for every model."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.experiment import Cnn, Hybrid
from tessera.explain import blank, gradcam, gradients
from tessera.explain.graph import ExplainError
from tessera.models import build


def test_a_hand_set_model_gives_the_closed_form(linear):
    # features = (x, -2x); logit 1 = 3 mean(x) + 1 mean(-2x).
    # Gradient at every one of 64 cells: (3, 1) / 64; map = (3x - 2x) / 64 = x / 64.
    net = linear([1.0, -2.0], [[0.0, 3.0], [0.0, 1.0]])
    image = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    explained = gradcam.explain(net, image, targets=np.array([1]))
    np.testing.assert_allclose(explained.raw[0], image[0, ..., 0] / 64, rtol=1e-5)
    np.testing.assert_allclose(explained.logits[0], [0, image.mean()], rtol=1e-5)


def test_after_a_global_average_grad_cam_is_cam_and_hirescam(images):
    # Zhou et al. 2016: CAM = sum_k W_kc A_k; Grad-CAM is CAM / Z; the gradient is
    # constant over the grid, so weighting each cell by its own (HiResCAM) is the same.
    keras.utils.set_random_seed(3)
    pixels = keras.Input((8, 8, 3))
    maps = layers.Conv2D(5, 3, padding="same", name="features")(pixels)
    head = layers.Dense(4)
    net = keras.Model(pixels, head(layers.GlobalAveragePooling2D()(maps)))
    explained = gradcam.explain(net, images)
    batch = next(gradients.batches(gradients.cut(net, "features"), images))
    kernel, _ = head.get_weights()
    cam = np.einsum("nhwk,kn->nhw", batch.features, kernel[:, explained.targets])
    hirescam = (batch.features * batch.gradients).sum(axis=-1)
    scale = np.abs(cam).max()
    np.testing.assert_allclose(explained.raw * 64 / scale, cam / scale, atol=1e-6)
    np.testing.assert_allclose(
        explained.raw * 64 / scale, hirescam * 64 / scale, atol=1e-6
    )


def test_a_lit_cell_lights_the_map_where_it_is(linear):
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[0, 2, 5, 0] = 1
    explained = gradcam.explain(linear([1.0], [[1.0, -1.0]]), image)
    assert np.argwhere(explained.raw[0] > 0).tolist() == [[2, 5]]


def test_a_lit_token_lights_the_map_where_it_is():
    # Tokens are cells in row order; the head reads token 2 * 8 + 5 alone.
    pixels = keras.Input((8, 8, 1))
    maps = layers.Conv2D(1, 1, kernel_initializer="ones", name="features")(pixels)
    tokens = layers.Reshape((64, 1))(maps)
    logits = layers.Dense(2, name="logits")
    net = keras.Model(pixels, logits(layers.Flatten()(tokens)))
    kernel = np.zeros((64, 2))
    kernel[2 * 8 + 5, 0] = 1
    logits.set_weights([kernel, np.zeros(2)])
    batch = next(
        gradients.batches(
            gradients.cut(net, "features"),
            np.ones((1, 8, 8, 1)),
            np.array([[1, 0]], np.float32),
        )
    )
    assert np.argwhere(batch.gradients[0, ..., 0]).tolist() == [[2, 5]]


@pytest.mark.parametrize("kept", [slice(0, 6), slice(6, 10)], ids=["cnn", "tokens"])
def test_with_one_branch_cut_the_map_is_the_other_branchs_alone(hybrid, images, kept):
    net = hybrid()
    kernel, bias = net.get_layer("logits").get_weights()
    alone = np.zeros_like(kernel)
    alone[kept] = kernel[kept]
    net.get_layer("logits").set_weights([alone, bias])
    branch_output = net.get_layer("u" if kept.start == 0 else "v").output
    head = layers.Dense(5)
    branch = keras.Model(net.inputs, head(branch_output))
    head.set_weights([kernel[kept], bias])
    targets = np.zeros(len(images), np.int32)
    cut_net = gradcam.explain(net, images, targets=targets)
    by_itself = gradcam.explain(branch, images, targets=targets)
    assert np.abs(by_itself.raw).max() > 1e-4
    np.testing.assert_allclose(cut_net.raw, by_itself.raw, atol=1e-7)


def test_both_branches_of_the_studys_hybrid_reach_the_map(images):
    hybrid = build.build(Hybrid(), (32, 32, 3), 10, seed=0)
    images = images.repeat(4, axis=1).repeat(4, axis=2)
    targets = np.zeros(len(images), np.int32)
    whole = gradcam.explain(hybrid, images, targets=targets).raw
    kernel, bias = hybrid.get_layer("head").get_weights()
    maps = {}
    for branch, rows in (("cnn", slice(0, 128)), ("tokens", slice(128, 256))):
        alone = np.zeros_like(kernel)
        alone[rows] = kernel[rows]
        hybrid.get_layer("head").set_weights([alone, bias])
        maps[branch] = gradcam.explain(hybrid, images, targets=targets).raw
    cnn = build.build(Cnn(), (32, 32, 3), 10, seed=1)
    for layer in ("conv1", "conv2", "features", "logits"):
        cnn.get_layer(layer).set_weights(hybrid.get_layer(layer).get_weights())
    cnn.get_layer("head").set_weights([kernel[:128], bias])
    baseline = gradcam.explain(cnn, images, targets=targets).raw
    scale = np.abs(baseline).max()
    np.testing.assert_allclose(maps["cnn"] / scale, baseline / scale, atol=1e-5)
    for branch in maps.values():
        assert np.abs(branch - whole).max() > 0.1 * np.abs(whole).max()
        assert np.abs(branch).max() > 0.1 * np.abs(whole).max()


def test_signed_maps_of_the_branches_add_up_to_the_total(hybrid, images):
    net = hybrid()
    targets = np.full(len(images), 4, np.int32)
    total = gradcam.explain(net, images, targets=targets).raw
    kernel, bias = net.get_layer("logits").get_weights()
    parts = []
    for kept in (slice(0, 6), slice(6, 10)):
        alone = np.zeros_like(kernel)
        alone[kept] = kernel[kept]
        net.get_layer("logits").set_weights([alone, bias])
        parts.append(gradcam.explain(net, images, targets=targets).raw)
    np.testing.assert_allclose(sum(parts), total, atol=1e-6 * np.abs(total).max())


def test_every_image_of_a_batch_is_explained_as_if_alone(hybrid, images):
    net = hybrid()
    together = gradcam.explain(net, images)
    alone = [gradcam.explain(net, images[i : i + 1]).raw[0] for i in range(2)]
    np.testing.assert_allclose(together.raw[:2], alone, atol=1e-6)


def test_flipping_the_image_flips_the_map_of_a_flip_symmetric_model(images):
    keras.utils.set_random_seed(1)
    pixels = keras.Input((8, 8, 3))
    features = layers.Conv2D(4, 3, padding="same", activation="relu", name="features")
    maps = features(pixels)
    pooled = layers.GlobalAveragePooling2D()(maps)
    net = keras.Model(pixels, layers.Dense(3)(layers.Dense(6, "tanh")(pooled)))
    kernel, bias = features.get_weights()
    features.set_weights([(kernel + kernel[:, ::-1]) / 2, bias])
    straight = gradcam.explain(net, images / 255)
    flipped = gradcam.explain(net, images[:, :, ::-1] / 255)
    np.testing.assert_allclose(straight.raw[:, :, ::-1], flipped.raw, atol=1e-6)


def test_adding_a_constant_to_the_logits_leaves_the_maps(hybrid, images):
    net = hybrid()
    before = gradcam.explain(net, images).raw
    kernel, bias = net.get_layer("logits").get_weights()
    net.get_layer("logits").set_weights([kernel, bias + 7])
    np.testing.assert_allclose(gradcam.explain(net, images).raw, before, atol=1e-7)


def test_scaling_the_head_scales_the_raw_maps(hybrid, images):
    net = hybrid()
    before = gradcam.explain(net, images).raw
    kernel, bias = net.get_layer("logits").get_weights()
    net.get_layer("logits").set_weights([3 * kernel, bias])
    np.testing.assert_allclose(gradcam.explain(net, images).raw, 3 * before, rtol=1e-4)


def test_evidence_only_against_is_kept_signed_and_named(linear):
    net = linear([1.0], [[-1.0, -2.0]])
    image = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    explained = gradcam.explain(net, image)
    assert explained.raw.max() < 0
    assert explained.reasons.tolist() == [blank.NO_POSITIVE_EVIDENCE]


def test_a_dead_head_is_named_a_zero_gradient(linear):
    explained = gradcam.explain(linear([1.0], [[0.0, 0.0]]), np.ones((1, 8, 8, 1)))
    assert explained.reasons.tolist() == [blank.ZERO_GRADIENT]
    assert explained.raw.tolist() == np.zeros((1, 8, 8)).tolist()


def test_targets_default_to_the_predicted_class(hybrid, images):
    explained = gradcam.explain(hybrid(), images)
    np.testing.assert_array_equal(explained.targets, explained.logits.argmax(axis=1))
    np.testing.assert_array_equal(explained.targets, explained.predicted)


def test_each_image_may_have_a_target_of_its_own(hybrid, images):
    net = hybrid()
    targets = np.arange(10) % 5
    mixed = gradcam.explain(net, images, targets=targets)
    np.testing.assert_array_equal(mixed.targets, targets)
    for c in (0, 3):
        single = gradcam.explain(net, images, targets=np.full(10, c))
        np.testing.assert_allclose(
            mixed.raw[targets == c], single.raw[targets == c], atol=1e-7
        )


@pytest.mark.parametrize(
    "targets, message",
    [
        (np.array([0, 1]), r"one class index per image, int \[10\]"),
        (np.zeros(10), "Received: float64"),
        (np.full(10, 5), "classes from 0 to 4. Received: 5"),
        (np.full(10, -1), "classes from 0 to 4. Received: -1"),
    ],
)
def test_targets_that_do_not_fit_are_refused(hybrid, images, targets, message):
    with pytest.raises(ExplainError, match=message):
        gradcam.explain(hybrid(), images, targets=targets)


def test_no_images_are_refused(hybrid, images):
    with pytest.raises(ExplainError, match="at least one"):
        gradcam.explain(hybrid(), images[:0])


def test_a_saved_and_loaded_model_gives_the_same_map(hybrid, images, tmp_path):
    net = hybrid()
    net.save(tmp_path / "net.keras")
    loaded = keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(
        gradcam.explain(net, images).raw, gradcam.explain(loaded, images).raw
    )

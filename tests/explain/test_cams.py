"""Each map against its paper's formula, on numbers small enough for paper."""

import numpy as np
import pytest

from tessera.explain import cams

# Two cells, two channels: A = (1, 2), (3, 0); g = (2, -1), (4, 3).
FEATURES = np.array([[[[1, 2], [3, 0]]]], np.float32)
GRADIENTS = np.array([[[[2, -1], [4, 3]]]], np.float32)


def test_weights_are_the_spatial_mean_of_the_gradient():
    gradient = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
    # Channel 0 holds 0, 2, 4, 6 and channel 1 holds 1, 3, 5, 7.
    np.testing.assert_array_equal(cams.channel_weights(gradient), [[3, 4]])


def test_the_map_is_the_weighted_sum_of_channels_with_its_sign():
    weights = np.array([[2, -1]], np.float32)
    np.testing.assert_array_equal(cams.weighted_sum(FEATURES, weights), [[[0, 6]]])


def test_grad_cam_weighs_channels_by_their_mean_gradient():
    # alpha = (3, 1): 3 * 1 + 1 * 2 = 5 and 3 * 3 + 0 = 9.
    np.testing.assert_array_equal(cams.grad_cam(FEATURES, GRADIENTS), [[[5, 9]]])


def test_hirescam_weighs_every_cell_by_its_own_gradient():
    # 2 * 1 - 1 * 2 = 0 and 4 * 3 + 3 * 0 = 12.
    np.testing.assert_array_equal(cams.hires_cam(FEATURES, GRADIENTS), [[[0, 12]]])


def test_layercam_leaves_negative_gradients_out():
    # 2 * 1 + 0 * 2 = 2 and 4 * 3 + 3 * 0 = 12.
    np.testing.assert_array_equal(cams.layer_cam(FEATURES, GRADIENTS), [[[2, 12]]])


def test_grad_cam_plus_plus_weighs_positive_gradients_by_the_papers_alphas():
    # S = (4, 2). a = g^2 / (2 g^2 + S g^3) = 1 / (2 + S g).
    # Channel 0: 1/10 and 1/18; w = 2/10 + 4/18. Channel 1: a = 1/0 -> 0 where g = -1,
    # 1/8 where g = 3; w = 3/8.
    first, second = 2 / 10 + 4 / 18, 3 / 8
    np.testing.assert_allclose(
        cams.grad_cam_plus_plus(FEATURES, GRADIENTS),
        [[[first + 2 * second, 3 * first]]],
        rtol=1e-6,
    )


def test_grad_cam_plus_plus_of_tiny_gradients_is_half_of_their_positive_sum():
    # |S g| << 2, so a -> 1/2 (Lerma and Lucas 2022).
    tiny = GRADIENTS * 1e-6
    weights = np.array([[3e-6, 1.5e-6]], np.float32)  # (2 + 4) / 2, 3 / 2
    np.testing.assert_allclose(
        cams.grad_cam_plus_plus(FEATURES, tiny),
        cams.weighted_sum(FEATURES, weights),
        rtol=1e-4,
    )


def test_grad_cam_plus_plus_of_no_gradient_is_zero_and_finite():
    nothing = cams.grad_cam_plus_plus(FEATURES, 0 * GRADIENTS)
    np.testing.assert_array_equal(nothing, np.zeros((1, 1, 2)))


@pytest.mark.parametrize("cells, channels", [(36, 5), (16, 40)])
def test_eigencam_is_the_projection_on_the_first_right_singular_vector(cells, channels):
    random = np.random.default_rng(0)
    features = random.random((3, 4, cells // 4, channels)).astype(np.float32)
    maps = cams.eigen_cam(features)
    for feature, drawn in zip(features, maps, strict=True):
        rows = feature.reshape(cells, channels).astype(np.float64)
        _, _, right = np.linalg.svd(rows)
        expected = rows @ right[0]
        expected *= np.sign(expected.sum())
        np.testing.assert_allclose(drawn.ravel(), expected, rtol=1e-5)


def test_eigencam_of_nothing_is_zero():
    assert not cams.eigen_cam(np.zeros((1, 4, 4, 3), np.float32)).any()

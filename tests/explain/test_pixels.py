"""Maps on pixels against functions whose gradients and sums are known."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.explain import maps, pixels
from tessera.explain.graph import CoarseGrid, ExplainError
from tessera.explain.methods import IntegratedGradients, Occlusion, SmoothGrad


@pytest.fixture
def pictures():
    """Three 6x6 images of two channels."""
    return np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype(np.float32)


def cubes(x):
    """The gradient of sum(x^3), whose integrated gradients are x^3."""
    return 3 * x**2


def test_integrated_gradients_of_a_sum_of_cubes_are_the_cubes(pictures):
    found = pixels.integrated_gradients(cubes, pictures, IntegratedGradients(steps=500))
    np.testing.assert_allclose(found, (pictures**3).sum(axis=-1), atol=1e-4)


def test_integrated_gradients_start_at_the_baseline(pictures):
    settings = IntegratedGradients(steps=500, baseline=0.5)
    found = pixels.integrated_gradients(cubes, pictures, settings)
    np.testing.assert_allclose(found, (pictures**3 - 0.125).sum(axis=-1), atol=1e-4)


def test_two_midpoints_are_at_a_quarter_and_three_quarters(pictures):
    # 3 x^2 (1/16 + 9/16) / 2 x = 15/16 x^3.
    found = pixels.integrated_gradients(cubes, pictures, IntegratedGradients(steps=2))
    np.testing.assert_allclose(
        found, 15 / 16 * (pictures**3).sum(axis=-1), rtol=1e-4, atol=1e-5
    )


def test_the_residual_shrinks_with_the_steps(nonlinear, images):
    # The midpoint rule's error falls with steps^-2 where the score is smooth.
    found = [
        np.abs(
            maps.compute(
                nonlinear(), images, method=IntegratedGradients(steps=n)
            ).residuals
        ).mean()
        for n in (2, 64)
    ]
    assert found[1] < found[0] / 10


def test_smoothgrad_of_a_square_is_the_gradient_at_the_image_itself(pictures):
    # The gradient 2x is linear, so the noise averages out as 1 / sqrt(samples).
    settings = SmoothGrad(samples=4000, noise=0.1)
    found = pixels.smooth_grad(lambda x: 2 * x, pictures, settings)
    np.testing.assert_allclose(found, 2 * pictures.sum(axis=-1), atol=0.15)


def test_the_noise_has_the_stated_share_of_each_images_range(pictures):
    seen = []

    def slopes(x):
        seen.append(x)
        return x

    pixels.smooth_grad(slopes, pictures, SmoothGrad(samples=500, noise=0.2))
    noise = np.concatenate(seen) - pictures
    reach = np.ptp(pictures, axis=(1, 2, 3))
    np.testing.assert_allclose(noise.std(axis=(0, 2, 3, 4)), 0.2 * reach, rtol=0.02)


def test_the_seed_decides_the_noise(pictures):
    def draw(seed):
        settings = SmoothGrad(samples=2, seed=seed)
        return pixels.smooth_grad(lambda x: x, pictures, settings)

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))


def total(x):
    """The sum of an image's pixels."""
    return x.sum(axis=(-3, -2, -1))


def test_covering_a_cell_takes_its_pixels_from_a_sum(pictures):
    settings = Occlusion(cells=6, window=1.0, fill=0.0)
    found = pixels.occlusion(total, pictures, settings)
    np.testing.assert_allclose(found, pictures.sum(axis=-1), atol=1e-4)


def test_a_window_covers_its_neighbours_and_is_cut_at_the_border(pictures):
    settings = Occlusion(cells=6, window=3.0, fill=0.0)
    found = pixels.occlusion(total, pictures, settings)
    summed = pictures.sum(axis=-1)
    np.testing.assert_allclose(
        found[:, 2, 3], summed[:, 1:4, 2:5].sum(axis=(1, 2)), atol=1e-4
    )
    np.testing.assert_allclose(
        found[:, 0, 0], summed[:, :2, :2].sum(axis=(1, 2)), atol=1e-4
    )


def test_by_default_a_patch_is_covered_with_the_images_own_mean_colour(pictures):
    found = pixels.occlusion(total, pictures, Occlusion(cells=6, window=1.0))
    mean = pictures.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found, (pictures - mean).sum(axis=-1), atol=1e-4)


def test_cells_that_do_not_divide_the_image_still_cover_all_of_it():
    covered = pixels.windows(10, Occlusion(cells=4, window=1.0))
    everything = np.concatenate([np.arange(10)[window] for window in covered])
    assert sorted(set(everything.tolist())) == list(range(10))


@pytest.mark.parametrize(
    "method, message",
    [
        (Occlusion(cells=3), "cells: expected at least 4 a side.*Received: 3"),
        (Occlusion(cells=9), "at most one per pixel of 8 x 8"),
    ],
)
def test_cells_that_show_nothing_are_refused(hybrid, images, method, message):
    with pytest.raises(ExplainError, match=message):
        maps.compute(hybrid(), images, method=method)


def test_an_image_below_4_pixels_is_refused():
    pixel = keras.Input((3, 3, 1))
    net = keras.Model(pixel, layers.Dense(2)(layers.Flatten()(pixel)))
    with pytest.raises(CoarseGrid):
        maps.compute(net, np.ones((1, 3, 3, 1)), method=SmoothGrad())


def test_pixels_that_are_whole_numbers_have_no_gradient(images):
    inputs = keras.Input((8, 8, 3), dtype="uint8")
    maps_ = layers.Conv2D(2, 3, name="features")(layers.Rescaling(1 / 255)(inputs))
    net = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(maps_)))
    with pytest.raises(ExplainError, match="floating-point pixels"):
        maps.compute(net, images, method=IntegratedGradients())
    assert maps.compute(net, images, method=Occlusion()).raw.any()
    assert maps.compute(net, images).raw.any()


@pytest.mark.parametrize(
    "count, room, expected", [(32, 12, 8), (25, 12, 5), (64, 999, 64), (7, 3, 1)]
)
def test_variants_are_computed_in_equal_shares_that_fit(count, room, expected):
    assert pixels.together(count, room) == expected


@pytest.mark.parametrize(
    "draw, function, settings",
    [
        (pixels.integrated_gradients, cubes, IntegratedGradients(steps=12)),
        (pixels.smooth_grad, cubes, SmoothGrad(samples=12)),
        (pixels.occlusion, lambda x: total(x**2), Occlusion(cells=6)),
    ],
)
def test_how_many_are_computed_at_once_does_not_matter(
    pictures, draw, function, settings
):
    one_by_one = draw(function, pictures, settings, room=1)
    together = draw(function, pictures, settings, room=5)
    np.testing.assert_allclose(one_by_one, together, rtol=1e-4, atol=1e-5)

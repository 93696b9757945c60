"""Whitened patches are uncorrelated, of equal strength, and of either sign."""

import numpy as np
import pytest

from tessera.experiment import Cnn, HybridPlus
from tessera.models import build, whitening


def images(number: int = 200) -> np.ndarray:
    """Smooth random images, whose neighbouring pixels are much alike."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (number, 5, 5, 3)).repeat(2, 1).repeat(2, 2)
    noise = rng.integers(-30, 31, coarse.shape)
    return (coarse + noise).astype(np.uint8)


def whitened(pictures: np.ndarray) -> np.ndarray:
    """Outputs of the filters at every patch that lies inside its image, [M, 8 C]."""
    kernel, bias = whitening.filters(pictures)
    scaled = pictures / 255.0
    corners = [
        scaled[:, dy : dy + 9, dx : dx + 9] @ kernel[dy, dx]
        for dy in range(2)
        for dx in range(2)
    ]
    return (sum(corners) + bias).reshape(-1, bias.size)


def test_outputs_are_uncorrelated_with_a_variance_of_one_and_a_mean_of_zero() -> None:
    found = whitened(images())[:, :12]
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-5)
    covariance = np.cov(found, rowvar=False, bias=True)
    off = covariance - np.diag(np.diag(covariance))
    np.testing.assert_allclose(off, 0.0, atol=1e-4)
    # The ridge takes away at most its share of the smallest variance here.
    assert np.all((np.diag(covariance) > 0.9) & (np.diag(covariance) <= 1.0001))


def test_every_filter_has_its_negative() -> None:
    found = whitened(images(20))
    np.testing.assert_allclose(found[:, 12:], -found[:, :12])


def test_images_of_one_colour_give_finite_filters() -> None:
    kernel, bias = whitening.filters(np.full((3, 8, 8, 1), 77, np.uint8))
    assert kernel.shape == (2, 2, 1, 8)
    # No variance but what is added: every axis over sqrt(0.0005).
    lengths = np.linalg.norm(kernel.reshape(4, 8), axis=0)
    np.testing.assert_allclose(lengths, 1 / np.sqrt(0.0005), rtol=1e-5)
    assert np.isfinite(bias).all()


def test_a_model_takes_the_filters_of_the_chosen_images_and_never_trains_them() -> None:
    net = build.build(HybridPlus(), (10, 10, 3), 2, seed=0)
    pictures, chosen = images(), np.arange(0, 200, 2)
    whitening.adapt(net, pictures, chosen)
    layer = net.get_layer("whiten")
    for found, expected in zip(
        layer.get_weights(), whitening.filters(pictures[chosen]), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert not layer.trainable_weights


def test_many_images_are_taken_evenly_from_all_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(whitening, "ENOUGH", 60)
    net = build.build(HybridPlus(), (10, 10, 3), 2, seed=0)
    pictures = images()
    whitening.adapt(net, pictures, np.arange(200))
    kernel, _ = net.get_layer("whiten").get_weights()
    expected, _ = whitening.filters(pictures[[*range(0, 200, 4)]])
    np.testing.assert_allclose(kernel, expected, rtol=1e-6)


def test_a_model_without_whitening_stays_as_it_is() -> None:
    net = build.build(Cnn(), (10, 10, 3), 2, seed=0)
    before = net.get_weights()
    whitening.adapt(net, images(), np.arange(10))
    assert all(map(np.array_equal, net.get_weights(), before))


@pytest.mark.parametrize("channels", [1, 4])
def test_filters_are_eight_for_every_channel(channels: int) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (4, 6, 6, channels))
    kernel, _ = whitening.filters(pictures.astype(np.uint8))
    assert kernel.shape == (2, 2, channels, 8 * channels)

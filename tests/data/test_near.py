"""Copies that are not equal are found by their pixels, and other pictures are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tessera.data import near


def smooth(seed: int, side: int = 32) -> np.ndarray:
    """A picture with the large shapes of a photograph: 6 x 6 colours, blown up."""
    cells = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    picture = Image.fromarray(cells)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))


def compressed(pixels: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


def resized(pixels: np.ndarray) -> np.ndarray:
    smaller = Image.fromarray(pixels).resize((20, 20), Image.Resampling.BILINEAR)
    return np.asarray(smaller.resize((32, 32), Image.Resampling.BILINEAR))


def darker(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(0.6))


def tinted(pixels: np.ndarray) -> np.ndarray:
    return (pixels * np.array([1.0, 0.8, 0.7])).astype(np.uint8)


@pytest.mark.parametrize("change", [compressed, resized, darker, tinted])
def test_a_copy_is_found_though_no_pixel_need_be_equal(change) -> None:
    pictures = [smooth(seed) for seed in range(20)]
    images = np.stack([*pictures, change(pictures[7])])
    assert not np.array_equal(images[20], images[7])
    found = near.pairs(images, np.array([20]), np.arange(20))
    assert found == [(20, 7)]


def test_a_copy_is_found_among_other_images_too() -> None:
    images = np.stack([smooth(0), smooth(1), darker(smooth(2))])
    known = np.stack([smooth(3), smooth(2), smooth(4), smooth(5)])
    found = near.pairs(images, np.arange(3), np.array([0, 1, 3]), known)
    assert found == [(2, 1)]


def test_other_pictures_are_no_copies() -> None:
    images = np.stack([smooth(seed) for seed in range(600)])
    assert near.pairs(images, np.arange(300), np.arange(300, 600)) == []


@pytest.mark.parametrize(("texture", "copies"), [(2, True), (3, False)])
def test_pictures_alike_from_afar_are_copies_only_where_their_pixels_are(
    texture: int, copies: bool
) -> None:
    # Squares 20 above and below the mean, on them a fine pattern and its opposite: the
    # correlation is (20^2 - t^2) / (20^2 + t^2), 0.980 for t = 2 and 0.956 for t = 3.
    sides = np.random.default_rng(0).permutation(np.repeat([-20, 20], 32))
    squares = np.kron(sides.reshape(8, 8), np.ones((4, 4)))
    pattern = texture * np.kron(np.ones((16, 16)), [[1, -1], [-1, 1]])
    both = np.stack([120 + squares + pattern, 120 + squares - pattern])
    images = both[..., None].repeat(3, axis=-1).astype(np.uint8)
    found = near.pairs(images, np.array([0]), np.array([1]))
    assert found == [(0, 1)] * copies


def test_two_flat_pictures_are_not_taken_for_one() -> None:
    images = np.full((2, 16, 16, 3), 200, np.uint8)
    images[1, 0, 0] += 1
    assert near.pairs(images, np.array([0]), np.array([1])) == []


def test_the_correlation_is_pearsons_of_each_colour_for_itself() -> None:
    one, other = smooth(1), smooth(2)
    centred = [
        np.concatenate([image[..., c].ravel() - image[..., c].mean() for c in range(3)])
        for image in (one, other)
    ]
    wanted = np.corrcoef(*centred)[0, 1]
    assert near.correlation(one, other) == pytest.approx(wanted, abs=1e-5)
    assert near.correlation(one, one) == pytest.approx(1.0, abs=1e-5)
    assert near.correlation(one, 255 - one) == pytest.approx(-1.0, abs=1e-5)


@pytest.mark.parametrize("side", [8, 9, 30, 64])
def test_any_size_is_compared(side: int) -> None:
    images = np.stack([smooth(seed, side) for seed in (0, 1, 0)])
    images[2, 0, 0] ^= 1
    assert near.pairs(images, np.array([2]), np.array([0, 1])) == [(2, 0)]

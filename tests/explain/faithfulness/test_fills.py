import numpy as np
import pytest

from tessera.explain.faithfulness import fills


def test_the_mean_colour_is_the_mean_of_every_channel():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[0, ..., 1] = 100
    assert fills.mean_colour(images).tolist() == [0, 50, 0]


def test_of_many_images_every_class_of_a_folder_counts():
    images = np.repeat(np.uint8([0, 200]), 50).reshape(100, 1, 1, 1)
    assert fills.mean_colour(images, most=40).tolist() == pytest.approx([100], abs=6)


def test_the_mean_fill_has_the_images_shape_and_one_colour():
    filled = fills.mean_fill(np.ones((2, 4, 5, 3), np.float32), np.float32([1, 2, 3]))
    assert filled.shape == (2, 4, 5, 3)
    assert (filled == [1, 2, 3]).all()


def test_a_blur_keeps_the_mean_and_loses_the_shape():
    image = np.zeros((1, 32, 32, 1), np.float32)
    image[0, ::2] = 255  # stripes of one pixel
    blurred = fills.blur_fill(image)
    assert blurred.mean() == pytest.approx(127.5, rel=1e-3)
    assert np.ptp(blurred[0, 8:24]) < 255 / 50  # the edges are mirrored


def test_a_blur_does_not_mix_images_or_channels():
    image = np.zeros((2, 16, 16, 2), np.float32)
    image[0, ..., 0] = 200
    blurred = fills.blur_fill(image)
    assert np.allclose(blurred[0, ..., 0], 200, atol=1e-3)
    assert not blurred[1].any() and not blurred[0, ..., 1].any()


def test_a_blur_has_a_deviation_of_an_eighth_of_the_height_both_ways():
    image = np.zeros((1, 16, 40, 1), np.float32)
    image[0, 8, 20] = 255
    blurred = fills.blur_fill(image)[0, ..., 0]
    # A Gaussian of deviation 2: exp(-d^2 / 8) of its middle at a distance of d.
    for down, across in ((1, 0), (0, 1), (4, 0), (0, 4), (2, 3)):
        share = blurred[8 + down, 20 + across] / blurred[8, 20]
        assert share == pytest.approx(np.exp(-(down**2 + across**2) / 8), rel=1e-4)

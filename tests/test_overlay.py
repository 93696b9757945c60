"""The display shows positive evidence, in proportion, where it is."""

import numpy as np
import pytest

from tessera import overlay


def test_the_display_is_relu_over_its_maximum():
    raw = np.array([[-4, 1], [2, 4]], np.float32)
    np.testing.assert_array_equal(overlay.display(raw), [[0, 0.25], [0.5, 1]])


def test_an_offset_is_not_stretched_away():
    # Min-max scaling would show this nearly flat map as 0 against 1.
    np.testing.assert_allclose(overlay.display(np.array([[0.9, 1.0]])), [[0.9, 1]])


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_blank_map_is_displayed_as_zeros(value):
    assert overlay.display(np.full((2, 2), value)).tolist() == [[0, 0], [0, 0]]


def test_enlarging_is_bilinear_with_half_pixel_centres():
    # Centres of 4 new cells over 2 old ones: 0.25, 0.75, 1.25, 1.75; old: 0.5, 1.5.
    values = np.array([[0, 1]], np.float32)
    np.testing.assert_allclose(
        overlay.smooth(values, 1, 4), [[0, 0.25, 0.75, 1]], atol=1e-6
    )


def test_enlarging_never_leaves_the_range_of_the_map():
    values = np.random.default_rng(0).random((8, 8), np.float32)
    large = overlay.smooth(values, 256, 256)
    assert values.min() <= large.min() and large.max() <= values.max()


def test_the_image_is_enlarged_pixel_by_pixel():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    large = overlay.enlarge(image, magnification=3)
    assert large.shape == (6, 6, 3)
    np.testing.assert_array_equal(large[::3, ::3], image)
    np.testing.assert_array_equal(large[2::3, 2::3], image)


def test_a_grey_image_becomes_rgb():
    grey = np.full((2, 2, 1), 9, np.uint8)
    np.testing.assert_array_equal(
        overlay.enlarge(grey, magnification=1), np.full((2, 2, 3), 9)
    )


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4)])
def test_an_image_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\] or \[H, W, 1\]"):
        overlay.enlarge(np.zeros(shape, np.uint8))


def test_without_positive_evidence_the_image_is_untouched():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    raw = -np.ones((4, 4), np.float32)
    np.testing.assert_array_equal(
        overlay.overlay(image, raw), overlay.enlarge(image, magnification=8)
    )


def test_the_overlay_changes_the_image_most_where_the_map_is_largest():
    image = np.zeros((8, 8, 3), np.uint8)
    raw = np.zeros((8, 8), np.float32)
    raw[1, 6] = 3
    painted = overlay.overlay(image, raw, magnification=4).astype(int).sum(axis=2)
    row, column = np.unravel_index(painted.argmax(), painted.shape)
    assert (row // 4, column // 4) == (1, 6)
    assert painted[16:].max() == 0


def test_the_image_stays_visible_under_the_largest_value():
    dark, bright = (np.full((4, 4, 3), v, np.uint8) for v in (0, 255))
    raw = np.ones((4, 4), np.float32)
    difference = overlay.overlay(bright, raw).astype(int) - overlay.overlay(dark, raw)
    assert difference.min() >= 0.25 * 255


def test_native_cells_keep_hard_edges_and_their_places():
    raw = np.array([[1, 0], [0, 0.5]], np.float32)
    pixels = overlay.cells(raw, 8, 8)
    colours = overlay.colour(np.array([0, 0.5, 1], np.float32))
    assert (pixels[:4, :4] == colours[2]).all()
    assert (pixels[:4, 4:] == colours[0]).all()
    assert (pixels[4:, 4:] == colours[1]).all()


def test_brighter_means_more():
    values = np.linspace(0, 1, 256, dtype=np.float32)
    luminance = overlay.colour(values[None])[0] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) >= -1).all() and luminance[-1] > luminance[0] + 200

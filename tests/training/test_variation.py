"""Turned, zoomed and recoloured images, against SciPy and against hand computation."""

import numpy as np
import pytest
from scipy import ndimage

from tessera import remedies
from tessera.experiment import Training
from tessera.training import variation

COUNTS = np.array([500, 100, 0])
ROTATION, ZOOM, COLOUR = np.eye(3)
RNG = np.random.default_rng(0)


def row(*uniform: float, reach: np.ndarray, channels: int = 3) -> np.ndarray:
    """What is done to one image, of the draws that are named; the others are 0."""
    draws = np.zeros((1, variation.DRAWS))
    draws[0, : len(uniform)] = uniform
    return variation.changes(draws, reach[None], channels)


def smooth(side: int = 24, channels: int = 3) -> np.ndarray:
    """A picture without steps, so that a small shift changes it a little."""
    noise = RNG.uniform(0, 255, (side, side, channels))
    soft = ndimage.gaussian_filter(noise, (2, 2, 0))
    return np.interp(soft, (soft.min(), soft.max()), (0, 255)).astype(np.uint8)


def test_without_draws_or_without_a_range_an_image_stays_as_it_is() -> None:
    images = RNG.integers(0, 256, (4, 7, 10, 3), dtype=np.uint8)
    still = variation.changes(np.zeros((4, 5)), np.full((4, 3), 0.5), 3)
    np.testing.assert_array_equal(variation.varied(images, still), images)
    free = variation.changes(RNG.uniform(-1, 1, (4, 5)), np.zeros((4, 3)), 3)
    np.testing.assert_array_equal(variation.varied(images, free), images)


@pytest.mark.parametrize("turn", [-1.0, 0.3, 1.0])
@pytest.mark.parametrize("zoom", [-1.0, 0.0, 0.6])
def test_turns_and_zooms_are_those_of_scipy(turn: float, zoom: float) -> None:
    image, angle = smooth(), np.deg2rad(25 * turn)
    rows = row(turn, zoom, reach=np.array([25.0, 0.3, 0.0]))
    found = variation.varied(image[None], rows)[0]
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = 1.3**zoom * np.array([[cosine, -sine], [sine, cosine]])
    centre = np.full(2, (len(image) - 1) / 2)
    expected = np.stack(
        [
            ndimage.affine_transform(
                plane.astype(float),
                matrix,
                offset=centre - matrix @ centre,
                order=1,
                mode="nearest",
            )
            for plane in np.moveaxis(image, -1, 0)
        ],
        axis=-1,
    )
    assert np.abs(found - expected).max() <= 1.5  # of 255: positions in 256ths


def test_a_quarter_turn_is_numpys() -> None:
    image = RNG.integers(0, 256, (1, 9, 9, 3), dtype=np.uint8)
    turned = variation.varied(image, row(0.5, reach=180 * ROTATION))
    np.testing.assert_array_equal(turned, np.rot90(image, -1, axes=(1, 2)))


def test_a_draw_above_0_shrinks_the_picture_and_repeats_its_edge() -> None:
    image = np.zeros((1, 11, 11, 1), np.uint8)
    image[:, 3:8, 3:8] = 255  # five of eleven
    image[:, :, -1] = 100
    rows = row(0, 1, reach=1.0 * ZOOM, channels=1)  # to half its size
    small = variation.varied(image, rows)[0, :, :, 0]
    assert (small == 255).sum() == 9 and small[4:7, 4:7].min() == 255
    assert (small[5, 8:] == 100).all()
    large = variation.varied(image, row(0, -1, reach=1.0 * ZOOM, channels=1))[0]
    assert (large == 255).sum() == 81


def pixel(*shades: int) -> np.ndarray:
    return np.array(shades, np.uint8).reshape(1, 1, 1, -1)


def test_contrast_stretches_about_the_middle_of_the_range() -> None:
    rows = row(0, 0, 1, reach=0.2 * COLOUR)
    found = variation.varied(pixel(27, 127, 227), rows)
    # 127.5 + 1.2 x (27 - 127.5) = 6.9 and so on
    assert found.ravel().tolist() == [7, 127, 247]


def test_saturation_stretches_about_the_mean_of_the_channels() -> None:
    grey, vivid = (row(0, 0, 0, u, reach=1.0 * COLOUR) for u in (-1, 0.5))
    shades = pixel(60, 90, 120)
    assert variation.varied(shades, grey).ravel().tolist() == [90, 90, 90]
    assert variation.varied(shades, vivid).ravel().tolist() == [45, 90, 135]


def test_brightness_adds_a_part_of_half_the_range_and_stops_at_its_ends() -> None:
    darker, brighter = (row(0, 0, 0, 0, u, reach=0.4 * COLOUR) for u in (-1, 1))
    shades = pixel(10, 100, 250)
    assert variation.varied(shades, darker).ravel().tolist() == [0, 49, 199]
    assert variation.varied(shades, brighter).ravel().tolist() == [61, 151, 255]


def test_grey_images_have_no_saturation() -> None:
    shades = pixel(80)
    rows = row(0, 0, 0, 1, reach=1.0 * COLOUR, channels=1)
    np.testing.assert_array_equal(variation.varied(shades, rows), shades)


def test_what_is_applied_is_what_varied_gives_also_over_many_images() -> None:
    images = RNG.integers(0, 256, (100, 5, 6, 3), dtype=np.uint8)
    reach = np.where(np.arange(100)[:, None] % 3, [20.0, 0.2, 0.3], 0.0)
    rows = variation.changes(RNG.uniform(-1, 1, (100, 5)), reach, 3)
    before = images.copy()
    found = variation.applied(images, rows)
    np.testing.assert_array_equal(found, variation.varied(images, rows))
    np.testing.assert_array_equal(images, before)
    assert (found[1] != images[1]).any() and (found[0] == images[0]).all()


def test_an_images_draws_depend_on_seed_epoch_image_and_showing_alone() -> None:
    keys = [(s, e, a) for s in range(2) for e in range(2) for a in range(2)]
    tables = [variation.draws(9, seed=s, epoch=e, again=a) for s, e, a in keys]
    assert len({str(table) for table in tables}) == 8
    stated = np.random.default_rng([7, 1, 1]).uniform(-1, 1, (9, 5))  # in the methods
    np.testing.assert_array_equal(variation.draws(9, seed=1, epoch=1), stated)
    more = variation.draws(30, seed=0, epoch=0)
    np.testing.assert_array_equal(more[:9], tables[0])
    many = variation.draws(20_000, seed=3, epoch=1)
    assert many.min() < -0.999 and many.max() > 0.999
    assert np.abs(many.mean(axis=0)).max() < 0.02
    correlations = np.corrcoef(many.T) - np.eye(variation.DRAWS)
    assert np.abs(correlations).max() < 0.03


def test_every_class_varies_as_the_training_says() -> None:
    training = Training(rotation=10, zoom=0.1, colour=0.2)
    found = variation.ranges(training, None, COUNTS)
    np.testing.assert_array_equal(found, np.tile([10, 0.1, 0.2], (3, 1)))


def test_rarer_classes_vary_more_by_their_distance_from_the_largest() -> None:
    more = remedies.Variation(rotation=20, zoom=0.5, colour=0.1)
    found = variation.ranges(Training(rotation=10), more, COUNTS)
    expected = [[10, 0, 0], [26, 0.4, 0.08], [30, 0.5, 0.1]]
    np.testing.assert_allclose(found, expected)


def test_both_together_stay_within_what_an_image_can_bear() -> None:
    most = Training(rotation=170, zoom=1, colour=0.9)
    more = remedies.Variation(rotation=170, zoom=1, colour=0.9)
    found = variation.ranges(most, more, COUNTS)
    np.testing.assert_array_equal(found[2], variation.MOST)

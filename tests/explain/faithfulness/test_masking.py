"""Average drop, increase and gain where the probability is the mean pixel."""

import numpy as np
import pytest

from tessera.explain.faithfulness import answers, masking


def found(brightness, image, raw):
    images = np.float32(image)[None, ..., None]
    whole = np.float64([images.mean() / 255])
    return masking.masked(
        brightness, images, np.float32(raw)[None], np.ones(1, np.int32), whole=whole
    )


def test_a_half_dark_map_drops_half_of_an_even_image(brightness):
    """Mask 1 on the left, 0 on the right: q = p / 2."""
    raw = np.array([[2.0, -1.0], [2.0, -3.0]])
    result = found(brightness, np.full((2, 2), 102.0), raw)
    assert result.drop[0] == pytest.approx(0.5, abs=1e-6)
    assert (result.increase[0], result.gain[0]) == (0, 0)
    assert result.brightness[0] == pytest.approx(0.5)


def test_a_map_that_is_one_everywhere_costs_nothing(brightness):
    result = found(brightness, np.full((4, 4), 51.0), np.full((4, 4), 7.0))
    assert result.drop[0] == pytest.approx(0, abs=1e-6)
    assert result.brightness[0] == 1


def test_a_blank_map_drops_everything(brightness):
    result = found(brightness, np.full((4, 4), 51.0), np.full((4, 4), -1.0))
    assert result.drop[0] == pytest.approx(1, abs=1e-6)
    assert result.brightness[0] == 0


def test_a_mask_that_raises_the_probability_gains_its_share_of_the_room():
    """p = 0.2 whole; q = 0.6 masked: gain (0.6 - 0.2) / 0.8, no drop."""

    def dark_is_one(images):
        q = np.where(images.mean(axis=(1, 2, 3)) < 100, 0.6, 0.2)
        return np.log(np.stack([1 - q, q], axis=1)).astype(np.float32)

    images = np.full((1, 2, 2, 1), 150, np.float32)
    result = masking.masked(
        dark_is_one,
        images,
        np.float32([[[1, 0], [1, 0]]]),
        np.ones(1, np.int32),
        whole=np.float64([0.2]),
    )
    assert (result.drop[0], result.increase[0]) == (0, 1)
    assert result.gain[0] == pytest.approx(0.5, abs=1e-6)


def test_a_certain_answer_has_no_room_to_gain(brightness):
    result = masking.masked(
        brightness,
        np.full((1, 2, 2, 1), 255, np.float32),
        np.ones((1, 2, 2), np.float32),
        np.ones(1, np.int32),
        whole=np.float64([1.0]),
    )
    assert result.gain[0] == 0


def test_an_answer_that_stays_as_it_was_is_no_increase(brightness):
    images = np.full((1, 4, 4, 1), 51, np.float32)
    targets = np.ones(1, np.int32)
    whole = answers.probability(brightness(images), targets)
    found = masking.masked(
        brightness, images, np.ones((1, 4, 4), np.float32), targets, whole=whole
    )
    assert (found.increase[0], found.drop[0], found.gain[0]) == (0, 0, 0)


def test_what_had_no_probability_cannot_drop(brightness):
    images = np.zeros((1, 2, 2, 1), np.float32)
    found = masking.masked(
        brightness,
        images,
        np.ones((1, 2, 2), np.float32),
        np.ones(1, np.int32),
        whole=np.zeros(1),
    )
    assert found.drop[0] == 0


def test_every_image_has_the_brightness_of_its_own_mask(brightness):
    found = masking.masked(
        brightness,
        np.full((2, 2, 2, 1), 51, np.float32),
        np.float32([[[3, 0], [3, 0]], [[0, 0], [0, 0]]]),
        np.ones(2, np.int32),
        whole=np.full(2, 0.2),
    )
    assert found.brightness.tolist() == [0.5, 0]

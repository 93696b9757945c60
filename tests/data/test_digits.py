"""The digits are scikit-learn's, with a fixed stratified test set."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tessera.data import digits


def test_all_1797_digits_are_there_as_rgb_of_the_size_asked_for() -> None:
    dataset = digits.load(32)
    assert len(dataset.train) + len(dataset.test) == 1797
    assert dataset.image_shape == (32, 32, 3)
    assert digits.load(16).image_shape == (16, 16, 3)
    assert dataset.name == "Digits (scikit-learn, 32x32)"


@pytest.mark.parametrize("file", [digits.FILE, "kept/elsewhere.csv"])
def test_they_are_scikit_learns_wherever_it_keeps_them(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(digits, "FILE", file)
    for found, expected in zip(
        digits.table(), load_digits(return_X_y=True), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_a_fifth_of_every_digit_is_held_for_testing() -> None:
    dataset = digits.load(8)
    of_all = np.bincount(load_digits().target)
    expected = [round(0.2 * int(n)) for n in of_all]
    assert dataset.test.counts(10).tolist() == expected


def test_grey_values_0_to_16_become_0_to_255_in_three_equal_channels() -> None:
    dataset = digits.load(8)
    images = np.concatenate([dataset.train.images, dataset.test.images])
    np.testing.assert_array_equal(images[..., 0], images[..., 1])
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    grey = load_digits().images
    scaled = np.rint(grey * 255 / 16)
    assert np.sort(images[..., 0].sum(axis=(1, 2))) == pytest.approx(
        np.sort(scaled.sum(axis=(1, 2)))
    )


def test_every_start_finds_the_same_digits() -> None:
    assert digits.load(8).fingerprint == digits.load(8).fingerprint

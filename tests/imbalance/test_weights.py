"""Class weights, against scikit-learn and published numbers."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tessera import remedies
from tessera.imbalance import weights

STUDY = np.array([5000] * 3 + [1000] * 3 + [5000] * 4)


def test_inverse_frequency_is_scikit_learns_balanced_weight() -> None:
    counts = np.array([7, 1, 4])
    labels = np.repeat([0, 1, 2], counts)
    oracle = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    assert np.allclose(weights.inverse_frequency(counts), oracle)


def test_the_studys_profile_gives_076_and_380() -> None:
    found = weights.inverse_frequency(STUDY)
    assert np.allclose(found[[0, 3]], [0.76, 3.80])


def test_smoothed_weights_are_the_square_root_of_the_ratio_apart() -> None:
    found = weights.smoothed(np.array([400, 100]), 0.5)
    assert np.isclose(found[1] / found[0], 2.0)


def test_smoothed_weights_have_a_mean_of_one_over_the_images() -> None:
    counts = np.array([400, 100, 3])
    assert np.isclose(counts @ weights.smoothed(counts, 0.5), counts.sum())


def test_power_one_is_inverse_frequency() -> None:
    counts = np.array([400, 100, 3])
    expected = counts.sum() / (3 * counts)
    assert np.allclose(weights.smoothed(counts, 1.0), expected)


@pytest.mark.parametrize(
    ("beta", "expected"), [(0.9999, (0.515, 2.131)), (0.999, (0.854, 1.341))]
)
def test_effective_numbers_weigh_the_studys_profile_as_computed_by_hand(
    beta: float, expected: tuple[float, float]
) -> None:
    effective = (1 - beta**STUDY) / (1 - beta)
    by_hand = 10 * (1 / effective) / (1 / effective).sum()
    found = weights.effective_number(STUDY, beta)
    assert np.allclose(found, by_hand)
    assert np.allclose(found[[0, 3]], expected, atol=5e-4)


def test_effective_numbers_sum_to_the_number_of_classes() -> None:
    assert np.isclose(weights.effective_number(STUDY, 0.999).sum(), 10)


def test_a_beta_near_one_is_inverse_frequency_up_to_a_factor() -> None:
    counts = np.array([50, 10])
    found = weights.effective_number(counts, 1 - 1e-9)
    assert np.isclose(found[1] / found[0], 5, rtol=1e-5)


@pytest.mark.parametrize(
    "setting",
    [remedies.InverseFrequency(), remedies.Smoothed(), remedies.EffectiveNumber()],
    ids=lambda setting: setting.kind,
)
def test_an_empty_class_is_refused(setting: remedies.Weights) -> None:
    with pytest.raises(ValueError, match="none of class 0, 2"):
        weights.class_weights(setting, np.array([0, 5, 0]))

"""Class weights from counts."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tessera.imbalance.weights import inverse_frequency


def test_the_studys_profile_gives_0_76_and_3_80() -> None:
    counts = np.array([5000] * 3 + [1000] * 3 + [5000] * 4)
    assert np.allclose(inverse_frequency(counts), [0.76] * 3 + [3.8] * 3 + [0.76] * 4)


def test_equal_counts_give_equal_weights_of_one() -> None:
    assert inverse_frequency(np.full(7, 123)).tolist() == [1.0] * 7


def test_scikit_learn_calls_them_balanced() -> None:
    counts = np.array([3, 17, 1, 40])
    labels = np.repeat(np.arange(4), counts)
    oracle = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    assert np.allclose(inverse_frequency(counts), oracle)


def test_their_mean_over_the_images_is_one() -> None:
    counts = np.array([3, 17, 1, 40])
    assert np.isclose(np.average(inverse_frequency(counts), weights=counts), 1.0)


def test_permuting_the_classes_permutes_the_weights() -> None:
    counts, order = np.array([3, 17, 1, 40]), [2, 0, 3, 1]
    permuted = inverse_frequency(counts[order])
    assert np.array_equal(permuted, inverse_frequency(counts)[order])


def test_empty_classes_are_named() -> None:
    with pytest.raises(ValueError, match=r"none of class 1, 3 .*Keep some"):
        inverse_frequency(np.array([4, 0, 2, 0]))

"""Losses per image, against closed forms and scikit-learn."""

import keras
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from tessera.imbalance.losses import CrossEntropy, cross_entropy, per_image


def values(tensor: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
    losses = values(cross_entropy(np.array([0, 3]), np.zeros((2, 5), np.float32)))
    assert np.allclose(losses, np.log(5))


def test_two_classes_give_the_logistic_loss() -> None:
    losses = values(cross_entropy(np.array([1]), np.array([[0.0, 2.0]], np.float32)))
    assert np.allclose(losses, np.log1p(np.exp(-2.0)))


def test_the_mean_is_scikit_learns_log_loss() -> None:
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(20, 4)) * 3, np.arange(20) % 4
    oracle = log_loss(labels, softmax(logits, axis=1))
    assert np.isclose(values(cross_entropy(labels, logits)).mean(), oracle)


def test_huge_logits_stay_finite() -> None:
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32)
    assert np.allclose(values(cross_entropy(np.array([0, 0]), logits)), [0.0, 2e4])


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_labels_of_any_dtype_and_shape_are_class_indices(
    dtype: str, shape: tuple[int, ...]
) -> None:
    logits = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    labels = np.array([2, 0, 3])
    same = cross_entropy(labels.astype(dtype).reshape(shape), logits)
    assert np.array_equal(values(same), values(cross_entropy(labels, logits)))


def test_logits_of_half_precision_are_summed_in_float32() -> None:
    logits = keras.ops.cast(np.zeros((2, 3)), "float16")
    losses = cross_entropy(np.array([0, 1]), logits)
    assert keras.backend.standardize_dtype(losses.dtype) == "float32"


def test_the_value_chooses_the_function() -> None:
    labels, logits = np.array([1, 0]), np.eye(2, dtype=np.float32)
    chosen = per_image(CrossEntropy(), labels, logits)
    assert np.array_equal(values(chosen), values(cross_entropy(labels, logits)))

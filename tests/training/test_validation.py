"""What validation scores mean."""

import numpy as np
import pytest
from sklearn import metrics

from tessera.training import validation


def test_validation_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60, 4)).astype(np.float32)
    labels = rng.integers(0, 4, 60).astype(np.int32)
    exponents = np.exp(logits.astype(np.float64))
    probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    predicted = logits.argmax(axis=1)
    assert validation.validation_scores(labels, logits) == pytest.approx(
        {
            "val_loss": metrics.log_loss(labels, probabilities),
            "val_accuracy": metrics.accuracy_score(labels, predicted),
            "val_balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
            "val_macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        }
    )


def test_the_epoch_that_stands_highest_is_the_one_to_keep() -> None:
    first = {"epoch": 1.0, "val_loss": 0.5, "val_accuracy": 0.5}
    second = {"epoch": 2.0, "val_loss": 0.6, "val_accuracy": 0.6}
    standing = validation.standing
    assert standing(first, "val_loss") > standing(second, "val_loss")
    assert standing(first, "val_accuracy") < standing(second, "val_accuracy")
    assert standing(first, "last_epoch") < standing(second, "last_epoch")


def test_large_logits_give_a_finite_loss() -> None:
    logits = np.array([[1000.0, -1000.0]], dtype=np.float32)
    found = validation.validation_scores(np.array([1], np.int32), logits)
    assert found["val_loss"] == 2000.0

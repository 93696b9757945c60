"""Callbacks: what validation scores mean, and when training must stop."""

import numpy as np
import pytest
from sklearn import metrics

from tessera.training import callbacks


def test_validation_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60, 4)).astype(np.float32)
    labels = rng.integers(0, 4, 60).astype(np.int32)
    exponents = np.exp(logits.astype(np.float64))
    probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    predicted = logits.argmax(axis=1)
    assert callbacks.validation_scores(labels, logits) == pytest.approx(
        {
            "val_loss": metrics.log_loss(labels, probabilities),
            "val_accuracy": metrics.accuracy_score(labels, predicted),
            "val_balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
            "val_macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        }
    )


def test_large_logits_give_a_finite_loss() -> None:
    logits = np.array([[1000.0, -1000.0]], dtype=np.float32)
    assert callbacks.cross_entropy(np.array([1], np.int32), logits) == 2000.0


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_the_training(loss: float) -> None:
    with pytest.raises(callbacks.TrainingDiverged, match=r"epoch 3: expected a finite"):
        callbacks.StopAtNaN().on_epoch_end(2, {"loss": loss})


def test_a_finite_loss_goes_on() -> None:
    callbacks.StopAtNaN().on_epoch_end(0, {"loss": 1.0})


def test_progress_counts_finished_steps() -> None:
    told: list[tuple[int, int]] = []
    progress = callbacks.Progress(lambda *step: told.append(step), steps=2)
    progress.on_train_batch_end(0)
    progress.on_train_batch_end(1)
    assert told == [(1, 2), (2, 2)]

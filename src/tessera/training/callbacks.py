"""Keras callbacks: validation scores after each epoch, progress, a stop at NaN."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tessera.arrays import Labels, Logits
from tessera.data.dataset import Split
from tessera.evaluation import scores
from tessera.training import predict

Report = Callable[[int, int], None]
"""Told (steps done, steps in the epoch) while an epoch runs."""


class TrainingDiverged(RuntimeError):
    """The loss is no longer a finite number."""


class ValidationScores(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds `val_*` scores to the epoch's logs, for `ModelCheckpoint` to read.

    They are unweighted, whatever the loss: a weighted loss must not choose the epoch.
    """

    def __init__(self, validation: Split) -> None:
        """Score on `validation` after each epoch."""
        super().__init__()
        self._validation = validation

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Predict the validation images and extend `logs` in place."""
        if logs is not None:
            found = predict.logits(self.model, self._validation.images)
            logs.update(validation_scores(self._validation.labels, found))


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """Passes the count of finished steps on."""

    def __init__(self, report: Report, steps: int) -> None:
        """Tell `report` after each of `steps` batches."""
        super().__init__()
        self._report = report
        self._steps = steps

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Report one more finished step."""
        self._report(batch + 1, self._steps)


class StopAtNaN(keras.callbacks.Callback):  # type: ignore[misc]
    """Raises when an epoch's mean loss is not finite; weights kept so far remain."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the epoch's loss.

        Raises:
            TrainingDiverged: It is NaN or infinite.
        """
        loss = (logs or {}).get("loss", np.nan)
        if not np.isfinite(loss):
            raise TrainingDiverged(
                f"epoch {epoch + 1}: expected a finite loss. Received: {loss}. "
                "Lower training.learning_rate, or look at the data with "
                "`tessera data`."
            )


def validation_scores(labels: Labels, logits: Logits) -> dict[str, float]:
    """Mean cross-entropy in nats, accuracy, balanced accuracy and macro-F1."""
    names = [str(index) for index in range(logits.shape[1])]
    found = scores.scores(labels, logits.argmax(axis=1), names)
    return {
        "val_loss": cross_entropy(labels, logits),
        "val_accuracy": found.accuracy,
        "val_balanced_accuracy": found.balanced_accuracy,
        "val_macro_f1": found.macro_f1,
    }


def cross_entropy(labels: Labels, logits: Logits) -> float:
    """Mean negative log-likelihood of the labels, in nats."""
    from scipy.special import log_softmax

    log_likelihood = log_softmax(logits.astype(np.float64), axis=1)
    return float(-log_likelihood[np.arange(len(labels)), labels].mean())

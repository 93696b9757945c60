"""A model and the validation images -> the scores that choose the epoch."""

from collections.abc import Mapping
from typing import Any

from tessera.arrays import Labels, Logits
from tessera.data.dataset import Split
from tessera.evaluation import scores
from tessera.evaluation.probabilities import image_nll, log_softmax
from tessera.experiment import Monitor
from tessera.training import predict


class TrainingDiverged(RuntimeError):
    """The loss is no longer a finite number."""


def validate(net: Any, validation: Split) -> dict[str, float]:
    """The `val_*` scores of a model as it is.

    They are unweighted, whatever the loss: a weighted loss must not choose the epoch.
    """
    found = predict.logits(net, validation.images)
    return validation_scores(validation.labels, found)


def validation_scores(labels: Labels, logits: Logits) -> dict[str, float]:
    """Mean cross-entropy in nats, accuracy, balanced accuracy and macro-F1."""
    names = [str(index) for index in range(logits.shape[1])]
    found = scores.scores(labels, logits.argmax(axis=1), names)
    return {
        "val_loss": float(image_nll(log_softmax(logits), labels).mean()),
        "val_accuracy": found.accuracy,
        "val_balanced_accuracy": found.balanced_accuracy,
        "val_macro_f1": found.macro_f1,
    }


def standing(row: Mapping[str, float], monitor: Monitor) -> float:
    """Where an epoch stands by what decides: the higher, the better."""
    if monitor == "last_epoch":
        return row["epoch"]
    return -row["val_loss"] if monitor == "val_loss" else row[monitor]

"""A remedy as data: which loss with which weights, until when.

    Remedy + counts -> Plan of Phases -> (for Keras) one PhaseLoss at a time

Everything a remedy changes about training is a field of `Phase`, so that trainer and
loss need not know which remedy it is.
"""

from dataclasses import dataclass, field
from typing import Any, assert_never

import keras
import numpy as np
from keras import ops

from tessera.arrays import Counts, Weights
from tessera.experiment import ClassWeights, Plain, Remedy
from tessera.imbalance.losses import CrossEntropy, Loss, class_indices, per_image
from tessera.imbalance.weights import inverse_frequency


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of epochs trained alike."""

    until: float = 1.0
    """Share of all epochs after which the phase is over; 1.0: the end."""
    loss: Loss = field(default_factory=CrossEntropy)
    class_weights: tuple[float, ...] | None = None
    """Factor on the loss of every image, by its class, [K]; None: 1 for all."""


@dataclass(frozen=True)
class Plan:
    """Phases in order, the last until the end.

    Raises:
        ValueError: The phases do not cover the training from 0 to 1 in order.
    """

    phases: tuple[Phase, ...]

    def __post_init__(self) -> None:
        ends = [phase.until for phase in self.phases]
        if not ends or ends != sorted(set(ends)) or ends[0] <= 0 or ends[-1] != 1:
            raise ValueError(
                "phases: expected `until` to rise from above 0 to 1.0 at the last. "
                f"Received: {ends}."
            )


def plan(remedy: Remedy, counts: Counts) -> Plan:
    """What the remedy does to training.

    Args:
        remedy: The setting.
        counts: Images per class that the optimiser will see, int64 [K].

    Returns:
        The plan.

    Raises:
        ValueError: The remedy cannot be used with these counts (an empty class).
    """
    match remedy:
        case Plain():
            return Plan((Phase(),))
        case ClassWeights():
            weights = _values(inverse_frequency(counts))
            return Plan((Phase(class_weights=weights),))
        case _:
            assert_never(remedy)


def phase_at(plan: Plan, epoch: int, epochs: int) -> Phase:
    """The phase that an epoch belongs to.

    A phase ends before epoch round(until * epochs); one that rounds to no epoch at
    all is passed over.

    Args:
        plan: The plan.
        epoch: Counted from 0.
        epochs: Epochs in all.

    Raises:
        ValueError: `epoch` is not one of 0 to epochs - 1.
    """
    if not 0 <= epoch < epochs:
        raise ValueError(
            f"epoch: expected 0 to {epochs - 1}, for there are {epochs} epochs. "
            f"Received: {epoch}."
        )
    return next(p for p in plan.phases if epoch < round(p.until * epochs))


class PhaseLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """A phase's loss for `net.compile`: the batch mean of w_y * loss.

    The sum is divided by the number of images, as Keras does with `class_weight`, not
    by the sum of the weights, as PyTorch does.

    Args:
        phase: The phase.
        name: As progress output calls it.
    """

    def __init__(self, phase: Phase, name: str = "loss") -> None:
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.phase = phase

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Weighted loss of every image, [N], from labels [N] and logits [N, K]."""
        losses = per_image(self.phase.loss, y_true, y_pred)
        if self.phase.class_weights is None:
            return losses
        weights = ops.convert_to_tensor(self.phase.class_weights, "float32")
        return losses * ops.take(weights, class_indices(y_true))


def _values(weights: Weights) -> tuple[float, ...]:
    return tuple(np.asarray(weights, dtype=np.float64).tolist())

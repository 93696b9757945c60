"""The learning rate as a function of the step, for Keras' optimizers."""

from typing import Any

import keras
from keras import ops

from tessera.experiment import Training


@keras.saving.register_keras_serializable(package="tessera")
class Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A rate, constant or falling along half a cosine, times a factor that changes.

    At step t of T: base x factor(t) x (1 + cos(pi t / T)) / 2, the last only with
    `cosine` (Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5, one period).

    Args:
        base: The rate at the start.
        steps: T.
        cosine: Whether it falls.
        changes: (first step, factor) pairs, ascending; the factor is 1 before.
    """

    def __init__(
        self,
        base: float,
        steps: int,
        *,
        cosine: bool = False,
        changes: tuple[tuple[int, float], ...] = (),
    ) -> None:
        super().__init__()
        self.base = base
        self.steps = steps
        self.cosine = cosine
        self.changes = tuple((int(first), float(f)) for first, f in changes)

    def __call__(self, step: Any) -> Any:
        """The rate of a step, counted from 0, float32."""
        step = ops.cast(step, "float32")
        rate = ops.cast(self.base, "float32")
        for first, factor in self.changes:
            rate = ops.where(step >= first, self.base * factor, rate)
        if self.cosine:
            part = ops.minimum(step / self.steps, 1.0)
            rate = rate * 0.5 * (1.0 + ops.cos(part * 3.141592653589793))
        return rate

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the schedule."""
        return {
            "base": self.base,
            "steps": self.steps,
            "cosine": self.cosine,
            "changes": self.changes,
        }


def optimizer(
    training: Training,
    *,
    steps: int,
    changes: tuple[tuple[int, float], ...] = (),
) -> Any:
    """Adam (Kingma and Ba 2015, arXiv:1412.6980) with the training's rate.

    Args:
        training: Rate and schedule.
        steps: Of the whole stage.
        changes: Where a phase's factor on the rate sets in, see `Rate`.
    """
    cosine = training.schedule == "cosine"
    rate = Rate(training.learning_rate, steps, cosine=cosine, changes=changes)
    return keras.optimizers.Adam(rate)

"""The learning rate as a function of the step, for Keras' optimizers."""

from typing import Any, Literal

import keras
from keras import ops

from tessera.experiment import Schedule, Training
from tessera.training.adam import Adam
from tessera.training.muon import muon

WARM_UP = 0.1
"""Share of the steps over which `one-cycle` rises."""

UNDECAYED = ["bias", "gamma", "beta", "position", "scales"]
"""Parts of the names of variables that decay leaves alone."""


@keras.saving.register_keras_serializable(package="tessera")
# Keras has no types.
class Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A rate along a curve, times a factor that changes.

    At step t of T: base x factor(t) x curve(t / T), see `curve`.

    Args:
        base: The highest rate.
        steps: T.
        shape: Of the curve.
        changes: (first step, factor) pairs, ascending; the factor is 1 before.
    """

    def __init__(
        self,
        base: float,
        steps: int,
        *,
        shape: Schedule = "constant",
        changes: tuple[tuple[int, float], ...] = (),
    ) -> None:
        super().__init__()
        self.base = base
        self.steps = steps
        self.shape = shape
        self.changes = tuple((int(first), float(f)) for first, f in changes)

    def __call__(self, step: Any) -> Any:
        """The rate of a step, counted from 0, float32."""
        step = ops.cast(step, "float32")
        rate = ops.cast(self.base, "float32")
        for first, factor in self.changes:
            rate = ops.where(step >= first, self.base * factor, rate)
        if self.shape == "constant":
            return rate
        return rate * curve(self.shape, ops.minimum(step / self.steps, 1.0))

    def get_config(self) -> dict[str, Any]:
        """What rebuilds the schedule."""
        return {
            "base": self.base,
            "steps": self.steps,
            "shape": self.shape,
            "changes": self.changes,
        }


def curve(shape: Literal["cosine", "one-cycle"], part: Any) -> Any:
    """The share of the highest rate after a part of the steps, 0..1 -> 0..1.

    `cosine`: (1 + cos(pi p)) / 2 (Loshchilov and Hutter 2017, arXiv:1608.03983,
    equation 5, one period). `one-cycle`: a rise along a line until `WARM_UP`, then a
    fall along one (Smith and Topin 2018, arXiv:1708.07120, without its last dip).
    """
    if shape == "cosine":
        return 0.5 * (1.0 + ops.cos(part * 3.141592653589793))
    return ops.minimum(part / WARM_UP, (1.0 - part) / (1.0 - WARM_UP))


def optimizer(
    training: Training,
    *,
    steps: int,
    changes: tuple[tuple[int, float], ...] = (),
) -> Any:
    """The training's optimizer, with its rate and moving average of weights.

    Adam (Kingma and Ba 2015, arXiv:1412.6980), with decoupled decay where there is any
    (Loshchilov and Hutter 2019, arXiv:1711.05101), or Muon, see `muon`.

    Args:
        training: Optimizer, rate, schedule, decay and averaging.
        steps: Of the whole stage.
        changes: Where a phase's factor on the rate sets in, see `Rate`.
    """
    rate = Rate(training.learning_rate, steps, shape=training.schedule, changes=changes)
    average = {"use_ema": training.averaging > 0, "ema_momentum": training.averaging}
    if training.optimizer == "muon":
        return muon(rate, decay=training.weight_decay, **average)
    adam = Adam(rate, weight_decay=training.weight_decay or None, **average)
    if training.weight_decay:
        adam.exclude_from_weight_decay(var_names=UNDECAYED)
    return adam

"""A remedy as data: what is trained, on what, by which loss, until when.

    Remedy + counts -> Plan of Phases -> one loss per phase

Everything a remedy changes about training is a field of `Phase`, so that trainer and
loss need not know which remedy it is.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from keras import ops

from tessera import remedies
from tessera.arrays import Counts
from tessera.imbalance.losses import (
    class_indices,
    per_image,
    smoothed_cross_entropy,
)
from tessera.imbalance.weights import class_weights
from tessera.remedies import CrossEntropy, Remedy

TrainedPart = Literal["everything", "classifier", "scales"]
"""All weights; the last layer, drawn anew; one factor per class on the logits."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of epochs trained alike."""

    until: float = 1.0
    """Share of all epochs after which the phase is over; 1.0: the end."""
    loss: remedies.Loss = field(default_factory=CrossEntropy)
    class_weights: tuple[float, ...] | None = None
    """Factor on the loss of every image, by its class, [K]; None: 1 for all."""
    sampling: remedies.Sampling | None = None
    """How classes are drawn; None: every image once an epoch."""
    mixing: remedies.Mixing | None = None
    variation: remedies.Variation | None = None
    trains: TrainedPart = "everything"
    rate: float = 1.0
    """Factor on the learning rate."""
    sharpness: float = 0.0
    """Rho of sharpness-aware minimisation; 0: none."""


@dataclass(frozen=True)
class Plan:
    """Phases in order, the last until the end.

    Raises:
        ValueError: The phases do not cover the training from 0 to 1 in order.
    """

    phases: tuple[Phase, ...]
    counts: tuple[int, ...]
    """Images per class that the optimiser sees, [K]."""
    after: remedies.After | None = None
    """What is done to the logits once training is over."""

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
        The plan: a phase for every stretch between the epochs at which weights and
        sampling set in, mixing starts or stops, or the second stage begins.

    Raises:
        ValueError: The remedy cannot be used with these counts (an empty class).
    """
    ends = _ends(remedy)
    starts = [0.0, *ends[:-1]]
    return Plan(
        phases=tuple(
            _phase(remedy, counts, start=start, end=end)
            for start, end in zip(starts, ends, strict=True)
        ),
        counts=tuple(int(n) for n in counts),
        after=remedy.after,
    )


def _ends(remedy: Remedy) -> list[float]:
    """Where phases end, as shares of all epochs, ascending, the last 1."""
    cuts = {remedy.deferred, 1.0}
    if remedy.mixing is not None:
        cuts |= {remedy.mixing.begin, remedy.mixing.end}
    if remedy.retraining is not None:
        second = remedy.retraining.begin
        cuts = {cut for cut in cuts if cut < second} | {second, 1.0}
    return sorted(cuts - {0.0})


def _phase(remedy: Remedy, counts: Counts, *, start: float, end: float) -> Phase:
    again = remedy.retraining
    if again is not None and start >= again.begin:
        return _retraining_phase(remedy, again)
    late = start >= remedy.deferred
    weights = remedy.weights if late else None
    mixing = remedy.mixing
    mixed = mixing is not None and mixing.begin <= start < mixing.end
    return Phase(
        until=end,
        loss=remedy.loss,
        class_weights=None if weights is None else _values(weights, counts),
        sampling=remedy.sampling if late else None,
        mixing=mixing if mixed else None,
        variation=remedy.variation,
        rate=remedy.drop if late and remedy.deferred else 1.0,
        sharpness=remedy.sharpness,
    )


def _retraining_phase(remedy: Remedy, again: remedies.Retraining) -> Phase:
    """The second stage of Kang et al. 2020: the same loss on resampled images."""
    scales = isinstance(again, remedies.Scales)
    return Phase(
        loss=remedy.loss,
        sampling=again.sampling,
        variation=remedy.variation,
        trains="scales" if scales else "classifier",
        rate=again.rate if isinstance(again, remedies.Scales) else 1.0,
    )


def _values(weights: remedies.Weights, counts: Counts) -> tuple[float, ...]:
    found = class_weights(weights, counts)
    return tuple(np.asarray(found, dtype=np.float64).tolist())


def last_epoch(phase: Phase, epochs: int) -> int:
    """The epoch, counted from 0, before which the phase ends."""
    return round(phase.until * epochs)


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
    return next(p for p in plan.phases if epoch < last_epoch(p, epochs))


def starts(plan: Plan, epochs: int) -> tuple[int, ...]:
    """The first epoch, counted from 0, of every phase that has one, in order."""
    phases = [phase_at(plan, epoch, epochs) for epoch in range(epochs)]
    return tuple(e for e in range(epochs) if e == 0 or phases[e] is not phases[e - 1])


def mean_loss(
    phase: Phase, counts: Counts, targets: Any, logits: Any, *, smoothing: float = 0.0
) -> Any:
    """The loss of a batch: the mean over its images of w_y times the loss.

    The sum is divided by the number of images, as Keras does with `class_weight`, not
    by the sum of the weights, as PyTorch does. A mixed image has the loss of either
    label, each with its own weight and margin, in the shares of the label.

    Args:
        phase: Whose loss and weights.
        counts: Images per class that the optimiser sees, int64 [K].
        targets: Labels [B], or mixed ones [B, 3]: a label, another, the first's share.
        logits: [B, K].
        smoothing: Share of every label spread evenly over the classes, see `smoothed`.

    Returns:
        A scalar tensor, float32, in nats.
    """
    weighted = partial(_weighted, phase, counts, logits, smoothing)
    if len(targets.shape) == 1:
        return ops.mean(weighted(targets))
    first, second, share = (targets[:, column] for column in range(3))
    return ops.mean(share * weighted(first) + (1 - share) * weighted(second))


def smoothed(
    loss: remedies.Loss, labels: Any, logits: Any, counts: Counts, smoothing: float
) -> Any:
    """The loss expected under a smoothed label, [B].

    (1 - e) l(y) + e / K sum_c l(c): for cross-entropy the label smoothing of Szegedy
    et al. 2016, arXiv:1512.00567, section 7, and its like for every other loss.
    """
    if not smoothing:
        return per_image(loss, labels, logits, counts)
    if isinstance(loss, CrossEntropy):  # below, a loss for each of many classes is slow
        return smoothed_cross_entropy(labels, logits, np.full(len(counts), smoothing))
    own = per_image(loss, labels, logits, counts)
    everyone = [
        per_image(loss, ops.full_like(labels, c), logits, counts)
        for c in range(len(counts))
    ]
    return (1 - smoothing) * own + smoothing / len(counts) * sum(everyone)


def _weighted(
    phase: Phase, counts: Counts, logits: Any, smoothing: float, labels: Any
) -> Any:
    losses = smoothed(phase.loss, labels, logits, counts, smoothing)
    if phase.class_weights is None:
        return losses
    weights = ops.convert_to_tensor(phase.class_weights, "float32")
    return losses * ops.take(weights, class_indices(labels))

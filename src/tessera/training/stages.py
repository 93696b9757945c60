"""A plan -> stages of training: everything first, then perhaps the last layer alone.

A stage has one optimizer and one set of trained variables; its phases share them, so
that Adam's memory outlives a change of loss, weights or sampling.
"""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from tessera.arrays import Counts
from tessera.experiment import Training
from tessera.imbalance import plan as plans
from tessera.imbalance.plan import Phase, Plan, TrainedPart
from tessera.models import logits
from tessera.training import rates, steps


@dataclass(frozen=True)
class Span:
    """The epochs of a stage, counted from 0; `last` is the first one after it."""

    trains: TrainedPart
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Stage:
    """What a stage trains, and with what."""

    span: Span
    optimizer: Any
    trained: tuple[Any, ...]
    scales: Any | None
    """A factor per class on the logits, a variable [K]; where that is trained."""


def spans(plan: Plan, epochs: int) -> tuple[Span, ...]:
    """The stages of a plan, in order."""
    kinds = [plans.phase_at(plan, e, epochs).trains for e in range(epochs)]
    starts = [e for e in range(epochs) if e == 0 or kinds[e] != kinds[e - 1]]
    ends = [*starts[1:], epochs]
    return tuple(Span(kinds[a], a, b) for a, b in zip(starts, ends, strict=True))


def begin(
    net: Any,
    plan: Plan,
    span: Span,
    training: Training,
    *,
    epoch_steps: Sequence[int],
    seed: int,
) -> Stage:
    """Set a stage up; a classifier that is trained again is drawn anew first.

    Args:
        net: The model.
        plan: The remedy's phases.
        span: Which epochs, and what they train.
        training: The optimizer's settings.
        epoch_steps: Steps in each of the stage's epochs.
        seed: Of what is drawn anew.
    """
    scales = None
    if span.trains == "classifier":
        logits.redraw(net, seed)
    if span.trains == "scales":
        scales = keras.Variable(np.ones(len(plan.counts), np.float32), name="scales")
    trained = _trained(net, span.trains, scales)
    optimizer = rates.optimizer(
        training,
        steps=sum(epoch_steps),
        changes=_changes(plan, span, training.epochs, epoch_steps),
    )
    optimizer.build(trained)
    return Stage(span, optimizer, trained, scales)


def _trained(net: Any, trains: TrainedPart, scales: Any | None) -> tuple[Any, ...]:
    if scales is not None:
        return (scales,)
    layer = net if trains == "everything" else net.get_layer("logits")
    return tuple(layer.trainable_variables)


def _changes(
    plan: Plan, span: Span, epochs: int, epoch_steps: Sequence[int]
) -> tuple[tuple[int, float], ...]:
    """(first step of the stage, factor on the rate) wherever the factor changes."""
    factors = [1.0]
    factors += [
        plans.phase_at(plan, e, epochs).rate for e in range(span.first, span.last)
    ]
    return tuple(
        (sum(epoch_steps[:index]), new)
        for index, (old, new) in enumerate(itertools.pairwise(factors))
        if new != old
    )


def compiled(
    net: Any, stage: Stage, phase: Phase, counts: Counts, training: Training
) -> steps.TrainEpoch:
    """The training step of a phase, compiled."""
    return steps.compiled(task(net, stage, phase, counts, training))


def task(
    net: Any, stage: Stage, phase: Phase, counts: Counts, training: Training
) -> steps.Task:
    """What a training step of a phase does."""
    return steps.Task(
        net=net,
        optimizer=stage.optimizer,
        loss=partial(
            plans.mean_loss, phase, counts, smoothing=training.label_smoothing
        ),
        trained=stage.trained,
        # The second stage sees the features that the finished model will have.
        live=phase.trains == "everything",
        scales=stage.scales,
        sharpness=phase.sharpness,
        precision=training.precision,
    )


@contextlib.contextmanager
def as_in_use(net: Any, stage: Stage) -> Iterator[None]:
    """Within the block the model is what the stage has come to.

    Its weights are the optimizer's moving averages where it keeps any, and its logits
    carry the stage's factors.
    """
    averaged = stage.scales is None and stage.optimizer.use_ema
    if stage.scales is None and not averaged:
        yield
        return
    kept = [ops.convert_to_numpy(v) for v in net.variables]
    if averaged:
        stage.optimizer.finalize_variable_values(stage.trained)
        for variable in stage.trained:
            # On JAX it is the average's own buffer, which Keras' predict gives away.
            variable.assign(ops.copy(variable))
    else:
        logits.scale_and_shift(net, ops.convert_to_numpy(stage.scales), 0.0)
    yield
    for variable, value in zip(net.variables, kept, strict=True):
        variable.assign(value)

"""A model, a plan and two splits -> trained weights and a history.

Training goes epoch by epoch, each a pure function of (seed, epoch), so that a plan's
phases can change what is done between epochs and order never depends on what ran
before.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tessera.arrays import Counts
from tessera.experiment import Training
from tessera.imbalance import plan as plans
from tessera.imbalance.plan import Phase, Plan
from tessera.training import stages
from tessera.training.batches import Epoch, Material
from tessera.training.stages import Span, Stage
from tessera.training.validation import TrainingDiverged, validate

COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "val_balanced_accuracy",
    "val_macro_f1",
    "learning_rate",
    "seconds",
)
"""Of a history row; `loss` is the training loss, weighted where the plan weights."""

Row = dict[str, float]
Report = Callable[[int, int, int, Row | None], None]
"""Told (epoch from 0, steps done, steps in it, the row of an epoch just finished)."""


@dataclass(frozen=True)
class Fitted:
    """What a training leaves besides the weights."""

    history: tuple[Row, ...]
    best_epoch: int
    """Counted from 1."""
    seconds: float
    """Wall time, validation included, building the model excluded."""
    cpu_seconds: float
    """Processor time of the same, over all threads: a busy machine changes it less."""
    images_per_second: float


@dataclass(frozen=True, eq=False)
class Job:
    """One training: everything that stays the same from its first step to its last."""

    net: Any
    plan: Plan
    material: Material
    training: Training
    seed: int
    weights: Path
    report: Report

    @property
    def counts(self) -> Counts:
        """Images per class that the optimiser sees, int64 [K]."""
        return np.asarray(self.plan.counts, np.int64)

    def phase(self, epoch: int) -> Phase:
        """The phase of an epoch."""
        return plans.phase_at(self.plan, epoch, self.training.epochs)

    def steps(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.material.indices) // self.training.batch_size)


def fit(
    net: Any,
    plan: Plan,
    material: Material,
    training: Training,
    *,
    seed: int,
    weights: Path,
    report: Report = lambda *_: None,
) -> Fitted:
    """Train `net` in place and leave it with its best epoch's weights.

    The best epoch is one of the plan's last phase, which is what makes the remedy; a
    second stage starts from the best epoch of the first.

    Args:
        net: A Keras model of `models.build`: raw pixels in, logits out.
        plan: The remedy's phases.
        material: What to train and validate on.
        training: Epochs, batch size, learning rate, augmentation, monitor.
        seed: Decides order, augmentation, mixing and what is drawn anew.
        weights: Where `ModelCheckpoint` keeps the best weights.
        report: Told of every step.

    Raises:
        TrainingDiverged: The loss became NaN or infinite.
    """
    job = Job(net, plan, material, training, seed, weights, report)
    history: list[Row] = []
    began, busy = time.perf_counter(), time.process_time()
    for span in stages.spans(plan, training.epochs):
        if span.first:
            net.load_weights(weights)
        train_stage(job, span, history)
    seconds = time.perf_counter() - began
    net.load_weights(weights)
    images = len(material.indices) * len(history)
    return Fitted(
        history=tuple(history),
        best_epoch=best_epoch(history, training, first=first_of_last_phase(job)),
        seconds=seconds,
        cpu_seconds=time.process_time() - busy,
        images_per_second=images / seconds,
    )


def train_stage(job: Job, span: Span, history: list[Row]) -> None:
    """Train through a stage's epochs, adding a row for each."""
    stage = stages.begin(
        job.net,
        job.plan,
        span,
        job.training,
        steps_per_epoch=job.steps(),
        seed=job.seed,
    )
    phase = None
    for epoch in range(span.first, span.last):
        if phase != (phase := job.phase(epoch)):
            train = stages.compiled(job.net, stage, phase, job.counts)
            keep, first = checkpoint(job), epoch
        history.append(one_epoch(job, stage, phase, epoch, train=train, keep=keep))
        job.report(epoch + 1, 0, 1, history[-1])
        if job.phase(job.training.epochs - 1) is phase and is_over(job, history, first):
            return


def is_over(job: Job, history: list[Row], first: int) -> bool:
    """Whether the last phase has gone `patience` epochs without a better score."""
    patience = job.training.patience
    if patience is None:
        return False
    best = best_epoch(history, job.training, first=first)
    return len(history) - best >= patience


def checkpoint(job: Job) -> keras.callbacks.ModelCheckpoint:
    """Keras' own keeper of the best weights, watching the monitored score."""
    keep = keras.callbacks.ModelCheckpoint(
        str(job.weights),
        monitor=job.training.monitor,
        mode="min" if job.training.monitor == "val_loss" else "max",
        save_best_only=True,
        save_weights_only=True,
    )
    keep.set_model(job.net)
    return keep


def one_epoch(
    job: Job,
    stage: Stage,
    phase: Phase,
    epoch: int,
    *,
    train: Callable[..., Any],
    keep: keras.callbacks.ModelCheckpoint,
) -> Row:
    """Train through the images once, validate, keep the weights if they are best."""
    key = {"seed": job.seed, "epoch": epoch}
    batches = Epoch(job.material, job.training, phase, job.counts, **key)
    began = time.perf_counter()
    totals = train(batches, lambda done: job.report(epoch, done, len(batches), None))
    loss = totals.loss / totals.images
    if not np.isfinite(loss):
        raise TrainingDiverged(
            f"epoch {epoch + 1}: expected a finite loss. Received: {loss}. Lower "
            "training.learning_rate, or look at the data with `tessera data`."
        )
    with stages.as_in_use(job.net, stage):
        row = {"loss": loss, "accuracy": totals.correct / totals.images}
        row |= validate(job.net, job.material.validation)
        keep.on_epoch_end(epoch, row)
    rate = float(keras.ops.convert_to_numpy(stage.optimizer.learning_rate))
    seconds = time.perf_counter() - began
    row |= {"epoch": epoch + 1, "learning_rate": rate, "seconds": seconds}
    return {name: row[name] for name in COLUMNS}


def first_of_last_phase(job: Job) -> int:
    """The first epoch, counted from 0, of the plan's last phase."""
    epochs = job.training.epochs
    last = job.phase(epochs - 1)
    return next(e for e in range(epochs) if job.phase(e) is last)


def best_epoch(history: list[Row], training: Training, *, first: int = 0) -> int:
    """The earliest epoch, counted from 1, with the best score from `first` on."""
    scores = [row[training.monitor] for row in history[first:]]
    best = min(scores) if training.monitor == "val_loss" else max(scores)
    return first + scores.index(best) + 1

"""A model, a plan and two splits -> trained weights and a history.

Training goes epoch by epoch, each a pure function of (seed, epoch) and of the state
that `resume` keeps, so that a plan's phases can change what is done between epochs, and
a training that was killed goes on as if it had not been.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tessera import files
from tessera.arrays import Counts
from tessera.experiment import Start, Training
from tessera.imbalance import plan as plans
from tessera.imbalance import sampling
from tessera.imbalance.plan import Phase, Plan
from tessera.models import starting, whitening
from tessera.models import weights as stored
from tessera.training import resume, stages
from tessera.training.batches import Epoch, Material
from tessera.training.resume import Best, Groups, Row, State, Store
from tessera.training.stages import Span, Stage
from tessera.training.validation import TrainingDiverged, standing, validate

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
    "gradient_median",
    "gradient_largest",
)
"""Of a history row; `loss` is the training loss, weighted where the plan weights, the
`learning_rate` that of the step after the epoch, as Keras has it, and the last two are
of the norms of the loss's gradient in the epoch's steps."""

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
    notes: tuple[str, ...] = ()
    """What a reader of the run's record should know of the training."""


@dataclass(frozen=True, eq=False)
class Job:
    """One training: everything that stays the same from its first step to its last."""

    net: Any
    """A Keras model of `models.build`: raw pixels in, logits out."""
    plan: Plan
    """The remedy's phases."""
    material: Material
    """What to train and validate on."""
    training: Training
    """Epochs, batch size, learning rate, augmentation, monitor."""
    seed: int
    """Decides order, augmentation, mixing and what is drawn anew."""
    weights: Path
    """Where `ModelCheckpoint` keeps the best weights."""
    report: Report = lambda *_: None
    """Told of every step."""
    store: Store | None = None
    """Where to keep checkpoints, and to go on from one; None: nowhere."""
    start: Start | None = None
    """Weights that the model starts from; None: its own."""

    @property
    def counts(self) -> Counts:
        """Images per class that the optimiser sees, int64 [K]."""
        return np.asarray(self.plan.counts, np.int64)

    def phase(self, epoch: int) -> Phase:
        """The phase of an epoch."""
        return plans.phase_at(self.plan, epoch, self.training.epochs)

    def images(self, epoch: int) -> int:
        """Images that an epoch trains on, repeats counted."""
        return sampling.length(self.phase(epoch).sampling, self.counts)

    def steps(self, epoch: int) -> int:
        """Batches in an epoch."""
        return -(-self.images(epoch) // self.training.batch_size)


def fit(job: Job) -> Fitted:
    """Train the job's model in place and leave it with its best epoch's weights.

    The best epoch is one of the plan's last phase, which is what makes the remedy; a
    second stage starts from the best epoch of the first.

    Raises:
        TrainingDiverged: The loss became NaN or infinite; the best weights before are
            kept, and so is the last checkpoint.
        CannotWrite: The disk refused a checkpoint or the weights.
    """
    net, training = job.net, job.training
    initialise(job)
    state = resume.resumed(job.store)
    resume.restore(state, {"net": net.variables})
    try:
        for span in stages.spans(job.plan, training.epochs):
            if span.last > len(state.history):
                train_stage(job, span, state)
    finally:
        keep_best(job, state)
    seconds, cpu_seconds = state.elapsed()
    images = sum(map(job.images, range(len(state.history))))
    return Fitted(
        history=tuple(state.history),
        best_epoch=best_epoch(state.history, training, first=first_of_last_phase(job)),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        images_per_second=images / seconds,
    )


def initialise(job: Job) -> None:
    """Give the model what it starts with besides the weights that its seed drew.

    Raises:
        RunError, ModelError: See `starting.begin`.
    """
    if job.start is not None:
        starting.begin(job.net, job.start)
    else:
        images = job.material.train.images
        whitening.adapt(job.net, images, job.material.indices)


def keep_best(job: Job, state: State) -> None:
    """Leave the model with its best weights, and write them."""
    if state.best is not None:
        job.net.set_weights(state.best.weights)
        stored.save(job.net, job.weights)


def train_stage(job: Job, span: Span, state: State) -> None:
    """Train through a stage's epochs that are not done, adding a row for each."""
    stage = begun(job, span, state)
    if span.first < len(state.history):
        resume.restore(state, groups(job, stage))
    phase = None
    for epoch in range(max(span.first, len(state.history)), span.last):
        if is_over(job, state.history):
            return
        if phase != (phase := job.phase(epoch)):
            train = stages.compiled(job.net, stage, phase, job.counts, job.training)
            if epoch == span.first or job.phase(epoch - 1) is not phase:
                state.best = None
            keep = checkpoint(job, state.best)
        row = one_epoch(job, stage, phase, epoch, train=train, keep=keep, state=state)
        state.history.append(row)
        resume.save(job.store, state, groups(job, stage))
        job.report(epoch + 1, 0, 1, row)


def begun(job: Job, span: Span, state: State) -> Stage:
    """A stage ready to be trained; a later one starts from the best epoch before it."""
    if span.first and span.first == len(state.history) and state.best is not None:
        job.net.set_weights(state.best.weights)
    return stages.begin(
        job.net,
        job.plan,
        span,
        job.training,
        epoch_steps=[job.steps(epoch) for epoch in range(span.first, span.last)],
        seed=job.seed,
    )


def groups(job: Job, stage: Stage) -> Groups:
    """Every variable that a stage's next epoch depends on."""
    scales = () if stage.scales is None else (stage.scales,)
    memory = stage.optimizer.variables
    return {"net": job.net.variables, "optimizer": memory, "scales": scales}


def is_over(job: Job, history: list[Row]) -> bool:
    """Whether the last phase has gone `patience` epochs without a better score."""
    patience, first = job.training.patience, first_of_last_phase(job)
    if patience is None or len(history) <= first:
        return False
    best = best_epoch(history, job.training, first=first)
    return len(history) - best >= patience


def checkpoint(job: Job, best: Best | None) -> keras.callbacks.ModelCheckpoint:
    """Keras' own keeper of the best weights, told where each epoch stands.

    Args:
        job: Gives the model and the file.
        best: What a training that goes on has kept already.
    """
    keep = keras.callbacks.ModelCheckpoint(
        "best.weights.h5",
        monitor="standing",
        mode="max",
        save_best_only=True,
        save_weights_only=True,
        initial_value_threshold=None if best is None else best.score,
    )
    keep.set_model(stored.Keeper(job.net, job.weights))
    return keep


def kept(
    job: Job,
    keep: keras.callbacks.ModelCheckpoint,
    epoch: int,
    row: Row,
    best: Best | None,
) -> Best:
    """Let Keras judge the epoch; the best weights after it, also for checkpoints."""
    before, score = keep.best, standing(row, job.training.monitor)
    with files.writing(job.weights):  # Keras has words of its own for some refusals
        keep.on_epoch_end(epoch, {"standing": score})
    if best is not None and keep.best == before:
        return best
    weights = tuple(array.copy() for array in job.net.get_weights())
    return Best(score, weights)


def one_epoch(
    job: Job,
    stage: Stage,
    phase: Phase,
    epoch: int,
    *,
    train: Callable[..., Any],
    keep: keras.callbacks.ModelCheckpoint,
    state: State,
) -> Row:
    """Train through the images once, validate, keep the weights if they are best."""
    key = {"seed": job.seed, "epoch": epoch}
    batches = Epoch(job.material, job.training, phase, job.counts, **key)
    began = time.perf_counter()
    totals = train(batches, lambda done: job.report(epoch, done, len(batches), None))
    row = {"epoch": epoch + 1} | totals.row()
    require_finite(epoch, "loss", row["loss"])
    require_finite(epoch, "gradient", row["gradient_largest"])
    with stages.as_in_use(job.net, stage):
        row |= validate(job.net, job.material.validation)
        # A last step may explode by its length, the gradient being finite.
        require_finite(epoch, "validation loss", row["val_loss"])
        state.best = kept(job, keep, epoch, row, state.best)
    rate = float(keras.ops.convert_to_numpy(stage.optimizer.learning_rate))
    seconds = time.perf_counter() - began
    row |= {"learning_rate": rate, "seconds": seconds}
    return {name: row[name] for name in COLUMNS}


def require_finite(epoch: int, name: str, value: float) -> None:
    """End a training whose numbers are none any more.

    Raises:
        TrainingDiverged: The value is NaN or infinite.
    """
    if not np.isfinite(value):
        raise TrainingDiverged(
            f"epoch {epoch + 1}: expected a finite {name}. Received: {value}. The "
            "gradients exploded: lower training.learning_rate, or see the data with "
            "`tessera data`. The best weights and the last checkpoint before are kept."
        )


def first_of_last_phase(job: Job) -> int:
    """The first epoch, counted from 0, of the plan's last phase."""
    return plans.starts(job.plan, job.training.epochs)[-1]


def best_epoch(history: list[Row], training: Training, *, first: int = 0) -> int:
    """The earliest epoch, counted from 1, that stands best from `first` on."""
    scores = [standing(row, training.monitor) for row in history[first:]]
    return first + scores.index(max(scores)) + 1

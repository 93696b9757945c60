"""Several seeds of one run, trained at once: the same epochs as `fit`, side by side.

Each seed has its own images, order, draws, weights and history, and keeps its own best
epoch. Results are those of `fit` on JAX but for rounding.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Logits
from tessera.training import device_batches, resident, stages
from tessera.training import fit as single
from tessera.training.batches import Epoch
from tessera.training.device_batches import Resident
from tessera.training.fit import Fitted, Job
from tessera.training.resume import Best, Row, State
from tessera.training.stages import Span, Stage
from tessera.training.steps import Task
from tessera.training.validation import TrainingDiverged, standing, validation_scores


@dataclass(eq=False)
class Lane:
    """One seed's training under way; it may end before the others do."""

    job: Job
    state: State = field(default_factory=State)
    error: TrainingDiverged | None = None
    """Why it broke off."""

    @property
    def is_over(self) -> bool:
        """Whether it broke off, or stopped for want of a better score."""
        return self.error is not None or single.is_over(self.job, self.state.history)


def fit(jobs: Sequence[Job]) -> list[Fitted | TrainingDiverged]:
    """Train jobs that differ in their seeds, and leave each with its best weights.

    Their `store` is not used: a training that is interrupted starts over.

    Args:
        jobs: With one plan, one training and as many images each.

    Returns:
        What each came to, in order. The weights before a loss exploded are kept.

    Raises:
        ValueError: The jobs cannot be trained as one.
        CannotWrite: The disk refused the weights.
    """
    require_alike(jobs)
    began, busy = time.perf_counter(), time.process_time()
    lanes = [Lane(job) for job in jobs]
    train_all(lanes)
    seconds = (time.perf_counter() - began) / len(lanes)
    cpu_seconds = (time.process_time() - busy) / len(lanes)
    for lane in lanes:
        single.keep_best(lane.job, lane.state)
    return [
        lane.error or fitted(lane, seconds, cpu_seconds, note(jobs)) for lane in lanes
    ]


def require_alike(jobs: Sequence[Job]) -> None:
    """Refuse jobs that are not one program.

    Raises:
        ValueError: See `fit`.
    """
    values: dict[str, list[Any]] = {
        "plan": [job.plan for job in jobs],
        "training": [job.training for job in jobs],
        "training images": [len(job.material.indices) for job in jobs],
        "validation images": [len(job.material.validation) for job in jobs],
    }
    for name, found in values.items():
        if any(one != found[0] for one in found):
            raise ValueError(
                f"{name}: expected the same for every seed. Received: {found}. "
                "Train these seeds one by one."
            )


def note(jobs: Sequence[Job]) -> str:
    """What a record says of a training of this kind."""
    seeds = ", ".join(str(job.seed) for job in jobs)
    if len(jobs) == 1:
        return "Trained in whole epochs on the device."
    return (
        f"Trained in one program with the seeds {seeds}, in whole epochs on the "
        "device; its seconds are an equal share of theirs."
    )


def fitted(lane: Lane, seconds: float, cpu_seconds: float, note: str) -> Fitted:
    """What a training that came to its end leaves."""
    job, history = lane.job, lane.state.history
    first = single.first_of_last_phase(job)
    return Fitted(
        history=tuple(history),
        best_epoch=single.best_epoch(history, job.training, first=first),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        images_per_second=sum(map(job.images, range(len(history)))) / seconds,
        notes=(note,),
    )


def train_all(lanes: Sequence[Lane]) -> None:
    """Train through all epochs, adding a row for each to every lane."""
    lead = lanes[0].job
    images = device_batches.resident(lead.material.train, lead.training)
    for lane in lanes:
        single.initialise(lane.job)
    for span in stages.spans(lead.plan, lead.training.epochs):
        train_stage(lanes, span, images)


def train_stage(lanes: Sequence[Lane], span: Span, images: Resident) -> None:
    """Train through a stage's epochs, until no lane has any left."""
    lead = lanes[0].job
    begun = [single.begun(lane.job, span, lane.state) for lane in lanes]
    tasks = [task_of(*pair, span.first) for pair in zip(lanes, begun, strict=True)]
    state = resident.stacked(tasks)
    held = [lane.job.material.validation.images for lane in lanes]
    answers = resident.answerer(tasks[0], held)
    in_use = resident.in_use(tasks[0])
    drawn = tables(lanes, span.first)
    for epoch in range(span.first, span.last):
        if all(lane.is_over for lane in lanes):
            return
        began = time.perf_counter()
        if epoch == span.first or lead.phase(epoch) is not lead.phase(epoch - 1):
            task = task_of(lanes[0], begun[0], epoch)
            train = resident.trainer(task, images, lead.training.batch_size)
            require_same_images(images, epoch_of(lead, epoch))
            for lane in lanes:
                if not lane.is_over:
                    # Until the phase has a best epoch, the one before it stands.
                    single.keep_best(lane.job, lane.state)
                    lane.state.best = None
        state, totals = train(state, drawn)
        if epoch + 1 < span.last:
            drawn = tables(lanes, epoch + 1)  # while the device is at work
        used = in_use(state)
        logits, weights = answers(used), resident.weights(tasks[0], used)
        rate = rate_after(lead, begun[0], epoch)
        seconds = (time.perf_counter() - began) / len(lanes)
        for lane, total, found, kept in zip(
            lanes, totals(), logits, weights, strict=True
        ):
            more = {"epoch": epoch + 1, "learning_rate": rate, "seconds": seconds}
            advance(lane, total.row() | more, found, kept)


def tables(lanes: Sequence[Lane], epoch: int) -> list[device_batches.Table]:
    """What is random in an epoch, for every lane."""
    return [device_batches.table(epoch_of(lane.job, epoch)) for lane in lanes]


def epoch_of(job: Job, epoch: int) -> Epoch:
    """A job's batches of an epoch."""
    phase, key = job.phase(epoch), {"seed": job.seed, "epoch": epoch}
    return Epoch(job.material, job.training, phase, job.counts, **key)


def task_of(lane: Lane, stage: Stage, epoch: int) -> Task:
    """What a step of a lane's epoch does."""
    job = lane.job
    phase = job.phase(epoch)
    return stages.task(job.net, stage, phase, job.counts, job.training)


def require_same_images(images: Resident, epoch: Epoch) -> None:
    """Compare the first batch as the device makes it with the ordinary one.

    A device that cannot be trusted with integers, or an augmentation that only one of
    the two knows, would train on other images without a word.

    Raises:
        ValueError: They differ: bytes by anything, blended images by more than
            rounding.
    """
    expected = next(iter(epoch))
    found = device_batches.first(images, epoch, len(expected[1]))
    for here, there in zip(expected, found, strict=True):
        near = 0.0 if here.dtype.kind in "iu" else 1e-3
        if here.shape != there.shape or not np.allclose(here, there, 0.0, near):
            raise ValueError(
                "augmentation: expected the device to make the images of `batches`. "
                "Received others. Train these seeds one by one."
            )


def advance(
    lane: Lane, row: Row, logits: Logits, weights: tuple[NDArray[Any], ...]
) -> None:
    """Score a lane's epoch, keep its weights if they are best, and tell of it.

    Args:
        lane: Unchanged if its training is over.
        row: What is known of the epoch without the validation images.
        logits: Of the lane's validation images.
        weights: After the epoch.
    """
    if lane.is_over:
        return
    job, state, epoch = lane.job, lane.state, int(row["epoch"])
    try:
        single.require_finite(epoch - 1, "loss", row["loss"])
        single.require_finite(epoch - 1, "gradient", row["gradient_largest"])
        row |= validation_scores(job.material.validation.labels, logits)
        single.require_finite(epoch - 1, "validation loss", row["val_loss"])
    except TrainingDiverged as error:
        lane.error = error
        return
    score = standing(row, job.training.monitor)
    if state.best is None or score > state.best.score:  # as `ModelCheckpoint` has it
        state.best = Best(score, weights)
    state.history.append({name: row[name] for name in single.COLUMNS})
    job.report(epoch, 0, 1, state.history[-1])


def rate_after(job: Job, stage: Stage, epoch: int) -> float:
    """The learning rate of the first step after a stage's epoch."""
    steps = sum(map(job.steps, range(stage.span.first, epoch + 1)))
    stage.optimizer.iterations.assign(steps)
    return float(keras.ops.convert_to_numpy(stage.optimizer.learning_rate))

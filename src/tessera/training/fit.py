"""A model, a plan and two splits -> trained weights and a history.

Training goes epoch by epoch, each a pure function of (seed, epoch), so that a plan's
phases can change the loss between epochs and order never depends on what ran before.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from tessera.arrays import Indices
from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.imbalance import plan as plans
from tessera.training.batches import Epoch
from tessera.training.callbacks import Progress, StopAtNaN, ValidationScores

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
    images_per_second: float


@dataclass(frozen=True)
class Material:
    """The images of one training."""

    train: Split
    """The dataset's training images, before any profile."""
    indices: Indices
    """Those to train on."""
    validation: Split


def fit(
    net: Any,
    plan: plans.Plan,
    material: Material,
    training: Training,
    *,
    seed: int,
    weights: Path,
    report: Report = lambda *_: None,
) -> Fitted:
    """Train `net` in place and leave it with its best epoch's weights.

    Args:
        net: A Keras model: raw pixels in, logits out.
        plan: The remedy's phases.
        material: What to train and validate on.
        training: Epochs, batch size, learning rate, augmentation, monitor.
        seed: Decides order and augmentation.
        weights: Where `ModelCheckpoint` keeps the best weights.
        report: Told of every step.

    Raises:
        TrainingDiverged: The loss became NaN or infinite.
    """
    optimizer = keras.optimizers.Adam(training.learning_rate)
    keep = checkpoint(weights, training)
    history: list[Row] = []
    phase = None
    began = time.perf_counter()
    for epoch in range(training.epochs):
        if phase != (phase := plans.phase_at(plan, epoch, training.epochs)):
            net.compile(optimizer, plans.PhaseLoss(phase), metrics=["accuracy"])
        history.append(
            one_epoch(
                net, epoch, material, training, keep=keep, seed=seed, report=report
            )
        )
        report(epoch + 1, 0, 1, history[-1])
    seconds = time.perf_counter() - began
    net.load_weights(weights)
    return Fitted(
        history=tuple(history),
        best_epoch=best_epoch(history, training),
        seconds=seconds,
        images_per_second=len(material.indices) * training.epochs / seconds,
    )


def checkpoint(weights: Path, training: Training) -> keras.callbacks.ModelCheckpoint:
    """Keras' own keeper of the best weights, watching the monitored score."""
    return keras.callbacks.ModelCheckpoint(
        str(weights),
        monitor=training.monitor,
        mode="min" if training.monitor == "val_loss" else "max",
        save_best_only=True,
        save_weights_only=True,
    )


def one_epoch(
    net: Any,
    epoch: int,
    material: Material,
    training: Training,
    *,
    keep: keras.callbacks.ModelCheckpoint,
    seed: int,
    report: Report,
) -> Row:
    """Train through the images once, validate, keep the weights if they are best."""
    batches = Epoch(material.train, material.indices, training, seed=seed, epoch=epoch)
    progress = Progress(
        lambda done, steps: report(epoch, done, steps, None), len(batches)
    )
    began = time.perf_counter()
    logs = net.fit(
        batches,
        epochs=epoch + 1,
        initial_epoch=epoch,
        shuffle=False,
        verbose=0,
        callbacks=[progress, StopAtNaN(), ValidationScores(material.validation), keep],
    ).history
    row = {name: float(values[-1]) for name, values in logs.items()}
    rate = float(keras.ops.convert_to_numpy(net.optimizer.learning_rate))
    seconds = time.perf_counter() - began
    row |= {"epoch": epoch + 1, "learning_rate": rate, "seconds": seconds}
    return {name: row[name] for name in COLUMNS}


def best_epoch(history: list[Row], training: Training) -> int:
    """The first epoch, counted from 1, with the best monitored score."""
    scores = [row[training.monitor] for row in history]
    best = min(scores) if training.monitor == "val_loss" else max(scores)
    return scores.index(best) + 1

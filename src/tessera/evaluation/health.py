"""A history and test scores -> what went wrong that a mean would hide, in plain words.

A loss that is NaN or infinite ends a training with an error (`training.fit`). What is
named here leaves a finished run whose numbers must be read with care.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from tessera.phrases import first_classes
from tessera.record import Scores

EXPLOSION = 5.0
"""A loss this many times the lowest before it is named."""

START = 10.0
"""A first validation loss this many times that of guessing is named."""

SPIKE = 100.0
"""A step's gradient this many times the usual one's before is named. In healthy runs of
every remedy on the digits the largest was 6.5 times the first epoch's median."""

History: TypeAlias = Sequence[Mapping[str, float]]
"""A row for each epoch."""


def remarks(
    history: History, scores: Scores, *, starts: Sequence[int] = (0,)
) -> tuple[str, ...]:
    """Notes on a run for whoever reads its scores.

    Args:
        history: Rows of the training, each with `epoch`, `loss`, `val_loss`,
            `gradient_median` and `gradient_largest`.
        scores: On the test set.
        starts: First epochs, counted from 0, of the training's phases. Losses of two
            phases do not compare: weights, draws or the last layer are others.

    Returns:
        A sentence or two for each: one answer to every image, classes that have test
        images and were never answered, a gradient that exploded, a loss that did or
        began so, a loss that never fell.
    """
    ends = [*starts[1:], len(history)]
    phases = [history[a:b] for a, b in zip(starts, ends, strict=True) if a < b]
    of_losses = [
        (
            *_explosion(phase, "loss", "training loss"),
            *_explosion(phase, "val_loss", "validation loss"),
        )
        for phase in phases
    ]
    return (
        *of_answers(scores),
        *_gradient(history),
        *_start(history, len(scores.per_class)),
        *itertools.chain(*of_losses),
        *_standstill(phases[0]),
    )


def of_answers(scores: Scores) -> Iterator[str]:
    """What there is to say of the answers alone, as in `remarks`."""
    matrix = np.array(scores.confusion_matrix)
    names = [found.name for found in scores.per_class]
    answered = np.flatnonzero(matrix.sum(axis=0))
    if len(answered) == 1 and np.trace(matrix) < matrix.sum():
        yield (
            f"Constant prediction: every test image was answered with "
            f"{names[answered[0]]}. The model tells nothing apart; its accuracy is the "
            "share of that class."
        )
    elif missing := [
        name
        for name, tested, said in zip(names, matrix, matrix.T, strict=True)
        if tested.any() and not said.any()
    ]:
        yield f"Never predicted on the test set: {first_classes(missing)}."


def _gradient(history: History) -> Iterator[str]:
    """The step whose gradient was the largest for its time, healed or not, if large.

    In a long training gradients grow by and by and nothing explodes: they are measured
    by the epochs before. Histories of earlier versions, which a run may take over, do
    not tell.
    """
    if any("gradient_largest" not in row for row in history):
        return
    medians = [row["gradient_median"] for row in history]
    usual = [float(np.median(medians[: max(at, 1)])) for at in range(len(history))]
    found = [
        (row["gradient_largest"] / before if before else np.inf, row, before)
        for row, before in zip(history, usual, strict=True)
        if row["gradient_largest"] > 0
    ]
    times, worst, before = max(found, key=lambda one: one[0], default=(0.0, {}, 0.0))
    if times >= SPIKE:
        yield (
            f"Exploding gradient: in epoch {worst['epoch']:.0f} a step's gradient had "
            f"the norm {worst['gradient_largest']:.3g}; the median of the epochs "
            f"before was {before:.3g}. Lower training.learning_rate."
        )


def _explosion(history: History, key: str, name: str) -> Iterator[str]:
    """The worst rise of a loss over its lowest value so far, where it is large."""
    losses = np.array([row[key] for row in history])
    lowest = np.minimum.accumulate(losses)
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.where(losses > lowest, losses / lowest, 1.0)
    worst = int(rise.argmax())
    # Near 0 a loss may rise manifold and still be small; log 2 is a coin's.
    if rise[worst] >= EXPLOSION and losses[worst] > np.log(2):
        best = int(losses[: worst + 1].argmin())
        yield (
            f"Explosion: the {name} rose from {losses[best]:.3g} in epoch "
            f"{history[best]['epoch']:.0f} to {losses[worst]:.3g} in epoch "
            f"{history[worst]['epoch']:.0f}. Lower training.learning_rate."
        )


def _start(history: History, classes: int) -> Iterator[str]:
    """An explosion in the first epoch, which has no lower loss before it."""
    first, guessing = history[0]["val_loss"], np.log(classes)
    if first >= START * guessing:
        yield (
            f"Explosion: after the first epoch the validation loss was {first:.3g}, "
            f"{first / guessing:.0f} times that of guessing. Lower "
            "training.learning_rate."
        )


def _standstill(history: History) -> Iterator[str]:
    """Of the first phase: a later one may find nothing left to learn."""
    losses = [row["loss"] for row in history]
    if len(losses) > 1 and min(losses[1:]) >= losses[0]:
        yield (
            f"The training loss never fell below its first epoch's ({losses[0]:.3g}): "
            "nothing was learnt after it."
        )

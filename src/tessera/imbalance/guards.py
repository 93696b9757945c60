"""A remedy and the data it is for -> an error or a note, before any training.

A combination that gives a wrong number is refused; one that does nothing, or something
that a reader would not expect, is noted.
"""

from collections.abc import Iterator
from typing import assert_never

import numpy as np

from tessera import remedies
from tessera.arrays import Counts
from tessera.imbalance import sampling
from tessera.imbalance.weights import class_weights
from tessera.remedies import Remedy

FLAT = 1.05
"""Largest weight / smallest weight below which weights are as good as constant."""

LENGTH = 0.005
"""Part by which a training's images may differ from plain training's unsaid."""


class RemedyError(ValueError):
    """The remedy contradicts itself, the data or the training; the message says how."""


def check(remedy: Remedy, counts: Counts, *, epochs: int) -> tuple[str, ...]:
    """Look for the traps of a remedy.

    Args:
        remedy: What is to be done.
        counts: Images per class that the optimiser will see, int64 [K].
        epochs: Of the training.

    Returns:
        Notes in plain words for whoever reads the results.

    Raises:
        RemedyError: An empty class that the remedy divides by, corrections that double
            or cancel each other, a part that is never reached, or numbers that do not
            fit the classes.
    """
    for fault in (
        *_empty(remedy, counts),
        *_doubled(remedy),
        *_void(remedy),
        *_unreached(remedy, epochs),
        *_unfitting(remedy, counts),
    ):
        raise RemedyError(f"remedy: {fault}")
    return tuple(_notes(remedy, counts, epochs))


def uses_counts(remedy: Remedy) -> bool:
    """Whether anything in the remedy is computed from the counts per class."""
    plain = isinstance(
        remedy.loss,
        remedies.CrossEntropy | remedies.Focal | remedies.LabelAwareSmoothing,
    )
    return remedy.weights is not None or not plain or corrects_prior(remedy.after)


def corrects_prior(part: remedies.Loss | remedies.After | None) -> bool:
    """Whether a loss, or what is done afterwards, shifts the logits by log n_c."""
    match part:
        case remedies.BalancedSoftmax() | remedies.LogitAdjusted():
            return True
        case remedies.PostHocAdjustment() | remedies.PriorShift():
            return True
        case remedies.VectorScaling():
            return part.tau > 0
        case None | remedies.TauNormalisation() | remedies.Temperature():
            return False
        case remedies.CrossEntropy() | remedies.Focal() | remedies.Ldam():
            return False
        case remedies.LabelAwareSmoothing():
            return False
        case _:
            assert_never(part)


def _empty(remedy: Remedy, counts: Counts) -> Iterator[str]:
    empty = np.flatnonzero(np.asarray(counts) <= 0).tolist()
    if empty and uses_counts(remedy):
        yield (
            "expected training images of every class. Received: none of class "
            f"{', '.join(map(str, empty))} (counted from 0). Keep some of its images "
            "in the profile, or leave the class out of the data."
        )


def _doubled(remedy: Remedy) -> Iterator[str]:
    """Corrections of the class frequencies at the same time."""
    if remedy.stacked:
        return
    present = {
        "weights": remedy.weights is not None and not remedy.deferred,
        "sampling": remedy.sampling is not None and not remedy.deferred,
        "deferred weights": remedy.weights is not None and bool(remedy.deferred),
        "deferred sampling": remedy.sampling is not None and bool(remedy.deferred),
        f"the {remedy.loss.kind} loss": corrects_prior(remedy.loss),
        "retraining on resampled images": remedy.retraining is not None,
        f"{remedy.after.kind if remedy.after else ''} afterwards": corrects_prior(
            remedy.after
        ),
    }
    found = [name for name, there in present.items() if there]
    if len(found) > 1:
        yield (
            f"expected one correction of the class frequencies. Received: "
            f"{' and '.join(found)}, which correct the same thing twice. Drop all but "
            "one, or set `stacked = true` to train with them all the same."
        )


def _void(remedy: Remedy) -> Iterator[str]:
    """Parts that cannot have an effect beside one another."""
    if remedy.deferred and remedy.weights is None and remedy.sampling is None:
        yield (
            f"`deferred = {remedy.deferred}` defers weights and sampling. Received: "
            "neither. Add one of them, or drop `deferred`."
        )
    if remedy.drop < 1 and not remedy.deferred:
        yield (
            f"`drop = {remedy.drop}` lowers the learning rate once deferred weights or "
            "sampling have set in. Received: none that are deferred. Set `deferred`, "
            "or leave `drop` out."
        )
    cosine = isinstance(remedy.loss, remedies.Ldam)
    if cosine and isinstance(remedy.after, remedies.TauNormalisation):
        yield (
            "tau-normalisation divides class vectors by their lengths, and LDAM's "
            "cosine head has done so already: it would change nothing. Drop one."
        )
    varied = remedy.variation
    if varied is not None and not (varied.rotation or varied.zoom or varied.colour):
        yield (
            "variation: expected a rotation, a zoom or a colour above 0. Received: "
            "none. Leave `variation` out, or set one."
        )
    mixing = remedy.mixing
    if mixing is not None and mixing.begin >= mixing.end:
        yield (
            f"mixing: expected begin < end. Received: begin {mixing.begin}, end "
            f"{mixing.end}."
        )


def _unreached(remedy: Remedy, epochs: int) -> Iterator[str]:
    """Parts for which the training has no epoch."""
    stages, second = {"deferred": remedy.deferred}, 1.0
    if remedy.retraining is not None:
        second = stages["retraining.share"] = remedy.retraining.begin
        deferred = remedy.deferred
        if deferred and round(deferred * epochs) >= round(second * epochs):
            yield (
                f"`deferred = {deferred}` leaves no epoch before the second stage, "
                f"which begins at {second:.2f} of {epochs} epochs."
            )
    for name, share in stages.items():
        first = round(share * epochs)
        if share and not 0 < first < epochs:
            yield (
                f"{name}: expected at least one epoch before and one after. Received: "
                f"{first} before and {epochs - first} after, of {epochs} epochs. Train "
                "longer, or change the share."
            )
    mixing = remedy.mixing
    if mixing is not None:
        end = min(mixing.end, second)
        if round(end * epochs) <= round(mixing.begin * epochs):
            yield (
                "mixing: expected at least one mixed epoch. Received: begin "
                f"{mixing.begin} and end {end:.4g} of {epochs} epochs."
            )


def _prior(after: remedies.After | None) -> tuple[float, ...] | None:
    """The classes' stated shares where the model will be used, if any are."""
    return after.prior if isinstance(after, remedies.PriorShift) else None


def _unfitting(remedy: Remedy, counts: Counts) -> Iterator[str]:
    prior = _prior(remedy.after)
    if prior is not None and len(prior) != len(counts):
        yield (
            f"after.prior: expected one number for each of {len(counts)} classes. "
            f"Received: {len(prior)}."
        )


def _notes(remedy: Remedy, counts: Counts, epochs: int) -> Iterator[str]:
    unequal = float(np.max(counts)) / max(int(np.min(counts)), 1)
    corrects = uses_counts(remedy) or bool(remedy.sampling or remedy.variation)
    if unequal < FLAT and corrects and _prior(remedy.after) is None:
        yield "The classes are equally common, so this remedy has nothing to correct."
    elif remedy.weights is not None:
        weights = class_weights(remedy.weights, counts)
        if weights.max() < FLAT * weights.min():
            beta = isinstance(remedy.weights, remedies.EffectiveNumber)
            yield (
                f"The class weights are as good as constant (largest / smallest "
                f"{weights.max() / weights.min():.3f}), though the largest class has "
                f"{unequal:.0f} times the images of the smallest: with these counts "
                f"{'beta' if beta else 'power'} is too small to tell the classes apart."
            )
    times = sum(sampling.lengths(remedy, counts, epochs=epochs)) / int(np.sum(counts))
    if abs(times - 1) >= LENGTH:
        share = np.format_float_positional(times, 3, fractional=False, trim="-")
        yield (
            "Epochs are as long as what is drawn in them: the training sees "
            f"{share} times the images of plain training."
        )
    if remedy.mixing is not None and not isinstance(remedy.loss, remedies.CrossEntropy):
        yield (
            f"The {remedy.loss.kind} loss is defined for one label per image: a mixed "
            "image has the loss of either label in the shares of the mix."
        )
    if isinstance(remedy.loss, remedies.Focal) and remedy.loss.form == "sigmoid":
        yield (
            "The sigmoid focal loss trains one yes-or-no question per class: read as "
            "a softmax, its probabilities are poorly calibrated."
        )

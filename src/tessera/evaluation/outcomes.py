"""A run's stored predictions -> the scores of its probabilities, and intervals.

Everything here is computed from `predictions.npz` and `validation_predictions.npz`,
without the model.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera import files
from tessera.arrays import Counts, Floats, Labels, Logits, Probabilities
from tessera.evaluation import (
    bootstrap,
    calibration,
    detection,
    matrix_scores,
    selection,
)
from tessera.evaluation.probabilities import (
    fitted_temperature,
    image_brier,
    image_nll,
    log_softmax,
)
from tessera.record import RunFolder
from tessera.results import Groups, Interval

AFTER = "_scaled"
"""Ends the names of scores after temperature scaling."""
BY_CLASS = ("ece_classwise", "macro_auc", "macro_ap")
"""Scores of probabilities in which each class weighs the same, see `Score.by_class`."""
NOTHING = Interval(low=None, high=None)


@dataclass(frozen=True)
class Outcome:
    """What a run answered."""

    logits: Logits
    labels: Labels
    """Of the test set, [N]."""
    validation: tuple[Logits, Labels] | None
    """The same of the validation set; None where it was not kept."""
    groups: bootstrap.Names | None = None
    """What each test image belongs to, [N]; None: each stands alone."""


def read(run: RunFolder) -> Outcome | None:
    """Read a run's predictions; None where it left none."""
    if not run.predictions.exists():
        return None
    test = files.read_arrays(run.predictions)
    held = None
    if run.validation_predictions.exists():
        found = files.read_arrays(run.validation_predictions)
        held = (found["logits"], found["labels"])
    return Outcome(test["logits"], test["labels"], held, test.get("groups"))


def fitted(outcome: Outcome) -> float | None:
    """`fitted_temperature` of the validation set; None without one."""
    if outcome.validation is None or not len(outcome.validation[1]):
        return None
    return fitted_temperature(*outcome.validation)


def probability_scores(
    outcome: Outcome, temperature: float | None = None
) -> dict[str, float]:
    """Calibration and, where no temperature is given, curves of the test set.

    Args:
        outcome: A run's answers.
        temperature: Divides the logits; the names then end in `_scaled`. Curves of the
            confidence may change with it a little, and are those before it.

    Returns:
        nll (nats), brier (0..2), ece, ece_mass, ece_classwise, mce; macro_auc and
        macro_ap where at least two classes have test images; aurc.
    """
    logs = log_softmax(outcome.logits, temperature or 1.0)
    shares = np.exp(logs)
    confidence, predicted = shares.max(axis=1), shares.argmax(axis=1)
    correct = predicted == outcome.labels
    widths = calibration.equal_width_edges()
    bins = calibration.reliability(confidence, correct, widths)
    masses = calibration.equal_mass_edges(confidence)
    classwise = calibration.classwise_error(shares, outcome.labels)
    found = {
        "nll": float(image_nll(logs, outcome.labels).mean()),
        "brier": float(image_brier(shares, outcome.labels).mean()),
        "ece": calibration.expected_error(bins),
        "ece_mass": calibration.expected_error(
            calibration.reliability(confidence, correct, masses)
        ),
        "ece_classwise": float(classwise.mean()),
        "mce": calibration.largest_error(bins),
    }
    if temperature is not None:
        return {name + AFTER: value for name, value in found.items()}
    traced = detection.curves(shares, outcome.labels)
    if any(traced):
        found["macro_auc"], found["macro_ap"] = detection.macro(traced)
    found["aurc"] = selection.area(selection.risks(confidence, correct))
    return found


def run_intervals(
    outcome: Outcome,
    rare: Collection[int] = (),
    *,
    parted: Groups | None = None,
    replicates: int = bootstrap.REPLICATES,
) -> dict[str, Interval]:
    """Bootstrap intervals over the test images of one run.

    Args:
        outcome: A run's answers.
        rare: The reduced classes; with any, their recall has an interval too.
        parted: Head, middle and tail, for their recall.
        replicates: How many; a tenth of them, and with more than ten classes fewer,
            for scores that need every threshold: AURC, areas under curves, class-wise
            ECE.

    Returns:
        An interval per score, by its name in `CellSummary.scores`, of which some have
        none (docs/methods.md, *Resampled test images*). It is without ends where the
        score rests on classes of fewer than `results.FEW` test images, or groups of
        them, and where it is not defined.
    """
    labels, groups = outcome.labels, outcome.groups
    logs = log_softmax(outcome.logits)
    shares = np.exp(logs)
    stack = bootstrap.confusions(
        labels,
        shares.argmax(axis=1),
        logs.shape[1],
        groups=groups,
        replicates=replicates,
    )
    found = {name: one.of(stack) for name, one in matrix_scores.SCORES.items()}
    members = {"reduced": tuple(rare)}
    if parted:
        members |= {"head": parted.head, "middle": parted.middle, "tail": parted.tail}
    for name, classes in members.items():
        if classes:
            found[f"{name}_recall"] = matrix_scores.group_recall(stack, classes)
    image_nlls = image_nll(logs, labels)
    found |= bootstrap.replicated(
        labels,
        _of_draws(shares, image_nlls, labels),
        groups=groups,
        replicates=replicates,
    )
    # Fewer for many classes, so that time grows with the images alone.
    fewer = max(replicates // 20, replicates // max(logs.shape[1], 10), 1)
    found |= _by_threshold(shares, labels, groups, fewer)
    counts = np.bincount(labels, minlength=logs.shape[1])
    thin = bootstrap.thin(bootstrap.drawn_from(labels, groups, logs.shape[1]))
    unknown = _unknown(list(found), counts, thin, members)
    return {
        name: NOTHING if name in unknown else bootstrap.interval(values)
        for name, values in found.items()
    }


def _unknown(
    scores: Sequence[str],
    counts: Counts,
    thin: NDArray[np.bool_],
    members: Mapping[str, Sequence[int]],
) -> set[str]:
    """Scores that rest on classes of too little to be drawn from themselves."""
    if 2 * counts[thin].sum() > counts.sum():
        return set(scores)
    groups = {f"{name}_recall" for name, of in members.items() if thin[list(of)].any()}
    if not thin.any():
        return groups
    by_class = {name for name, one in matrix_scores.SCORES.items() if one.by_class}
    return groups | by_class | set(BY_CLASS)


def _of_draws(
    shares: Probabilities, image_nlls: Floats, labels: Labels
) -> dict[str, bootstrap.OfDraws]:
    """Scores of probabilities, as functions of the draws; bins stay as they are."""
    confidence = shares.max(axis=1)
    correct = shares.argmax(axis=1) == labels
    gaps = correct - confidence
    widths = calibration.equal_width_edges()
    masses = calibration.equal_mass_edges(confidence)
    where, by_mass = (calibration.bin_of(confidence, e) for e in (widths, masses))
    return {
        "nll": bootstrap.mean_of(image_nlls),
        "brier": bootstrap.mean_of(image_brier(shares, labels)),
        "ece": bootstrap.calibration_of(where, gaps),
        "ece_mass": bootstrap.calibration_of(by_mass, gaps),
        "mce": bootstrap.largest_gap_of(where, gaps),
    }


def _by_threshold(
    shares: Probabilities,
    labels: Labels,
    groups: bootstrap.Names | None,
    replicates: int,
) -> dict[str, Floats]:
    """Replicates of the scores that take long: they go through every threshold."""
    confidence, correct = shares.max(axis=1), shares.argmax(axis=1) == labels
    widths = calibration.equal_width_edges()
    every = range(shares.shape[1])
    scores = {
        "aurc": bootstrap.selection_of(confidence, correct),
        "ece_classwise": bootstrap.mean_over(
            [
                bootstrap.calibration_of(
                    calibration.bin_of(shares[:, k], widths),
                    (labels == k) - shares[:, k],
                )
                for k in every
            ]
        ),
    }
    present = [k for k in every if 0 < (labels == k).sum() < len(labels)]
    if present:
        each = [bootstrap.areas_of(shares[:, k], labels == k) for k in present]
        scores["areas"] = bootstrap.mean_over(each)
    found = bootstrap.replicated(labels, scores, groups=groups, replicates=replicates)
    if present:
        found["macro_auc"], found["macro_ap"] = found.pop("areas")
    return found

"""The runs of a cell, asked together: the mean of their probabilities, and its gain.

Several trainings that differ in the seed err on different images, so their mean errs
less often than one of them (Lakshminarayanan et al. 2017, arXiv:1612.01474). It costs
no training, and at use as many models as there are seeds. Formulas: docs/methods.md,
*Ensembles*.
"""

from collections.abc import Collection, Sequence

import numpy as np

from tessera.arrays import Floats, Indices, Labels, Logits, Probabilities
from tessera.evaluation import bootstrap, calibration, matrix_scores
from tessera.evaluation.outcomes import NOTHING, Outcome
from tessera.evaluation.probabilities import image_brier, image_nll, softmax
from tessera.evaluation.ratios import known_mean, ratio
from tessera.results import Ensemble, Interval

GAINS = ("accuracy", "macro_f1", "reduced_recall")
"""Scores whose gain has an interval over test images; the last with rare classes."""


def mean_probabilities(
    logits: Sequence[Logits], temperatures: Sequence[float]
) -> Probabilities:
    """mean_s softmax(z_s / T_s), float64 [N, K].

    Args:
        logits: Of each member for the same images, [N, K] each.
        temperatures: Of each member.
    """
    pairs = zip(logits, temperatures, strict=True)
    found: Probabilities = np.mean([softmax(z, t) for z, t in pairs], axis=0)
    return found


def ensemble(
    members: Sequence[Outcome],
    temperatures: Sequence[float],
    rare: Collection[int] = (),
    *,
    replicates: int = bootstrap.REPLICATES,
) -> Ensemble:
    """Score the mean of some runs' probabilities against the mean of their scores.

    Args:
        members: What at least two runs answered to the same test images.
        temperatures: Of each, fitted on its own validation images; 1: none was.
        rare: The reduced classes; with any, their recall is a score too.
        replicates: Of the bootstrap.

    Raises:
        ValueError: They were tested on other images.
    """
    labels = members[0].labels
    if not all(np.array_equal(one.labels, labels) for one in members):
        raise ValueError("members: expected the same test images. Received: others.")
    logits = [one.logits for one in members]
    shares = mean_probabilities(logits, temperatures)
    answers = [shares.argmax(axis=1), *(one.argmax(axis=1) for one in logits)]
    return Ensemble(
        scores=_scores(shares, labels, rare),
        gains=_gains(answers, members[0], rare, classes=shares.shape[1], n=replicates),
    )


def _scores(
    shares: Probabilities, labels: Labels, rare: Collection[int]
) -> dict[str, float]:
    """What the confusion matrix decides, and three scores of the probabilities."""
    classes = shares.shape[1]
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, shares.argmax(axis=1)), 1)
    found = {name: float(one.of(matrix)) for name, one in matrix_scores.SCORES.items()}
    if rare:
        found["reduced_recall"] = float(matrix_scores.group_recall(matrix, rare))
    confidence, correct = shares.max(axis=1), shares.argmax(axis=1) == labels
    edges = calibration.equal_width_edges()
    bins = calibration.reliability(confidence, correct, edges)
    tiny = np.finfo(np.float64).tiny
    return found | {
        "nll": float(image_nll(np.log(np.maximum(shares, tiny)), labels).mean()),
        "brier": float(image_brier(shares, labels).mean()),
        "ece": calibration.expected_error(bins),
    }


def _gains(
    answers: Sequence[Indices],
    first: Outcome,
    rare: Collection[int],
    *,
    classes: int,
    n: int,
) -> dict[str, Interval]:
    """Bootstrap intervals of the ensemble's scores less the mean of the members'.

    Args:
        answers: The ensemble's classes and those of each member, [N] each.
        first: Gives labels and groups of the test images.
        rare: See `ensemble`.
        classes: K.
        n: Replicates; fewer for more than ten classes.
    """
    whole, *each = (_of_draws(one, first.labels, classes, rare) for one in answers)
    mean = bootstrap.mean_over(each)
    drawn = bootstrap.replicated(
        first.labels,
        {"gain": lambda block: whole(block) - mean(block)},
        groups=first.groups,
        replicates=max(10 * n // max(classes, 10), 1),
    )["gain"]
    few = bootstrap.thin(bootstrap.drawn_from(first.labels, first.groups, classes))
    images = np.bincount(first.labels, minlength=classes)
    unknown = {
        "accuracy": 2 * images[few].sum() > images.sum(),
        "macro_f1": few.any(),
        "reduced_recall": few[sorted(rare)].any(),
    }
    return {
        name: NOTHING if unknown[name] else bootstrap.interval(values)
        for name, values in zip(GAINS, drawn, strict=False)  # the last may be missing
    }


def _of_draws(
    predicted: Indices, labels: Labels, classes: int, rare: Collection[int]
) -> bootstrap.OfDraws:
    """The scores of `GAINS` as a function of the draws, [2, b] or [3, b]."""

    def score(block: bootstrap.Draws) -> Floats:
        own = np.arange(classes)
        true, said = labels[:, None] == own, predicted[:, None] == own
        parts = np.concatenate([true, said, true & said], axis=1).astype(np.float64)
        images, answered, right = np.split(block @ parts, 3, axis=1)
        recall = ratio(right, images, np.nan)
        f1 = np.where(images > 0, ratio(2 * right, images + answered), np.nan)
        found = [right.sum(axis=1) / images.sum(axis=1), known_mean(f1)]
        if rare:
            found.append(known_mean(recall[:, sorted(rare)]))
        return np.stack(found)

    return score

"""Logits and labels -> the test images worth a second look.

Three lists: the surest wrong answers, examples of the commonest confusions, and labels
that may themselves be wrong. Formulas: docs/methods.md, *Mistakes*.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Confusion, Indices, Labels, Logits, Probabilities
from tessera.evaluation.probabilities import of_class, softmax
from tessera.evaluation.scores import confusion_matrix, row_normalised


@dataclass(frozen=True)
class Confused:
    """A true class taken for another."""

    true: int
    predicted: int
    count: int
    share: float
    """Of the true class's test images."""


@dataclass(frozen=True)
class Mistakes:
    """Positions in the test set."""

    surest: Indices
    """Wrong answers, the surest first."""
    pairs: tuple[Confused, ...]
    """The commonest confusions, by their share of the true class."""
    typical: tuple[Indices, ...]
    """Of every pair, its surest examples."""
    doubtful: Indices
    """Labels that the model contradicts most, the most contradicted first."""

    def all(self) -> Indices:
        """Every position once, ascending."""
        return np.unique(np.concatenate([self.surest, *self.typical, self.doubtful]))


def drawn(count: int, seed: int) -> Indices:
    """All test images in the random order in which those to explain are taken.

    Args:
        count: Test images.
        seed: The run's. Runs of one seed draw alike, whatever they answer.

    Returns:
        A permutation of 0..count - 1, int64.
    """
    order: Indices = np.random.default_rng(seed).permutation(count)
    return order


def mistakes(
    logits: Logits,
    labels: Labels,
    *,
    temperature: float = 1.0,
    surest: int = 12,
    pairs: int = 4,
    each: int = 3,
) -> Mistakes:
    """Find them.

    Args:
        logits: Of the test set, float [N, K].
        labels: True classes, int [N].
        temperature: What logits are divided by: how sure answers are decides lists.
        surest: How many of the surest wrong answers, and of the doubtful labels.
        pairs: How many confusions.
        each: How many examples of each.
    """
    probabilities = softmax(logits, temperature)
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    ordered = wrong[np.argsort(-confidence[wrong], kind="stable")]
    found = confused(confusion_matrix(labels, predicted, logits.shape[1]), pairs)
    return Mistakes(
        surest=ordered[:surest],
        pairs=found,
        typical=tuple(
            ordered[(labels[ordered] == p.true) & (predicted[ordered] == p.predicted)][
                :each
            ]
            for p in found
        ),
        doubtful=doubtful_labels(probabilities, labels)[:surest],
    )


def confused(matrix: Confusion, pairs: int) -> tuple[Confused, ...]:
    """The largest shares off the diagonal of a confusion matrix [K, K]."""
    shares = row_normalised(matrix)
    np.fill_diagonal(shares, 0.0)
    order = np.argsort(-shares, axis=None, kind="stable")[:pairs]
    return tuple(
        Confused(int(i), int(j), int(matrix[i, j]), float(shares[i, j]))
        for i, j in zip(*np.unravel_index(order, shares.shape), strict=True)
        if shares[i, j] > 0
    )


def doubtful_labels(probabilities: Probabilities, labels: Labels) -> Indices:
    """Images whose label the model contradicts, by confident learning.

    Northcutt et al. 2021 (arXiv:1911.00068), section 3: the threshold of class j is the
    mean p_j over the images labelled j. An image labelled i is a candidate when among
    the classes whose thresholds its probabilities reach, the likeliest is not i, and
    neither is the likeliest of all (as in the authors' cleanlab 2.9).
    Candidates stand in the order of p_i - max_j p_j, the lowest first.

    Args:
        probabilities: Of images the model was not trained on, float [N, K].
        labels: Their given classes, int [N].

    Returns:
        Positions of the candidates, int64.
    """
    likeliest = confident_classes(probabilities, labels)
    said = probabilities.argmax(axis=1)
    other = (likeliest != labels) & (said != labels)
    candidates = np.flatnonzero((likeliest >= 0) & other)
    seen = probabilities[candidates]
    margin = of_class(seen, labels[candidates]) - seen.max(axis=1)
    return candidates[np.argsort(margin, kind="stable")].astype(np.int64)


def confident_classes(probabilities: Probabilities, labels: Labels) -> Indices:
    """The likeliest class whose threshold an image reaches, -1 where it reaches none.

    Args:
        probabilities: As of `doubtful_labels`.
        labels: As well.

    Returns:
        int64 [N].
    """
    size = probabilities.shape[1]
    thresholds = np.array([_threshold(probabilities, labels, j) for j in range(size)])
    # A class's own mean reaches itself up to rounding.
    reached = probabilities >= thresholds - 1e-9
    likeliest = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), likeliest, -1).astype(np.int64)


def _threshold(probabilities: Probabilities, labels: Labels, j: int) -> float:
    mine: NDArray[np.float64] = probabilities[labels == j, j]
    return float(mine.mean()) if len(mine) else np.inf

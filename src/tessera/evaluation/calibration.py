"""Confidences and outcomes -> reliability bins and how far apart the two are.

Formulas and sources: docs/methods.md, *Probabilities*. A confidence is the highest
probability of an image; an outcome is whether that class is right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from tessera.arrays import Floats, Labels, Probabilities
from tessera.evaluation.ratios import ratio

BINS = 15
_Z = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Bins:
    """M bins of confidence, each open on the left and closed on the right."""

    edges: Floats
    """[M + 1], rising."""
    count: NDArray[np.int64]
    """Images per bin, [M]."""
    confidence: Floats
    """Mean confidence, [M]; NaN in an empty bin, as is `accuracy`."""
    accuracy: Floats
    """Share that is right, [M]."""


def equal_width_edges(bins: int = BINS) -> Floats:
    """0, 1/M, ..., 1."""
    return np.linspace(0.0, 1.0, bins + 1)


def equal_mass_edges(confidence: Floats, bins: int = BINS) -> Floats:
    """Edges between which equally many images lie (Nixon et al. 2019).

    Equal confidences are never parted, so bins may hold more, and be fewer, than asked.
    """
    ranks = np.ceil(len(confidence) * np.arange(1, bins + 1) / bins).astype(int) - 1
    return np.concatenate([[0.0], np.unique(np.sort(confidence)[ranks])])


def bin_of(confidence: Floats, edges: Floats) -> NDArray[np.int64]:
    """The bin of every image, int64 [N]; a confidence on an edge belongs below it."""
    return np.searchsorted(edges[1:], confidence, side="left").astype(np.int64)


def reliability(confidence: Floats, correct: NDArray[np.bool_], edges: Floats) -> Bins:
    """Sort images into bins.

    Args:
        confidence: Highest probability, float [N].
        correct: Whether that class is the true one, bool [N].
        edges: Rising; the first is 0 and the last no less than any confidence.
    """
    where, size = bin_of(confidence, edges), len(edges) - 1
    count = np.bincount(where, minlength=size)

    def mean(values: NDArray[np.generic]) -> Floats:
        total = np.bincount(where, weights=values.astype(np.float64), minlength=size)
        return ratio(total, count, np.nan)

    return Bins(edges, count, mean(confidence), mean(correct))


def expected_error(bins: Bins) -> float:
    """ECE: sum_b (n_b / N) |accuracy_b - confidence_b| (Naeini et al. 2015)."""
    gaps = np.abs(bins.accuracy - bins.confidence)
    return float(np.nansum(gaps * bins.count) / bins.count.sum())


def largest_error(bins: Bins) -> float:
    """MCE: the largest gap of a bin that holds an image."""
    return float(np.nanmax(np.abs(bins.accuracy - bins.confidence)))


def classwise_error(probabilities: Probabilities, labels: Labels) -> Floats:
    """ECE of each class's own probability, equal-width bins, [K] (Kull et al. 2019).

    In every bin of p_k: how often class k is true against the mean of p_k.
    """
    edges = equal_width_edges()
    return np.array(
        [
            expected_error(reliability(probabilities[:, k], labels == k, edges))
            for k in range(probabilities.shape[1])
        ]
    )


def wilson(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    """95 % interval of a share (Wilson 1927), low and high; NaN for no trial.

    Centre (p + z^2/2n) / (1 + z^2/n), half-width
    z sqrt(p(1-p)/n + z^2/4n^2) / (1 + z^2/n). It begins at exactly 0 where nothing
    succeeded and ends at exactly 1 where everything did.
    """
    successes = np.asarray(successes, np.float64)
    n = np.where(np.asarray(trials) > 0, trials, np.nan).astype(np.float64)
    share = successes / n
    shrink = 1 + _Z**2 / n
    centre = (share + _Z**2 / (2 * n)) / shrink
    half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / shrink
    low = np.where(successes == 0, 0.0 * n, centre - half)
    return low, np.where(successes == n, 1.0, centre + half)

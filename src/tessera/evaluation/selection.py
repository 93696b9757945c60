"""Answering only where the model is sure: risk against coverage.

Geifman & El-Yaniv 2017 (arXiv:1705.08500); area: Geifman et al. 2019
(arXiv:1805.08206). Formulas: docs/methods.md, *Curves*.
"""

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Floats


def risks(confidence: Floats, correct: NDArray[np.bool_]) -> Floats:
    """Error rate among the i surest images, for i = 1..N, float64 [N].

    Images of equal confidence have no order: each counts with their mean error, which
    is what a random order gives on average.

    Args:
        confidence: Highest probability, float [N], N >= 1.
        correct: Whether that class is the true one, bool [N].
    """
    _, tie, size = np.unique(-confidence, return_inverse=True, return_counts=True)
    share = np.bincount(tie, weights=~correct) / size
    errors = np.repeat(share, size)
    over: Floats = np.cumsum(errors) / np.arange(1, len(errors) + 1)
    return over


def area(over: Floats) -> float:
    """AURC: the mean risk over all coverages 1/N..1; lower is better."""
    return float(over.mean())

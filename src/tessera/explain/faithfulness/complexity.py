"""Complexity: over how many cells a map spreads; no merit, but an aid in reading.

Bhatt et al. 2020 (IJCAI, arXiv:2005.00631) for the entropy, Chalasani et al. 2020
(ICML, arXiv:1810.06583) for the Gini index.
"""

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps
from tessera.evaluation.ratios import ratio


def shares(maps: Heatmaps) -> NDArray[np.float64]:
    """Positive parts as shares of their sum, float64 [N, cells]; NaN where none is."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    finite = np.isfinite(flat).all(axis=1, keepdims=True)
    positive = np.maximum(np.where(finite, flat, 0), 0)
    return ratio(positive, positive.sum(axis=1, keepdims=True), np.nan)


def entropy(maps: Heatmaps) -> NDArray[np.float64]:
    """-sum s log s / log(cells): 0 for one bright cell, 1 for a flat map, [N]."""
    part = shares(maps)
    terms = part * np.log(np.where(part > 0, part, 1))
    spread: NDArray[np.float64] = -terms.sum(axis=1) / np.log(part.shape[1])
    return spread


def gini(maps: Heatmaps) -> NDArray[np.float64]:
    """Gini index of the shares, 0 for a flat map, 1 - 1/cells for one bright cell.

    sum_i (2 i - n - 1) s_(i) / n, shares ascending, i = 1..n.
    """
    part = np.sort(shares(maps), axis=1)
    n = part.shape[1]
    index: NDArray[np.float64] = (part * (2 * np.arange(1, n + 1) - n - 1)).sum(
        axis=1
    ) / n
    return index


def bright(maps: Heatmaps) -> NDArray[np.float64]:
    """Share of the cells above half of the maximum, float64 [N]."""
    part = shares(maps)
    half = part.max(axis=1, keepdims=True) / 2
    share = (part > half).mean(axis=1)
    return np.where(np.isnan(part).any(axis=1), np.nan, share)

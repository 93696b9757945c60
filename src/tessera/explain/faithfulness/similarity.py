"""Two maps of one image -> how alike they are: rank correlation and SSIM."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from tessera.arrays import Heatmaps
from tessera.evaluation.ratios import ratio

WINDOW = 7
"""Cells per side of SSIM's window; a smaller grid takes its largest odd one."""


def spearman(first: Heatmaps, second: Heatmaps) -> NDArray[np.float64]:
    """Rank correlation of each pair of maps, float64 [N]; equal cells share a rank.

    NaN where a map is constant or not finite: it has no order.
    """
    one, two = (_ranked(maps) for maps in (first, second))
    scale = np.sqrt((one**2).sum(axis=1) * (two**2).sum(axis=1))
    return ratio((one * two).sum(axis=1), scale, np.nan)


def _ranked(maps: Heatmaps) -> NDArray[np.float64]:
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    finite = np.isfinite(flat).all(axis=1, keepdims=True)
    ranks = stats.rankdata(np.where(finite, flat, 0), axis=1)
    centred: NDArray[np.float64] = ranks - ranks.mean(axis=1, keepdims=True)
    return centred


def ssim(first: Heatmaps, second: Heatmaps) -> NDArray[np.float64]:
    """Structural similarity of each pair of display maps, float64 [N].

    Wang et al. 2004 (IEEE TIP), equation 13, with a flat window, C1 = 0.01^2 and
    C2 = 0.03^2 for maps in 0..1, unbiased variances, averaged over the windows that
    lie inside the map.
    """
    one, two = (_displayed(maps) for maps in (first, second))
    side = min(WINDOW, *one.shape[1:])
    side -= 1 - side % 2
    cells = side * side
    mean_one, mean_two = (_window(x, side) for x in (one, two))
    unbiased = cells / (cells - 1)
    var_one = unbiased * (_window(one * one, side) - mean_one**2)
    var_two = unbiased * (_window(two * two, side) - mean_two**2)
    both = unbiased * (_window(one * two, side) - mean_one * mean_two)
    c1, c2 = 0.01**2, 0.03**2
    value = ((2 * mean_one * mean_two + c1) * (2 * both + c2)) / (
        (mean_one**2 + mean_two**2 + c1) * (var_one + var_two + c2)
    )
    found: NDArray[np.float64] = value.mean(axis=(1, 2))
    return found


def _displayed(maps: Heatmaps) -> NDArray[np.float64]:
    positive = np.maximum(np.nan_to_num(maps.astype(np.float64)), 0)
    largest = positive.max(axis=(1, 2), keepdims=True)
    return positive / np.where(largest > 0, largest, 1)


def _window(maps: NDArray[Any], side: int) -> NDArray[np.float64]:
    means: NDArray[np.float64] = ndimage.uniform_filter(maps, (0, side, side))
    edge = side // 2
    return means[
        :, edge : maps.shape[1] - edge or None, edge : maps.shape[2] - edge or None
    ]


def change(before: Heatmaps, after: Heatmaps) -> NDArray[np.float64]:
    """Relative change |after - before| / |before| in the Euclidean norm, float64 [N].

    NaN where the map before is zero.
    """
    moved, size = (
        np.sqrt((maps.astype(np.float64) ** 2).sum(axis=(1, 2)))
        for maps in (after - before, before)
    )
    return ratio(moved, size, np.nan)

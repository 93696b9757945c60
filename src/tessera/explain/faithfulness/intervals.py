"""Values per image -> mean and 95 % bootstrap interval over images.

Efron 1979 (Annals of Statistics): the percentiles of the means of resampled images.
Values that do not exist (NaN) are left out of their own mean only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.evaluation.faithfulness import Interval
from tessera.evaluation.ratios import ratio

RESAMPLES = 2000
LOW, HIGH = 2.5, 97.5


@dataclass(frozen=True, eq=False)
class Means:
    """Of every column, float64 [M] each; NaN where no image has a value."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    images: NDArray[np.int64]

    def interval(self, column: int) -> Interval:
        """One column, for the record."""
        numbers = (self.mean[column], self.low[column], self.high[column])
        mean, low, high = (float(x) if np.isfinite(x) else None for x in numbers)
        return Interval(mean=mean, low=low, high=high, images=int(self.images[column]))


def means(
    values: NDArray[np.float64], *, seed: int, resamples: int = RESAMPLES
) -> Means:
    """Means of columns with percentile intervals; all columns share the resamples.

    Args:
        values: One row per image, float64 [N, M]; NaN: no value.
        seed: Decides the resamples.
        resamples: How many.
    """
    images = len(values)
    there = np.isfinite(values)
    filled = np.where(there, values, 0.0)
    if images == 0:
        nothing = np.full(values.shape[1], np.nan)
        return Means(nothing, nothing, nothing, there.sum(axis=0))
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(images, np.full(images, 1 / images), size=resamples)
    weights = draws.astype(np.float64)  # whole numbers have no fast matrix product
    drawn = ratio(weights @ filled, weights @ there.astype(np.float64), np.nan)
    known = there.any(axis=0)
    low, high = np.full((2, values.shape[1]), np.nan)
    if known.any():
        low[known], high[known] = np.nanpercentile(drawn[:, known], (LOW, HIGH), axis=0)
    mean = ratio(filled.sum(axis=0), there.sum(axis=0), np.nan)
    return Means(mean, low, high, there.sum(axis=0))


def interval(values: NDArray[np.float64], *, seed: int) -> Interval:
    """Mean and interval of one series, float64 [N]."""
    return means(values[:, None], seed=seed).interval(0)

"""Values per image -> mean and 95 % bootstrap interval over images.

Efron 1979 (Annals of Statistics): percentiles of the means of resampled images, a
little further out where images are few. Values that do not exist (NaN) are left out of
their own mean only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The special functions beneath scipy.stats, which takes a second longer to import.
from scipy import special

from tessera.arrays import Indices
from tessera.evaluation.faithfulness import Interval
from tessera.evaluation.ratios import ratio
from tessera.results import FEW

RESAMPLES = 2000
TAIL = 0.025
DIGITS = 12
"""Of a mean: sums of values that are equal differ beyond them."""


@dataclass(frozen=True, eq=False)
class Means:
    """Of every column, float64 [M] each; NaN: no image has a value, or too few have."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    images: NDArray[np.int64]

    def interval(self, column: int) -> Interval:
        """One column, for the record."""
        numbers = (self.mean[column], self.low[column], self.high[column])
        mean, low, high = (
            round(float(x), DIGITS) + 0.0 if np.isfinite(x) else None for x in numbers
        )
        return Interval(mean=mean, low=low, high=high, images=int(self.images[column]))


def means(
    values: NDArray[np.float64],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    together: Indices | None = None,
) -> Means:
    """Means of columns with percentile intervals; all columns share the resamples.

    A column with fewer than `FEW` units that have a value gets no interval.

    Args:
        values: One row per image, float64 [N, M]; NaN: no value.
        seed: Decides the resamples.
        resamples: How many.
        together: The unit of each row, int [N]: rows of one unit share pictures, so
            they are drawn as one; None: every row is its own.
    """
    there = np.isfinite(values)
    sums, counts = (
        _per_unit(table, together) for table in (np.where(there, values, 0.0), there)
    )
    images = there.sum(axis=0)
    mean = ratio(sums.sum(axis=0), images, np.nan)
    low, high = np.full((2, values.shape[1]), np.nan)
    units = (counts > 0).sum(axis=0)
    if units.max(initial=0) >= FEW:
        drawn = _resampled(sums, counts, seed=seed, resamples=resamples)
        for size in np.unique(units[units >= FEW]):
            same, share = units == size, 100 * tail(int(size))
            low[same], high[same] = np.nanpercentile(
                drawn[:, same], (share, 100 - share), axis=0
            )
    return Means(mean, low, high, images)


def tail(units: int) -> float:
    """The share of resampled means on either side of a 95 % interval.

    Percentiles of the mean of n units are too narrow by the factor that divides a
    deviation by n instead of n - 1 and takes the normal's quantile for Student's:
    Phi(-sqrt(n / (n - 1)) t), with t the 97.5 % quantile at n - 1, makes up for both
    (Hesterberg 2015, The American Statistician 69, "expanded percentile").
    """
    wide = np.sqrt(units / (units - 1)) * special.stdtrit(units - 1, 1 - TAIL)
    return float(special.ndtr(-wide))


def _per_unit(
    table: NDArray[np.generic], together: Indices | None
) -> NDArray[np.float64]:
    """Sums of the rows of each unit, float64 [units, M]."""
    rows = table.astype(np.float64)
    if together is None:
        return rows
    _, unit = np.unique(together, return_inverse=True)
    sums = np.zeros((int(unit.max(initial=-1)) + 1, table.shape[1]))
    np.add.at(sums, unit, rows)
    return sums


def _resampled(
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    *,
    seed: int,
    resamples: int,
) -> NDArray[np.float64]:
    """Means over units drawn with replacement, float64 [resamples, M]."""
    units = len(sums)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(units, np.full(units, 1 / units), size=resamples)
    weights = draws.astype(np.float64)  # whole numbers have no fast matrix product
    return ratio(weights @ sums, weights @ counts, np.nan)


def interval(values: NDArray[np.float64], *, seed: int) -> Interval:
    """Mean and interval of one series, float64 [N]."""
    return means(values[:, None], seed=seed).interval(0)

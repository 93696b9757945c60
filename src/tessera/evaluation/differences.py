"""Two scores of the same seeds -> their mean difference, its interval, a decision.

Runs that share a seed share their initial weights and their data order, so
differences are taken seed by seed. Formulas and sources: docs/methods.md,
*Differences over seeds*.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The special functions beneath scipy.stats, which takes a second longer to import.
from scipy import special

from tessera.results import Decision as Decision
from tessera.results import Spread

LEVEL = 0.95
POWER = 0.8
MOST_SEEDS = 1000
NO_SPREAD = 1e-12
"""Deviations below this are rounding: scores move in steps of one test image."""


@dataclass(frozen=True)
class Difference:
    """A mean over paired seeds, in the unit of the scores (shares, 0..1)."""

    mean: float
    deviation: float | None
    """Sample standard deviation (n - 1); None for a single seed."""
    low: float | None
    """Lower end of the 95 % t-interval; None where there is no interval."""
    high: float | None
    decision: Decision
    """Which side of 0 the whole interval lies on."""
    values: tuple[float, ...]
    """One per seed."""
    seeds_to_decide: int | None
    """Seeds that would probably decide it; None if decided, unknown or > 1000."""

    @property
    def n(self) -> int:
        """Number of paired seeds."""
        return len(self.values)


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation of one score over seeds.

    Raises:
        ValueError: There is no value.
    """
    if not values:
        raise ValueError("values: expected at least one seed. Received: none.")
    return Spread(
        mean=float(np.mean(values)),
        deviation=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        values=tuple(float(v) for v in values),
    )


def difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare two recipes over the same seeds: first - second.

    Args:
        first: A score per seed.
        second: The other recipe's score for the same seeds, in the same order.

    Returns:
        The paired difference. Seeds whose differences are all equal are left
        undecided: scores move in steps of one test image, so a spread of zero is a
        coincidence of rounding, not certainty.

    Raises:
        ValueError: Unequal lengths, or no seed.
    """
    if len(first) != len(second):
        raise ValueError(
            "first and second: expected a score for the same seeds. "
            f"Received: {len(first)} and {len(second)} scores."
        )
    return of_values([a - b for a, b in zip(first, second, strict=True)])


def of_values(values: Sequence[float]) -> Difference:
    """Judge on which side of 0 the mean of `values`, one per seed, lies."""
    over = spread(values)
    if over.deviation is None or over.deviation < NO_SPREAD:
        return _without_interval(over)
    half = half_width(over.deviation, len(values))
    low, high = over.mean - half, over.mean + half
    decision = _side(low, high)
    return Difference(
        mean=over.mean,
        deviation=over.deviation,
        low=low,
        high=high,
        decision=decision,
        values=over.values,
        seeds_to_decide=(
            seeds_to_decide(over.mean, over.deviation, more_than=len(values))
            if decision == "undecided"
            else None
        ),
    )


def _without_interval(over: Spread) -> Difference:
    return Difference(
        over.mean, over.deviation, None, None, "undecided", over.values, None
    )


def _side(low: float, high: float) -> Decision:
    if low > 0:
        return "above"
    return "below" if high < 0 else "undecided"


def half_width(deviation: float, seeds: int) -> float:
    """Half the width of Student's t-interval: t(n-1) s / sqrt(n) (Student 1908)."""
    quantile = special.stdtrit(seeds - 1, (1 + LEVEL) / 2)
    return float(quantile * deviation / math.sqrt(seeds))


def deviation_bounds(deviation: float, seeds: int) -> tuple[float, float]:
    """One-sided 95 % bounds, lower and upper, of the true standard deviation.

    s sqrt((n-1) / chi2(n-1)) at the two 5 % tails; values are taken as normal.
    """
    free = seeds - 1
    lower, upper = (special.chdtri(free, tail) for tail in (1 - LEVEL, LEVEL))
    return (
        float(deviation * math.sqrt(free / lower)),
        float(deviation * math.sqrt(free / upper)),
    )


def largest_deviation(seeds: int) -> float:
    """What no sample standard deviation of shares, 0..1, exceeds: half are 0, half 1.

    0.5 sqrt(n / (n - 1)), from Popoviciu's inequality (1935).
    """
    return 0.5 * math.sqrt(seeds / (seeds - 1))


def power(mean: float, deviation: float, seeds: int, level: float = LEVEL) -> float:
    """Chance that the interval of that many seeds excludes 0, on the mean's side.

    Exact for normal differences whose true mean and deviation are the given ones:
    the upper tail of the noncentral t distribution (Cohen 1988, chapter 2).
    """
    free = seeds - 1
    critical = special.stdtrit(free, (1 + level) / 2)
    shift = abs(mean) / deviation * math.sqrt(seeds)
    below = special.nctdtr(free, shift, critical)
    # SciPy has no number for some arguments far out, where it is next to 0 or 1.
    return float(shift > critical) if np.isnan(below) else float(1 - below)


def seeds_to_decide(
    mean: float, deviation: float, *, more_than: int, level: float = LEVEL
) -> int | None:
    """Smallest number of seeds whose interval excludes 0 with 80 % chance.

    Args:
        mean: Observed mean difference, taken as the true one.
        deviation: Observed standard deviation, taken as the true one.
        more_than: Seeds already spent; the answer is larger.
        level: Of the interval; higher when several comparisons share 5 %.

    Returns:
        The number, or None when it exceeds 1000: a difference that small hardly
        matters beside the spread between seeds.
    """
    if power(mean, deviation, MOST_SEEDS, level) < POWER:
        return None
    numbers = range(more_than + 1, MOST_SEEDS)
    first = bisect_left(numbers, POWER, key=lambda n: power(mean, deviation, n, level))
    return more_than + 1 + first


def seeds_to_bound(deviation: float, bar: float) -> int | None:
    """Smallest number of seeds whose bounds put an observed deviation on one side.

    Args:
        deviation: Observed standard deviation, taken as what more seeds would show.
        bar: The deviation that it is compared with.

    Returns:
        The number, or None when it exceeds 1000.
    """
    for seeds in range(2, MOST_SEEDS + 1):
        low, high = deviation_bounds(deviation, seeds)
        if high < bar or low > bar:
            return seeds
    return None

"""How much of the gap between plain and balanced training a remedy closes.

Formula and source: docs/methods.md, *Gap closed*.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tessera.evaluation.differences import LEVEL, difference
from tessera.results import GapClosed


def gap_closed(
    remedy: Sequence[float], plain: Sequence[float], balanced: Sequence[float]
) -> GapClosed:
    """(remedy - plain) / (balanced - plain), a ratio of means over paired seeds.

    The ratio of means rather than the mean of ratios: one seed with a small gap would
    rule the latter. Its interval is Fieller's (1954), the ratios rho for which the mean
    of (remedy - plain) - rho (balanced - plain) is not decided; it is a bounded
    interval exactly when the gap is decided.

    Args:
        remedy: A score per seed.
        plain: The same score without a remedy, same seeds, same order.
        balanced: The same score with balanced data.

    Returns:
        The gap; its closed share and interval, unless the gap itself is not decided
        above zero (a single seed included).

    Raises:
        ValueError: Unequal lengths, or no seed.
    """
    gap, gain = difference(balanced, plain), difference(remedy, plain)
    if gap.decision != "above":
        return GapClosed(gap=gap.mean, value=None, low=None, high=None)
    low, high = _fieller(np.array(gain.values), np.array(gap.values))
    return GapClosed(gap=gap.mean, value=gain.mean / gap.mean, low=low, high=high)


def _fieller(
    above: NDArray[np.float64], below: NDArray[np.float64]
) -> tuple[float, float]:
    """Roots rho of (mean a - rho mean b)^2 = (t^2 / S) var(a - rho b)."""
    seeds = len(above)
    quantile = float(special.stdtrit(seeds - 1, (1 + LEVEL) / 2))
    share = quantile**2 / seeds
    (a_a, a_b), (_, b_b) = np.cov(above, below)
    square = below.mean() ** 2 - share * b_b
    linear = above.mean() * below.mean() - share * a_b
    constant = above.mean() ** 2 - share * a_a
    root = math.sqrt(max(linear**2 - square * constant, 0.0))
    return float((linear - root) / square), float((linear + root) / square)

"""How often each class is drawn: counts and the epoch to shares of the draws."""

from typing import assert_never

import numpy as np

from tessera import remedies
from tessera.arrays import Counts, Weights


def shares(
    sampling: remedies.Sampling, counts: Counts, *, progress: float = 0.0
) -> Weights:
    """The share of an epoch's draws that each class gets.

    A class without images gets none.

    Args:
        sampling: Which sampler.
        counts: Training images per class, int64 [K].
        progress: 0 in the first epoch, 1 in the last; what `Progressive` follows.

    Returns:
        Shares that sum to 1, float64 [K].

    Reference: Kang et al. 2020, arXiv:1910.09217.
    """
    match sampling:
        case remedies.Power(power=power):
            return _power(counts, power)
        case remedies.Progressive():
            own, equal = _power(counts, 1.0), _power(counts, 0.0)
            mixed: Weights = (1 - progress) * own + progress * equal
            return mixed
        case _:
            assert_never(sampling)


def draws_per_class(shares: Weights, total: int) -> Counts:
    """Whole draws per class that add up to `total`, int64 [K], by largest remainder."""
    exact = np.asarray(shares) * total
    whole = np.floor(exact).astype(np.int64)
    left = total - int(whole.sum())
    # Stable: of equal remainders the first class is served first.
    whole[np.argsort(-(exact - whole), kind="stable")[:left]] += 1
    return whole


def _power(counts: Counts, power: float) -> Weights:
    images = np.asarray(counts, np.float64)
    raw = np.where(images > 0, np.maximum(images, 1) ** power, 0.0)
    scaled: Weights = raw / raw.sum()
    return scaled

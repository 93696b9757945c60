"""Test predictions -> intervals for one model: what other test images would change."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tessera.arrays import Confusion
from tessera.evaluation import scores

Interval = tuple[float, float]
DRAWS = 2000
_Z = float(special.ndtri(0.975))


def wilson(successes: int, trials: int) -> Interval:
    """95 % interval of a share, Wilson 1927; (0, 1) without trials.

    Args:
        successes: From 0 to `trials`.
        trials: Independent ones.
    """
    if not trials:
        return 0.0, 1.0
    share, weight = successes / trials, _Z**2 / trials
    centre = (share + weight / 2) / (1 + weight)
    spread = _Z * np.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    half = float(spread / (1 + weight))
    low = centre - half if successes else 0.0
    high = centre + half if successes < trials else 1.0
    return low, high


def bootstrap(matrix: Confusion, score: str, *, seed: int) -> Interval:
    """95 % percentile interval over resampled test images (Efron 1979).

    Images are drawn anew within each true class, so class sizes stay.

    Args:
        matrix: Counts, int [K, K]; row: true class.
        score: A field of `record.Scores` that is a number.
        seed: Decides the draws.
    """
    generator = np.random.default_rng(seed)
    names = [str(k) for k in range(len(matrix))]
    values = [
        float(getattr(scores.from_confusion(drawn, names), score))
        for drawn in _resampled(matrix, generator)
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _resampled(matrix: Confusion, generator: np.random.Generator) -> NDArray[np.int64]:
    """Matrices of as many images per class, int64 [DRAWS, K, K]."""
    sums = matrix.sum(axis=1)
    shares = matrix / np.maximum(sums, 1)[:, None]
    shares[sums == 0, 0] = 1
    rows = [
        generator.multinomial(total, row, size=DRAWS)
        for total, row in zip(sums, shares, strict=True)
    ]
    return np.stack(rows, axis=1).astype(np.int64)

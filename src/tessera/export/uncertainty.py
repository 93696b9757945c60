"""Test predictions -> intervals for one model: what other test images would change."""

import numpy as np

from tessera.arrays import Confusion
from tessera.evaluation import bootstrap as resampling
from tessera.evaluation import calibration, matrix_scores

Interval = tuple[float, float]
DRAWS = resampling.REPLICATES


def wilson(successes: int, trials: int) -> Interval:
    """`calibration.wilson` of one share; (0, 1) without trials, which say nothing.

    Args:
        successes: From 0 to `trials`.
        trials: Independent ones.
    """
    if not trials:
        return 0.0, 1.0
    low, high = calibration.wilson(np.float64(successes), np.float64(trials))
    return float(low), float(high)


def bootstrap(matrix: Confusion, score: str) -> Interval | None:
    """95 % percentile interval over resampled test images (Efron 1979).

    Images are drawn anew within each true class, so class sizes stay; None where a
    class has too few images to be drawn from. The draws, and so the interval, are
    those of a study's report.

    Args:
        matrix: Counts, int [K, K]; row: true class.
        score: Its name in `evaluation.matrix_scores`.
    """
    if resampling.thin(matrix.sum(axis=1)).any():
        return None
    true, said = np.indices(matrix.shape, np.int32)
    labels, answers = (np.repeat(k.ravel(), matrix.ravel()) for k in (true, said))
    drawn = resampling.confusions(labels, answers, len(matrix))
    found = resampling.interval(matrix_scores.score(score)(drawn))
    return (found.low or 0.0, 1.0 if found.high is None else found.high)

"""Logits -> probabilities, and the two proper scores of them: NLL and Brier.

Formulas and sources: docs/methods.md, *Probabilities*.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from tessera.arrays import Floats, Labels, Logits, Probabilities

FEWEST = 50
"""Validation images that a temperature takes. From 50, 19 of 20 fitted ones lie within
a factor of about two of the true one; from 10 a fit may do more harm than it mends."""

LOWEST, HIGHEST = 0.01, 100.0
"""The temperatures that are searched; a best one beyond them is no calibration."""


def log_softmax(logits: Logits | Floats, temperature: float = 1.0) -> Floats:
    """The log of softmax(z / T), float64 [N, K]; finite for finite logits."""
    logs: Floats = special.log_softmax(logits.astype(np.float64) / temperature, axis=1)
    return logs


def softmax(logits: Logits | Floats, temperature: float = 1.0) -> Probabilities:
    """Probabilities, float64 [N, K]; rows sum to one."""
    return np.exp(log_softmax(logits, temperature))


def of_class(rows: Floats, classes: Labels) -> Floats:
    """Each image's value for its own class: [N, K] and int [N] -> [N]."""
    picked: Floats = rows[np.arange(len(classes)), classes]
    return picked


def image_nll(logs: Floats, labels: Labels) -> Floats:
    """-ln p(true class) of every image, in nats, [N]; the mean is the NLL."""
    return -of_class(logs, labels)


def image_brier(probabilities: Probabilities, labels: Labels) -> Floats:
    """sum_k (p_k - [k is true])^2 of every image, 0..2, [N] (Brier 1950)."""
    true = of_class(probabilities, labels)
    score: Floats = (probabilities**2).sum(axis=1) - 2 * true + 1
    return score


@dataclass(frozen=True)
class Temperature:
    """What logits are divided by, and whether images told it."""

    value: float
    because: str = ""
    """Why it is 1 and not fitted, part of a sentence; empty where it is fitted."""


def temperature(logits: Logits, labels: Labels) -> Temperature:
    """The T > 0 that minimises the NLL of softmax(z / T), where images tell it.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599,
    section 4.2. The NLL is convex in 1/T, so its slope, mean(sum_k p_k z_k - z_y),
    crosses zero at most once; bisection finds it.

    Args:
        logits: Of the validation set, never of the test set, float [N, K], N >= 1.
        labels: Its true classes, int [N].

    Returns:
        T between `LOWEST` and `HIGHEST`; 1, with the reason, where there are fewer
        than `FEWEST` images, where every answer is right (the smallest T is then
        always the best), and where the best T lies beyond a bound.
    """
    if len(labels) < FEWEST:
        few = f"{len(labels):,} validation images, where a temperature takes {FEWEST}"
        return Temperature(1.0, few)
    if (logits.argmax(axis=1) == labels).all():
        right = f"every answer to the {len(labels):,} validation images is right"
        return Temperature(1.0, f"{right}, which tells no temperature")
    slope = _slope(logits.astype(np.float64), labels)
    low, high = np.log(1 / HIGHEST), np.log(1 / LOWEST)
    if slope(np.exp(low)) >= 0 or slope(np.exp(high)) <= 0:
        beyond = f"the best temperature is not between {LOWEST:g} and {HIGHEST:g}"
        return Temperature(1.0, f"on {len(labels):,} validation images {beyond}")
    for _ in range(60):
        middle = (low + high) / 2
        if slope(np.exp(middle)) < 0:
            low = middle
        else:
            high = middle
    return Temperature(float(np.exp(-(low + high) / 2)))


def fitted_temperature(logits: Logits, labels: Labels) -> float:
    """The value of `temperature` alone: 1 where the images do not tell it."""
    return temperature(logits, labels).value


def _slope(scores: Floats, labels: Labels) -> Callable[[float], float]:
    """The NLL's derivative by 1/T, as a function of 1/T."""
    true = of_class(scores, labels)

    def slope(inverse: float) -> float:
        expected = (softmax(scores * inverse) * scores).sum(axis=1)
        return float((expected - true).mean())

    return slope

"""Logits -> probabilities, and the two proper scores of them: NLL and Brier.

Formulas and sources: docs/methods.md, *Probabilities*.
"""

import numpy as np
from scipy import special

from tessera.arrays import Floats, Labels, Logits, Probabilities


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


def fitted_temperature(logits: Logits, labels: Labels) -> float:
    """The T > 0 that minimises the NLL of softmax(z / T).

    Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599,
    section 4.2. The NLL is convex in 1/T, so its slope, mean(sum_k p_k z_k - z_y),
    crosses zero at most once; bisection finds it.

    Args:
        logits: Of the validation set, never of the test set, float [N, K], N >= 1.
        labels: Its true classes, int [N].

    Returns:
        T, between 0.01 and 100; 1 where every answer is right: there the smallest T is
        always the best, and the images say nothing about T.
    """
    if (logits.argmax(axis=1) == labels).all():
        return 1.0
    scores = logits.astype(np.float64)
    true = of_class(scores, labels)

    def slope(inverse: float) -> float:
        expected = (softmax(scores * inverse) * scores).sum(axis=1)
        return float((expected - true).mean())

    low, high = np.log(0.01), np.log(100.0)
    for _ in range(60):
        middle = (low + high) / 2
        if slope(float(np.exp(middle))) < 0:
            low = middle
        else:
            high = middle
    return float(np.exp(-(low + high) / 2))

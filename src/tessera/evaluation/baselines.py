"""Classifiers that look at no image: what a model must beat.

Formulas: docs/methods.md, *Baselines*.
"""

from collections.abc import Collection, Sequence
from statistics import fmean

import numpy as np

from tessera.arrays import Floats
from tessera.evaluation.ratios import ratio
from tessera.results import Baseline

MAJORITY = "majority class"
"""What the first baseline is called in `study.json`."""
GUESSES = "guesses by frequency"
"""And the second."""


def baselines(
    train_counts: Sequence[int],
    test_counts: Sequence[int],
    *,
    reduced: Collection[int] = (),
    regimes: Sequence[str] = (),
) -> tuple[Baseline, Baseline]:
    """The majority class, and guesses drawn by the training frequencies.

    Args:
        train_counts: Training images per class, K.
        test_counts: Test images per class, K.
        reduced: The rare classes; with any, their recall and F1 are scores too.
        regimes: Whose training counts these are.

    Returns:
        Both, with accuracy, balanced accuracy, macro-F1, worst class's recall, G-mean,
        MCC and perhaps recall and F1 of the reduced classes. The guesses' are those of
        the expected confusion matrix, C(i, j) = n_i pi_j: for recalls and accuracy
        the expectation itself, for F1 a ratio of expectations. Where several classes
        are the most common, the majority class's are means over choosing each of them.
    """
    counts = np.asarray(train_counts, np.float64)
    always = np.eye(len(counts))[counts == counts.max()]
    each = [_scores(said, test_counts, reduced) for said in always]
    means = {name: fmean(row[name] for row in each) for name in each[0]}
    guesses = _scores(counts / counts.sum(), test_counts, reduced)
    return (
        Baseline(name=MAJORITY, regimes=tuple(regimes), scores=means),
        Baseline(name=GUESSES, regimes=tuple(regimes), scores=guesses),
    )


def _scores(
    said: Floats, test_counts: Sequence[int], reduced: Collection[int]
) -> dict[str, float]:
    """Scores when class j is answered with chance `said[j]`, whatever the image."""
    true = np.asarray(test_counts, np.float64) / sum(test_counts)
    present = true > 0
    recalls = said[present]
    f1 = ratio(2 * true * said, true + said)
    scores = {
        "accuracy": float(true @ said),
        "balanced_accuracy": float(recalls.mean()),
        "macro_f1": float(f1[present].mean()),
        "worst_class_recall": float(recalls.min()),
        "g_mean": float(np.exp(np.log(recalls).mean())) if recalls.all() else 0.0,
        "mcc": 0.0,
    }
    rare = [i for i in reduced if present[i]]
    if rare:
        scores["reduced_recall"] = float(said[rare].mean())
        scores["reduced_f1"] = float(f1[rare].mean())
    return scores

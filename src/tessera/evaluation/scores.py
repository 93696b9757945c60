"""True and predicted labels -> the confusion matrix and every score read off it.

NumPy alone. C(i, j) counts images of true class i predicted as j; n_i is row i's sum
(test images of class i), m_j column j's sum, N the total. Every average is over the
classes that have test images, so a class without any cannot pull it down.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Confusion, Floats, Labels, Logits
from tessera.evaluation import matrix_scores
from tessera.evaluation.ratios import ratio
from tessera.record import ClassScores, Scores


def confusion_matrix(labels: Labels, predicted: Labels, classes: int) -> Confusion:
    """Count how often each true class was predicted as each class.

    Args:
        labels: True classes, int [N].
        predicted: Predicted classes, int [N].
        classes: Number of classes K; every label lies in 0..K-1.

    Returns:
        Counts, int64 [K, K]; row: true class, column: predicted class.

    Raises:
        ValueError: No image, unequal lengths, or a class outside 0..K-1.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.ndim != 1 or labels.shape != predicted.shape or not labels.size:
        raise ValueError(
            "labels and predicted: expected two vectors of the same length, at least "
            f"1. Received: shapes {labels.shape} and {predicted.shape}."
        )
    for name, values in (("labels", labels), ("predicted", predicted)):
        if values.min() < 0 or values.max() >= classes:
            raise ValueError(
                f"{name}: expected classes 0..{classes - 1}. "
                f"Received: {values.min()}..{values.max()}."
            )
    cells = labels.astype(np.int64) * classes + predicted
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def row_normalised(matrix: Confusion) -> Floats:
    """Divide every row by its sum: the share of a true class that went where.

    Returns:
        Shares 0..1, float64 [K, K]; the diagonal is the recall. A row without test
        images stays 0.
    """
    return ratio(matrix, matrix.sum(axis=1, keepdims=True))


def scores(labels: Labels, predicted: Labels, class_names: Sequence[str]) -> Scores:
    """Score predictions.

    Args:
        labels: True classes, int [N].
        predicted: Predicted classes, int [N].
        class_names: Names of the K classes.

    Returns:
        Precision C(i,i)/m_i, recall C(i,i)/n_i and F1 2C(i,i)/(n_i+m_i) of every
        class; macro averages (plain means: macro-F1 is the mean of the F1s, Opitz &
        Burst 2019, arXiv:1911.03347) and averages weighted by n_i/N; balanced
        accuracy, the mean recall (Brodersen et al. 2010).

    Raises:
        ValueError: As `confusion_matrix`.
    """
    return from_confusion(
        confusion_matrix(labels, predicted, len(class_names)), class_names
    )


def balanced_accuracy(logits: Logits, labels: Labels) -> float:
    """Mean recall, 0..1, of the highest logits, [N, K]."""
    matrix = confusion_matrix(labels, logits.argmax(axis=1), logits.shape[1])
    return float(matrix_scores.balanced_accuracy(matrix))


def from_confusion(matrix: Confusion, class_names: Sequence[str]) -> Scores:
    """Score a confusion matrix, int [K, K]; see `scores` for the definitions."""
    correct = np.diag(matrix).astype(np.float64)
    support, times_predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    precision = ratio(correct, times_predicted)
    recall = ratio(correct, support)
    f1 = ratio(2 * correct, support + times_predicted)
    present = support > 0
    images = support.sum()
    return Scores(
        accuracy=float(matrix_scores.accuracy(matrix)),
        balanced_accuracy=float(matrix_scores.balanced_accuracy(matrix)),
        macro_precision=float(precision[present].mean()),
        macro_recall=float(recall[present].mean()),
        macro_f1=float(matrix_scores.macro_f1(matrix)),
        weighted_precision=float(support @ precision / images),
        weighted_recall=float(support @ recall / images),
        weighted_f1=float(support @ f1 / images),
        worst_class_recall=float(matrix_scores.worst_class_recall(matrix)),
        per_class=_classes(class_names, precision, recall, f1, support),
        never_predicted=tuple(
            name for name, m in zip(class_names, times_predicted, strict=True) if m == 0
        ),
        confusion_matrix=tuple(tuple(int(c) for c in row) for row in matrix),
    )


def _classes(
    names: Sequence[str],
    precision: Floats,
    recall: Floats,
    f1: Floats,
    support: NDArray[np.int64],
) -> tuple[ClassScores, ...]:
    return tuple(
        ClassScores(
            name=name,
            precision=float(precision[i]),
            recall=float(recall[i]),
            f1=float(f1[i]),
            support=int(support[i]),
        )
        for i, name in enumerate(names)
    )


def reduced_recall(scores: Scores, reduced_classes: Collection[int]) -> float:
    """Mean recall of the classes that a profile made rarer.

    Args:
        scores: Scores of one run.
        reduced_classes: Indices of those classes; at least one has test images.

    Returns:
        The mean recall, 0..1, over those of them that have test images.
    """
    return _mean([scores.per_class[i] for i in reduced_classes], "recall")


def reduced_f1(scores: Scores, reduced_classes: Collection[int]) -> float:
    """Mean F1 of the classes that a profile made rarer; see `reduced_recall`."""
    return _mean([scores.per_class[i] for i in reduced_classes], "f1")


def common_recall(scores: Scores, reduced_classes: Collection[int]) -> float:
    """Mean recall of the other classes: what a remedy's gain is paid with."""
    others = [c for i, c in enumerate(scores.per_class) if i not in reduced_classes]
    return _mean(others, "recall")


def _mean(classes: Sequence[ClassScores], score: str) -> float:
    values = [c.f1 if score == "f1" else c.recall for c in classes if c.support]
    if not values:
        raise ValueError(
            "classes: expected at least one with test images. "
            f"Received: {[c.name for c in classes]}."
        )
    return float(np.mean(values))

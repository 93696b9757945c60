"""One class against the rest: ROC, precision-recall, and the areas below them.

Formulas and sources: docs/methods.md, *Curves*. Images with equal scores share one
threshold, so no order among them can change a number.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Floats, Labels, Probabilities


@dataclass(frozen=True)
class Curve:
    """What happens as the threshold falls: a point per distinct score, T + 1 in all."""

    hits: Floats
    """Share of the class's images at or above the threshold (recall), [T + 1]."""
    false_alarms: Floats
    """Share of the other images at or above it, [T + 1]."""
    precision: Floats
    """Share of the class among those at or above it, [T + 1]; first 1 by convention."""


def curve(scores: Floats, positive: NDArray[np.bool_]) -> Curve | None:
    """Trace one class against the rest.

    Args:
        scores: Higher means more like the class, float [N].
        positive: Whether an image is of the class, bool [N].

    Returns:
        The curve from (0, 0) to (1, 1), or None where either side has no image.
    """
    total = int(positive.sum())
    if total in (0, len(positive)):
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = np.cumsum(positive[order])[last].astype(np.float64)
    above = last + 1.0
    return Curve(
        hits=np.concatenate([[0.0], hits / total]),
        false_alarms=np.concatenate([[0.0], (above - hits) / (len(positive) - total)]),
        precision=np.concatenate([[1.0], hits / above]),
    )


def area(found: Curve) -> float:
    """ROC-AUC, by trapezoids.

    The chance that a random image of the class scores above a random other one, ties
    counting half (Hanley & McNeil 1982).
    """
    return float(np.trapezoid(found.hits, found.false_alarms))


def average_precision(found: Curve) -> float:
    """AP: sum_t (recall_t - recall_{t-1}) precision_t.

    Steps, not trapezoids, which are too optimistic between points (Davis & Goadrich
    2006).
    """
    return float(np.sum(np.diff(found.hits) * found.precision[1:]))


def curves(probabilities: Probabilities, labels: Labels) -> tuple[Curve | None, ...]:
    """A curve per class, K in all; None where none or all test images are of it."""
    return tuple(
        curve(probabilities[:, k], labels == k) for k in range(probabilities.shape[1])
    )


def macro(found: tuple[Curve | None, ...]) -> tuple[float, float]:
    """Mean ROC-AUC and mean average precision over the classes that have curves.

    Raises:
        ValueError: No class has one.
    """
    known = [c for c in found if c is not None]
    if not known:
        raise ValueError(
            "labels: expected images of at least two classes. Received: of one."
        )
    return (
        float(np.mean([area(c) for c in known])),
        float(np.mean([average_precision(c) for c in known])),
    )

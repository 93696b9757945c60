"""Scores of whole stacks of confusion matrices at once.

A stack is [..., K, K]: one matrix per run, or one per bootstrap replicate. C(i, j)
counts images of true class i predicted as j. Averages are over the classes that have
test images. Formulas and sources: docs/methods.md, *Scores*.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Floats
from tessera.evaluation.ratios import known_mean, ratio

Stack = NDArray[np.int64]
StackScore = Callable[[Stack], Floats]


def recalls(stack: Stack) -> Floats:
    """C(i,i) / n_i, float64 [..., K]; NaN for a class without test images."""
    return ratio(_correct(stack), stack.sum(axis=-1), np.nan)


def accuracy(stack: Stack) -> Floats:
    """Share of images on the diagonal, [...]."""
    return ratio(_correct(stack).sum(axis=-1), stack.sum(axis=(-2, -1)), np.nan)


def balanced_accuracy(stack: Stack) -> Floats:
    """Mean recall (Brodersen et al. 2010), [...]."""
    return known_mean(recalls(stack))


def chance_adjusted(stack: Stack) -> Floats:
    """(b - 1/K) / (1 - 1/K) of the balanced accuracy b; 0 is guessing, [...].

    NaN with a single class, where there is nothing to guess.
    """
    chance = 1 / _present(stack).sum(axis=-1)
    return ratio(balanced_accuracy(stack) - chance, 1 - chance, np.nan)


def macro_f1(stack: Stack) -> Floats:
    """Mean of 2 C(i,i) / (n_i + m_i) (Opitz & Burst 2019), [...]."""
    both = stack.sum(axis=-1) + stack.sum(axis=-2)
    f1 = ratio(2 * _correct(stack), both)
    return known_mean(np.where(_present(stack), f1, np.nan))


def worst_class_recall(stack: Stack) -> Floats:
    """Lowest recall, [...]."""
    lowest: Floats = np.nanmin(recalls(stack), axis=-1)
    return lowest


def g_mean(stack: Stack) -> Floats:
    """Geometric mean of the recalls (Kubat & Matwin 1997), [...].

    Computed in logs, so that many small recalls do not underflow; 0 as soon as one
    recall is 0.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(recalls(stack))
    return np.exp(known_mean(logs))


def mcc(stack: Stack) -> Floats:
    """Matthews' correlation for K classes (Gorodkin 2004, equation 8), [...].

    (N tr C - sum_k n_k m_k) / sqrt((N^2 - sum m_k^2)(N^2 - sum n_k^2)); 0 where that
    is 0/0: a single true class, or a single predicted one.
    """
    counts = stack.astype(np.float64)
    true, said = counts.sum(axis=-1), counts.sum(axis=-2)
    total = true.sum(axis=-1)
    covariance = total * _correct(stack).sum(axis=-1) - (true * said).sum(axis=-1)
    spread = (total**2 - (said**2).sum(axis=-1)) * (total**2 - (true**2).sum(axis=-1))
    return ratio(covariance, np.sqrt(spread), 0.0)


def group_recall(stack: Stack, classes: Collection[int]) -> Floats:
    """Mean recall of some classes, [...]; NaN where none has test images."""
    return known_mean(recalls(stack)[..., sorted(classes)])


@dataclass(frozen=True)
class Score:
    """A score that a confusion matrix decides."""

    of: StackScore
    by_class: bool
    """Whether a class weighs the same however few images it has."""


SCORES: Mapping[str, Score] = {
    "accuracy": Score(accuracy, by_class=False),
    "balanced_accuracy": Score(balanced_accuracy, by_class=True),
    "macro_f1": Score(macro_f1, by_class=True),
    "worst_class_recall": Score(worst_class_recall, by_class=True),
    "chance_adjusted": Score(chance_adjusted, by_class=True),
    "g_mean": Score(g_mean, by_class=True),
    "mcc": Score(mcc, by_class=False),
}
"""Those of all classes, by name: each gets an interval in every run."""


def score(name: str, classes: Collection[int] = ()) -> StackScore:
    """The function of a name in `SCORES`; `group_recall` is of `classes`.

    Raises:
        ValueError: No confusion matrix decides a score of this name.
    """
    if name == "group_recall":
        return partial(group_recall, classes=classes)
    if name not in SCORES:
        raise ValueError(
            "name: expected a score that a confusion matrix decides, say "
            f"macro_f1 or mcc. Received: {name!r}."
        )
    return SCORES[name].of


def _present(stack: Stack) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = stack.sum(axis=-1) > 0
    return present


def _correct(stack: Stack) -> Floats:
    return np.diagonal(stack, axis1=-2, axis2=-1).astype(np.float64)

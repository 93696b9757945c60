"""One run's score -> a 95 % interval over resampled test images.

Images are drawn with replacement within each true class, so that every class keeps
its number of images and no replicate lacks a class; the intervals are for that mix of
classes. Images of one group are drawn together, as many groups as the class has (the
cluster bootstrap, Davison and Hinkley 1997, section 3.8). Percentile intervals (Efron
1979).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Counts, Floats, Labels
from tessera.evaluation.matrix_scores import Stack
from tessera.evaluation.ratios import ratio
from tessera.results import FEW, Interval

Draws = NDArray[np.float64]
"""How often each image was drawn, whole numbers in float64 [b, N]."""
Names = NDArray[np.str_]
"""The group of every image, [N]."""
OfDraws = Callable[[Draws], Floats]
"""A score of every replicate, [b]; or several of them, [..., b]."""

REPLICATES = 2000
TAIL = 0.025
_AT_ONCE = 4_000_000
"""Draws that are held in memory at once: 32 MB."""


def confusions(
    labels: Labels,
    predicted: Labels,
    classes: int,
    *,
    groups: Names | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Stack:
    """Resample a model's confusion matrix.

    Only how often each answer occurs matters, so whole classes are drawn at once, from
    a multinomial over the answers seen.

    Args:
        labels: True classes, int [N].
        predicted: Predicted classes, int [N].
        classes: Number of classes K.
        groups: What each image belongs to, [N]; None: each stands alone.
        replicates: How many, B.
        seed: Decides the draws.

    Returns:
        Counts, int64 [B, K, K].
    """
    if groups is not None:
        counted = [
            _counted(block, labels, predicted, classes)
            for block in draws(labels, groups=groups, replicates=replicates, seed=seed)
        ]
        return np.concatenate(counted)
    random = np.random.default_rng(seed)
    stack = np.zeros((replicates, classes, classes), np.int64)
    for true in np.unique(labels):
        said, count = np.unique(predicted[labels == true], return_counts=True)
        size = int(count.sum())
        stack[:, true, said] = random.multinomial(size, count / size, size=replicates)
    return stack


def _counted(
    block: Draws, labels: Labels, predicted: Labels, classes: int
) -> NDArray[np.int64]:
    """The confusion matrix of every replicate, [b, K, K]."""
    cell = labels.astype(np.int64) * classes + predicted
    order = np.argsort(cell, kind="stable")
    seen, starts = np.unique(cell[order], return_index=True)
    counts = np.zeros((len(block), classes * classes), np.int64)
    counts[:, seen] = np.add.reduceat(block[:, order], starts, axis=1)
    return counts.reshape(-1, classes, classes)


def draws(
    labels: Labels,
    *,
    groups: Names | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Iterator[Draws]:
    """How often each image is drawn, in blocks of replicates, [b, N] each."""
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(labels == true) for true in np.unique(labels)]
    units = [_numbered(images, groups) for images in members]
    block = max(1, _AT_ONCE // len(labels))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        counts = np.zeros((size, len(labels)))
        for images, unit in zip(members, units, strict=True):
            number = int(unit.max()) + 1
            picks = random.integers(number, size=(size, number))
            picks += np.arange(size)[:, None] * number
            times = np.bincount(picks.ravel(), minlength=size * number)
            counts[:, images] = times.reshape(size, -1)[:, unit]
        yield counts


def _numbered(images: NDArray[np.int64], groups: Names | None) -> NDArray[np.int64]:
    """What is drawn at once with each of a class's images, from 0: [n]."""
    if groups is None:
        return np.arange(len(images))
    return np.unique(groups[images], return_inverse=True)[1].reshape(-1)


def replicated(
    labels: Labels,
    scores: Mapping[str, OfDraws],
    *,
    groups: Names | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Floats]:
    """Compute several scores on the same draws, [..., B] each."""
    found: dict[str, list[Floats]] = {name: [] for name in scores}
    for block in draws(labels, groups=groups, replicates=replicates, seed=seed):
        for name, score in scores.items():
            found[name].append(score(block))
    return {name: np.concatenate(blocks, axis=-1) for name, blocks in found.items()}


def mean_of(values: Floats) -> OfDraws:
    """The mean of a value per image, [N]."""
    return lambda block: block @ values / block.sum(axis=1)


def calibration_of(where: NDArray[np.int64], gaps: Floats) -> OfDraws:
    """ECE over fixed bins: sum_b |sum of (correct - confidence) in b| / N.

    Args:
        where: The bin of every image, [N].
        gaps: correct - confidence of every image, [N].
    """
    parts = _members(where) * gaps[:, None]

    def score(block: Draws) -> Floats:
        error: Floats = np.abs(block @ parts).sum(axis=1) / block.sum(axis=1)
        return error

    return score


def largest_gap_of(where: NDArray[np.int64], gaps: Floats) -> OfDraws:
    """MCE over fixed bins: max_b |sum of (correct - confidence) in b| / n_b."""
    inside = _members(where)
    parts = inside * gaps[:, None]

    def score(block: Draws) -> Floats:
        largest: Floats = ratio(np.abs(block @ parts), block @ inside).max(axis=1)
        return largest

    return score


def _members(where: NDArray[np.int64]) -> Floats:
    """One-hot rows of the bins that hold an image, [N, bins]."""
    return np.equal.outer(where, np.unique(where)).astype(np.float64)


def areas_of(scores: Floats, positive: NDArray[np.bool_]) -> OfDraws:
    """ROC-AUC and average precision of one class against the rest, [2, b].

    Args:
        scores: Higher means more like the class, float [N].
        positive: Whether an image is of the class, bool [N]; some are, some are not.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    mine = positive[order]

    def score(block: Draws) -> Floats:
        # Whole numbers below 2^24: exact in half the memory.
        drawn = block.astype(np.float32)[:, order]
        above = np.cumsum(drawn, axis=1)[:, last].astype(np.float64)
        hits = np.cumsum(drawn * mine, axis=1)[:, last].astype(np.float64)
        steps = np.diff(hits, axis=1, prepend=0.0)
        widths = np.diff(above, axis=1, prepend=0.0) - steps
        others = above[:, -1] - hits[:, -1]
        area = (widths * (hits - steps / 2)).sum(axis=1) / (hits[:, -1] * others)
        # Where nothing was drawn above a threshold no step is taken there.
        shares = ratio(hits, above)
        return np.stack([area, (steps * shares).sum(axis=1) / hits[:, -1]])

    return score


def mean_over(scores: Sequence[OfDraws]) -> OfDraws:
    """The mean of several scores, replicate by replicate."""

    def score(block: Draws) -> Floats:
        found: Floats = np.mean([one(block) for one in scores], axis=0)
        return found

    return score


def selection_of(confidence: Floats, correct: NDArray[np.bool_]) -> OfDraws:
    """AURC; images of equal confidence count with the mean error of those drawn."""
    order = np.argsort(-confidence, kind="stable")
    _, size = np.unique(-confidence, return_counts=True)
    starts = np.cumsum(size) - size
    wrong = (~correct)[order]

    def score(block: Draws) -> Floats:
        drawn = block[:, order]
        inside = np.add.reduceat(drawn, starts, axis=1)
        share = ratio(np.add.reduceat(drawn * wrong, starts, axis=1), inside)
        times = inside.astype(np.int64)
        errors = [np.repeat(*one) for one in zip(share, times, strict=True)]
        areas = [(np.cumsum(e) / np.arange(1, len(e) + 1)).mean() for e in errors]
        return np.array(areas)

    return score


def drawn_from(labels: Labels, groups: Names | None, classes: int) -> Counts:
    """What each class is drawn from, its images or their groups, int64 [K]."""
    members = [np.flatnonzero(labels == true) for true in range(classes)]
    return np.array([len(np.unique(_numbered(at, groups))) for at in members])


def thin(counts: Counts) -> NDArray[np.bool_]:
    """Which classes have test images, but fewer than `FEW` of them or groups, [K]."""
    few: NDArray[np.bool_] = (counts > 0) & (counts < FEW)
    return few


def interval(values: Floats) -> Interval:
    """The middle 95 % of the replicates; those that are not finite are counted."""
    known = values[np.isfinite(values)]
    invalid = len(values) - len(known)
    if not len(known):
        return Interval(low=None, high=None, invalid=invalid)
    low, high = np.quantile(known, [TAIL, 1 - TAIL])
    return Interval(low=float(low), high=float(high), invalid=invalid)

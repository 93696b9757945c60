"""How often each class is drawn in an epoch: a sampler and counts -> draws."""

from typing import assert_never

import numpy as np

from tessera import remedies
from tessera.arrays import Counts, Weights


def draws(
    sampling: remedies.Sampling | None, counts: Counts, *, progress: float = 0.0
) -> Counts:
    """How often each class is drawn in an epoch.

    A class without images never is. Samplers that shift shares draw as many images as
    there are, so that an epoch costs the same; over- and undersampling change its
    length, and with it the number of steps.

    Args:
        sampling: Which sampler; None: every image once.
        counts: Training images per class, int64 [K].
        progress: 0 in the first epoch, 1 in the last; what `Progressive` follows.

    Returns:
        int64 [K].

    Reference: Kang et al. 2020, arXiv:1910.09217; for over- and undersampling Buda et
        al. 2018, arXiv:1710.05381.
    """
    images = np.asarray(counts, np.int64)
    present = images > 0
    match sampling:
        case None:
            return images
        case remedies.Oversampling():
            return np.where(present, images.max(), 0)
        case remedies.Undersampling():
            return np.where(present, images[present].min(), 0)
        case remedies.Power() | remedies.Progressive():
            return whole(shares(sampling, images, progress), int(images.sum()))
        case _:
            assert_never(sampling)


def length(sampling: remedies.Sampling | None, counts: Counts) -> int:
    """Images of an epoch, repeats counted; the same in every epoch."""
    return int(draws(sampling, counts).sum())


def lengths(
    remedy: remedies.Remedy, counts: Counts, *, epochs: int
) -> tuple[float, float]:
    """Images that a mean epoch trains everything on, and those of its second stage.

    Args:
        remedy: Says when what is drawn how.
        counts: Training images per class, int64 [K].
        epochs: Of the training: what sets in on the way does at a whole one.
    """
    again = remedy.retraining
    begin = 1.0 if again is None else round(again.begin * epochs) / epochs
    second = 0.0 if again is None else (1 - begin) * length(again.sampling, counts)
    deferred = min(round(remedy.deferred * epochs) / epochs, begin)
    first = deferred * length(None, counts)
    first += (begin - deferred) * length(remedy.sampling, counts)
    return first, second


def shares(
    sampling: remedies.Power | remedies.Progressive, counts: Counts, progress: float
) -> Weights:
    """The share of an epoch's draws that each class gets, float64 [K], sum 1."""
    match sampling:
        case remedies.Power(power=power):
            return _power(counts, power)
        case remedies.Progressive():
            own, equal = _power(counts, 1.0), _power(counts, 0.0)
            mixed: Weights = (1 - progress) * own + progress * equal
            return mixed
        case _:
            assert_never(sampling)


def whole(shares: Weights, total: int) -> Counts:
    """Whole draws per class that add up to `total`, int64 [K], by largest remainder."""
    exact = np.asarray(shares) * total
    floor = np.floor(exact).astype(np.int64)
    left = total - int(floor.sum())
    # Stable: of equal remainders the first class is served first.
    floor[np.argsort(-(exact - floor), kind="stable")[:left]] += 1
    return floor


def _power(counts: Counts, power: float) -> Weights:
    images = np.asarray(counts, np.float64)
    raw = np.where(images > 0, images**power, 0.0)
    scaled: Weights = raw / raw.sum()
    return scaled

"""Training counts -> which classes are head, middle and tail."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Counts
from tessera.results import Groups

MANY, FEW = 100, 20
"""Liu et al. 2019 (arXiv:1904.05160): many-shot above, few-shot below."""


def groups(train_counts: Sequence[int]) -> Groups | None:
    """Sort classes into head, middle and tail by their training images.

    Args:
        train_counts: Images per class that the optimiser saw, K of them.

    Returns:
        By the published thresholds where each of the three groups has a class.
        Otherwise by thirds of the classes, with the remainder in the middle; equal
        counts are never parted, so a group may hold more or fewer. With two distinct
        counts there is a head and a tail only; with one, None.
    """
    counts = np.asarray(train_counts, np.int64)
    levels = np.unique(counts)
    if len(levels) < 2:
        return None
    if len(levels) == 2:
        # The head's classes have more than the lower level, the tail's fewer than the
        # higher.
        return _parted(counts, "levels", above=int(levels[0]), below=int(levels[1]))
    published = _parted(counts, "published", above=MANY, below=FEW)
    if published.head and published.middle and published.tail:
        return published
    third, rising = len(counts) // 3, np.sort(counts)
    lowest = min(rising[third - 1], levels[-2])
    highest = max(rising[-third], levels[levels > lowest][0])
    return _parted(counts, "tertiles", above=int(highest) - 1, below=int(lowest) + 1)


def _parted(
    counts: Counts,
    scheme: Literal["published", "tertiles", "levels"],
    *,
    above: int,
    below: int,
) -> Groups:
    def where(mask: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(np.flatnonzero(mask).tolist())

    head, tail = counts > above, counts < below
    return Groups(
        scheme=scheme,
        above=above,
        below=below,
        head=where(head),
        middle=where(~head & ~tail),
        tail=where(tail),
    )

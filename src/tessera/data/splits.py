"""Labels into two disjoint sets of positions, class by class."""

import numpy as np

from tessera.arrays import Indices, Labels

STREAM = tuple(b"split")
"""Name of this module's random stream, so that no other one repeats its draws."""

RULE = (
    "per class: the nearest whole number to fraction x count (halves to even), at "
    "least 1 and at most all but 1 where the class has 2 images or more, else 0"
)
"""How many images of each class are held, in words, for manifests."""


def held_count(count: int, fraction: float) -> int:
    """Images of a class with `count` images that are held, by `RULE`."""
    return min(max(round(count * fraction), 1), count - 1) if count >= 2 else 0


def stratified(
    labels: Labels, fraction: float, *, seed: int
) -> tuple[Indices, Indices]:
    """Hold the same fraction of every class.

    Which images of a class are held depends on the seed, the class and its size
    alone: another class's images do not change it.

    Args:
        labels: int32 [N].
        fraction: Share to hold, between 0 and 1; see `RULE` for the rounding.
        seed: 0 or more.

    Returns:
        Positions kept and positions held: ascending, disjoint, together all.

    Raises:
        ValueError: The fraction is not between 0 and 1.
    """
    if not 0.0 < fraction < 1.0:
        raise ValueError(f"fraction: expected between 0 and 1. Received: {fraction}.")
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        shuffled = np.random.default_rng([seed, *STREAM, int(label)]).permutation(
            members
        )
        held[shuffled[: held_count(len(members), fraction)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def folds(labels: Labels, count: int, *, seed: int) -> Indices:
    """The fold that tests each image, 0..count-1: int64 [N].

    Each class is spread as evenly as it can be, and the folds' sizes differ by one
    image at most: where one class ends, the next goes on (stratified k-fold, Kohavi
    1995).

    Args:
        labels: int32 [N].
        count: How many folds k, at most the images of the smallest class.
        seed: 0 or more.

    Raises:
        ValueError: A class has fewer images than there are folds.
    """
    sizes = np.unique(labels, return_counts=True)[1]
    if sizes.min() < count:
        raise ValueError(
            f"folds: expected at most {sizes.min()}, the images of the smallest class. "
            f"Received: {count}."
        )
    mixed = np.random.default_rng([seed, *STREAM]).permutation(len(labels))
    by_class = mixed[np.argsort(labels[mixed], kind="stable")]
    found = np.empty(len(labels), np.int64)
    found[by_class] = np.arange(len(labels)) % count
    return found

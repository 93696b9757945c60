"""Labels into two disjoint sets of positions, class by class."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Counts, Indices, Labels

STREAM = tuple(b"split")
"""Name of this module's random stream, so that no other one repeats its draws."""

RULE = (
    "per class: the nearest whole number to fraction x count (halves to even), at "
    "least 1 and at most all but 1 where the class has 2 images or more, else 0"
)
"""How many images of each class are held, in words, for manifests."""

GROUPED = (
    "whole groups, drawn at random, class by class, those of the fewest groups first: "
    "each that leaves the class no farther from the nearest whole number to fraction "
    "x count, at least one, and never the last of a class"
)
"""The same where images belong to groups."""


ATTEMPTS = 30
"""Random orders of groups that are tried while a class is missing from a part."""


def held_count(count: int, fraction: float) -> int:
    """Images of a class with `count` images that are held, by `RULE`."""
    return min(max(round(count * fraction), 1), count - 1) if count >= 2 else 0


def stratified(
    labels: Labels,
    fraction: float,
    *,
    seed: int,
    groups: Sequence[str] | None = None,
) -> tuple[Indices, Indices]:
    """Hold the same fraction of every class, of groups as near to it as can be.

    Which images of a class are held depends on the seed, the class and its size
    alone: another class's images do not change it, unless they are of its groups.

    Args:
        labels: int32 [N].
        fraction: Share to hold, between 0 and 1; see `RULE` for the rounding.
        seed: 0 or more.
        groups: What each image belongs to and is not parted from, [N]; see `GROUPED`.

    Returns:
        Positions kept and positions held: ascending, disjoint, together all.

    Raises:
        ValueError: The fraction is not between 0 and 1.
    """
    if not 0.0 < fraction < 1.0:
        raise ValueError(f"fraction: expected between 0 and 1. Received: {fraction}.")
    if groups is not None:
        return _whole_groups(labels, fraction, groups, seed=seed)
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        shuffled = np.random.default_rng([seed, *STREAM, int(label)]).permutation(
            members
        )
        held[shuffled[: held_count(len(members), fraction)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def _whole_groups(
    labels: Labels, fraction: float, groups: Sequence[str], *, seed: int
) -> tuple[Indices, Indices]:
    group, sizes = _tabled(labels, groups)

    def divide(order: Indices, _: int) -> Indices:
        return _held_groups(sizes, fraction, order).astype(np.int64)

    held = _complete(sizes, 2, divide, seed=seed)[group] == 1
    return np.flatnonzero(~held), np.flatnonzero(held)


def _held_groups(sizes: Counts, fraction: float, order: Indices) -> NDArray[np.bool_]:
    """Which groups are held by `GROUPED`, bool [G], of sizes [G, K] in an order."""
    held = np.zeros(len(sizes), dtype=bool)
    kept = sizes.sum(axis=0)
    # What is left to be kept once the share is held.
    wanted = [n - held_count(int(n), fraction) for n in kept]
    for label, members in _by_rarity(sizes, order):
        for at in members[~held[members]]:
            nearer = kept[label] - sizes[at, label] / 2 >= wanted[label]
            if nearer and _spared(kept, sizes[at]):
                held[at], kept = True, kept - sizes[at]
        if not held[members].any():
            smallest = members[np.argsort(sizes[members, label], kind="stable")]
            spare = [at for at in smallest if _spared(kept, sizes[at])]
            held[spare[:1]] = True
            kept = kept - sizes[spare[:1]].sum(axis=0)
    return held


def _complete(
    sizes: Counts,
    parts: int,
    divide: Callable[[Indices, int], Indices],
    *,
    seed: int,
) -> Indices:
    """The part that each group goes to, so that every part has every class if it can.

    Args:
        sizes: Images by group and class, [G, K].
        parts: How many.
        divide: Groups in random order, and the number of the attempt, to parts, [G].
        seed: Of the orders.

    Returns:
        The first division in which no class is missing that has groups enough, else
        that of the fewest missing, int64 [G].
    """
    random = np.random.default_rng([seed, *STREAM])
    enough = sizes[:, (sizes > 0).sum(axis=0) >= parts]
    best, fewest = np.zeros(len(sizes), np.int64), enough.size + 1
    for attempt in range(ATTEMPTS):
        part = divide(random.permutation(len(sizes)), attempt)
        there = np.zeros((parts, enough.shape[1]), np.int64)
        np.add.at(there, part, enough)
        missing = int((there == 0).sum())
        if missing < fewest:
            best, fewest = part, missing
        if not missing:
            break
    return best


def _spared(kept: Counts, group: Counts) -> bool:
    """Whether no class of a group, [K] each, would be left without an image."""
    return bool((kept[group > 0] > group[group > 0]).all())


def _tabled(labels: Labels, groups: Sequence[str]) -> tuple[Indices, Counts]:
    """The number of each image's group, [N], and images by group and class, [G, K]."""
    group = np.unique(np.array(groups), return_inverse=True)[1].reshape(-1)
    sizes = np.zeros((group.max(initial=-1) + 1, labels.max(initial=-1) + 1), np.int64)
    np.add.at(sizes, (group, labels), 1)
    return group, sizes


def _by_rarity(sizes: Counts, order: Indices) -> Iterator[tuple[int, Indices]]:
    """Each class, those of the fewest groups first, and its groups in that order."""
    for label in np.argsort((sizes > 0).sum(axis=0), kind="stable"):
        yield int(label), order[sizes[order, label] > 0]


def folds(
    labels: Labels, count: int, *, seed: int, groups: Sequence[str] | None = None
) -> Indices:
    """The fold that tests each image, 0..count-1: int64 [N].

    Each class is spread as evenly as it can be, and the folds' sizes differ by one
    image at most: where one class ends, the next goes on (stratified k-fold, Kohavi
    1995). Groups stay whole: the largest of a class first, each goes to the fold that
    has the fewest images of the class (Graham 1969), and of those to the smallest.

    Args:
        labels: int32 [N].
        count: How many folds k, at most the groups of the class that has the fewest.
        seed: 0 or more.
        groups: What each image belongs to and is not parted from, [N]; None: each
            image is a group.

    Raises:
        ValueError: A class has fewer groups than there are folds.
    """
    dealt = units(labels, groups)
    fewest = dealt[dealt > 0].min()
    if fewest < count:
        of = "images of the smallest class" if groups is None else "groups of a class"
        raise ValueError(
            f"folds: expected at most {fewest}, the {of}. Received: {count}."
        )
    if groups is not None:
        return _whole_folds(labels, count, groups, seed=seed)
    mixed = np.random.default_rng([seed, *STREAM]).permutation(len(labels))
    by_class = mixed[np.argsort(labels[mixed], kind="stable")]
    found = np.empty(len(labels), np.int64)
    found[by_class] = np.arange(len(labels)) % count
    return found


def units(labels: Labels, groups: Sequence[str] | None, classes: int = 0) -> Counts:
    """What can be dealt out of each class, its images or their groups: int64 [K].

    Args:
        labels: int32 [N].
        groups: Of the images, [N]; None: each stands alone.
        classes: The least K.
    """
    sizes = np.bincount(labels, minlength=classes)
    if groups is not None:
        parted = (_tabled(labels, groups)[1] > 0).sum(axis=0)
        sizes[: len(parted)] = parted
    return sizes


def _whole_folds(
    labels: Labels, count: int, groups: Sequence[str], *, seed: int
) -> Indices:
    group, sizes = _tabled(labels, groups)

    def divide(order: Indices, attempt: int) -> Indices:
        # Sorted by size, another random order changes little.
        return _dealt(sizes, count, order, largest_first=attempt == 0)

    return _complete(sizes, count, divide, seed=seed)[group]


def _dealt(
    sizes: Counts, count: int, order: Indices, *, largest_first: bool
) -> Indices:
    """The fold that each group, of sizes [G, K], goes to: int64 [G]."""
    fold = np.full(len(sizes), -1)
    load = np.zeros((count, sizes.shape[1]), np.int64)
    for label, members in _by_rarity(sizes, order):
        free = members[fold[members] < 0]
        if largest_first:
            free = free[np.argsort(-sizes[free, label], kind="stable")]
        for at in free:
            fold[at] = np.lexsort((load.sum(axis=1), load[:, label]))[0]
            load[fold[at]] += sizes[at]
    return fold

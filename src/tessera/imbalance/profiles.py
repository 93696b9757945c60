"""An imbalance profile into counts per class, and counts into chosen images."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import assert_never

import numpy as np

from tessera.arrays import Counts, Indices, Labels
from tessera.experiment import (
    Balanced,
    Exponential,
    Fractions,
    Natural,
    Profile,
    Reduced,
    Step,
)
from tessera.phrases import in_list

STREAM = tuple(b"profile")
"""Name of this module's random stream, so that no other one repeats its draws."""

CUT = 0.9
"""A class is cut when it kept under 0.9 of the share that the best class kept."""

RARE = 0.5
"""A class is rare when it has under half of the images of the most common class."""


class ProfileError(ValueError):
    """The profile does not fit the data; the message names both."""


def counts(profile: Profile, available: Counts, class_names: tuple[str, ...]) -> Counts:
    """How many training images of each class the profile keeps.

    Args:
        profile: The experiment's imbalance profile.
        available: Training images per class, int64 [K].
        class_names: K names.

    Returns:
        int64 [K], each between 1 and what is available.

    Raises:
        ProfileError: A class is unknown, or would be left without images.
    """
    match profile:
        case Natural():
            kept = available.copy()
        case Balanced():
            kept = np.full_like(available, available.min())
        case Reduced(classes=classes, fraction=fraction):
            kept = _cut(available, dict.fromkeys(classes, fraction), class_names)
        case Fractions(fractions=fractions):
            kept = _cut(available, fractions, class_names)
        case Exponential(factor=factor):
            kept = _curve(available, exponential_shares(len(available), factor))
        case Step(factor=factor):
            kept = _curve(available, step_shares(len(available), factor))
        case _:
            assert_never(profile)
    _refuse_empty(profile, kept, available, class_names)
    return kept


def exponential_shares(classes: int, factor: float) -> tuple[float, ...]:
    """mu^(c / (K - 1)) with mu = 1 / factor, for classes c = 0..K-1.

    Cui et al. 2019, arXiv:1901.05555; in the form of Cao et al. 2019,
    arXiv:1906.07413, whose floating-point steps are kept because truncation follows.
    """
    mu = 1 / factor
    return tuple(mu ** (c / (classes - 1.0)) for c in range(classes))


def step_shares(classes: int, factor: float) -> tuple[Fraction, ...]:
    """1 for the first floor(K / 2) classes, 1 / factor for the others, exactly.

    Buda et al. 2018, arXiv:1710.05381, with half of the classes in the minority.
    """
    whole = classes // 2
    return (Fraction(1),) * whole + (1 / Fraction(factor),) * (classes - whole)


def _curve(available: Counts, shares: Sequence[float | Fraction]) -> Counts:
    """Truncated n_max x share, with the largest n_max for which no class runs out.

    On balanced data n_max is the class size, as published. Elsewhere the curve is
    lowered as a whole, so that the factor asked for is the factor made.
    """
    sizes = map(int, available)
    n_max = int(min(n / share for n, share in zip(sizes, shares, strict=True)))
    return np.array([int(n_max * share) for share in shares], dtype=np.int64)


def _cut(
    available: Counts,
    fractions: Mapping[str, float] | Mapping[int | str, float],
    class_names: tuple[str, ...],
) -> Counts:
    """The nearest whole number to fraction x available; other classes stay whole."""
    kept = available.copy()
    chosen = [class_index(key, class_names) for key in fractions]
    for index, fraction in zip(chosen, fractions.values(), strict=True):
        if chosen.count(index) > 1:
            raise ProfileError(
                "profile: expected every class once. Received twice: "
                f"{index} {class_names[index]}."
            )
        kept[index] = round(int(available[index]) * fraction)
    return kept


def class_index(key: int | str, class_names: tuple[str, ...]) -> int:
    """The index of a class given by name or by index; a name wins over its number.

    Raises:
        ProfileError: There is no such class.
    """
    if key in class_names:
        return class_names.index(key)
    number = int(key) if isinstance(key, int) or key.isdecimal() else -1
    if 0 <= number < len(class_names):
        return number
    raise ProfileError(
        f"profile: expected a class name or an index from 0 to {len(class_names) - 1}. "
        f"Received: {key!r}. The classes are: "
        + ", ".join(f"{k} {in_list(name)}" for k, name in enumerate(class_names))
        + "."
    )


def _refuse_empty(
    profile: Profile, kept: Counts, available: Counts, class_names: tuple[str, ...]
) -> None:
    empty = np.flatnonzero(kept < 1)
    if len(empty):
        raise ProfileError(
            f"profile {profile.kind!r}: expected at least one training image of every "
            "class. Received none of: "
            + ", ".join(f"{in_list(class_names[k])} (of {available[k]})" for k in empty)
            + ". Use a milder imbalance or more images."
        )


def select(
    profile: Profile, labels: Labels, class_names: tuple[str, ...], *, seed: int
) -> Indices:
    """Which training images the profile keeps.

    For one seed the images are nested: a profile that keeps fewer images of a class
    keeps some of those that a milder profile keeps, so that regimes compare in pairs.
    With `selection="reference"` the seed plays no part.

    Args:
        profile: The experiment's imbalance profile.
        labels: Of all training images, int32 [N].
        class_names: K names.
        seed: Of the run, 0 or more.

    Returns:
        Ascending positions, int64 [n].

    Raises:
        ProfileError: The profile does not fit the data.
    """
    available = np.bincount(labels, minlength=len(class_names)).astype(np.int64)
    kept = counts(profile, available, class_names)
    match profile.selection:
        case "seeded":
            orders = _seeded_orders(labels, len(class_names), seed)
        case "reference":
            orders = _reference_orders(labels, len(class_names))
        case _:
            assert_never(profile.selection)
    chosen = [order[:n] for order, n in zip(orders, kept, strict=True)]
    return np.sort(np.concatenate(chosen))


def _seeded_orders(labels: Labels, classes: int, seed: int) -> list[Indices]:
    """Each class's positions in an order of its own."""
    return [
        np.random.default_rng([seed, *STREAM, c]).permutation(
            np.flatnonzero(labels == c)
        )
        for c in range(classes)
    ]


def _reference_orders(labels: Labels, classes: int) -> list[Indices]:
    """The order of Cao et al. 2019's published protocol.

    NumPy's legacy generator with seed 0; classes ascending; each class's positions
    shuffled in place with the one generator, so that earlier classes matter.
    """
    generator = np.random.RandomState(0)
    orders = []
    for c in range(classes):
        positions = np.flatnonzero(labels == c)
        generator.shuffle(positions)
        orders.append(positions)
    return orders


def imbalance_factor(kept: Counts) -> float:
    """Largest class / smallest class; 1 when all are equal."""
    return float(kept.max() / kept.min())


def reduced_classes(kept: Counts, available: Counts) -> tuple[int, ...]:
    """Classes that are rare under a profile: those it cut, and those rare by nature.

    Cut: fewer images than the most common kept class *and* under `CUT` of the share
    that the best-kept class kept; rounding and small differences do not count. Rare
    by nature: under `RARE` of the most common kept class's images.

    Args:
        kept: Images per class that the profile keeps, int64 [K].
        available: Images per class before it, int64 [K].

    Returns:
        Class indices, ascending; none when the profile levels the classes.
    """
    share = kept / available
    cut = (share < CUT * share.max()) & (kept < kept.max())
    rare = kept < RARE * kept.max()
    return tuple(np.flatnonzero(cut | rare).tolist())

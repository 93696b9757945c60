"""p-values: of paired seeds, of two fixed models, and of many comparisons at once.

Formulas and sources: docs/methods.md, *Tests*.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The special functions beneath scipy.stats, which takes a second longer to import.
from scipy import special

from tessera.evaluation.differences import NO_SPREAD

ALPHA = 0.05
"""A p below it is called decided."""
EXACT_BELOW = 25
"""Discordant images below which McNemar's test is the exact binomial one."""
EVERY_FLIP = 14
"""Seeds up to which all sign flips are tried; beyond, as many random ones."""


@dataclass(frozen=True)
class McNemar:
    """Two fixed models on the same test images."""

    first_only: int
    """Images that only the first model gets right (b)."""
    second_only: int
    """Images that only the second model gets right (c)."""
    p: float
    """Two-sided, that both are right equally often."""
    exact: bool


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Compare two models image by image (McNemar 1947; Dietterich 1998).

    It speaks of these two trained models, not of the recipes that made them.

    Args:
        first: Whether the first model is right, bool [N].
        second: The same of the second, on the same images.
    """
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    if b + c < EXACT_BELOW:
        p = min(1.0, 2 * float(special.bdtr(min(b, c), b + c, 0.5)))
        return McNemar(b, c, p, exact=True)
    statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
    return McNemar(b, c, float(special.chdtrc(1, statistic)), exact=False)


def paired_t(values: Sequence[float]) -> float | None:
    """Two-sided p of the paired t-test that the mean of the values is 0.

    Returns:
        None for a single seed, and for seeds whose differences are all equal (see
        `differences.difference`).
    """
    n = len(values)
    deviation = float(np.std(values, ddof=1)) if n > 1 else 0.0
    if deviation < NO_SPREAD:
        return None
    t = float(np.mean(values)) * math.sqrt(n) / deviation
    return float(2 * special.stdtr(n - 1, -abs(t)))


def sign_flips(values: Sequence[float], seed: int = 0) -> float:
    """Two-sided p of the sign-flip test (Fisher 1935): are + and - interchangeable?

    The share of sign choices whose mean is at least as far from 0. With S seeds it is
    never below 2^-(S-1): five cannot reach 5 %, however clear the difference.

    Args:
        values: A difference per seed, S >= 1.
        seed: Of the random flips that replace all 2^S beyond `EVERY_FLIP` seeds.
    """
    found = np.asarray(values, np.float64)
    n = len(found)
    if n <= EVERY_FLIP:
        signs = np.array(list(itertools.product((1, -1), repeat=n)))
    else:
        random = np.random.default_rng(seed)
        drawn = random.choice((1, -1), size=(2**EVERY_FLIP - 1, n))
        signs = np.vstack([np.ones(n, int), drawn])
    means = np.abs(signs @ found)
    # Rounding must not part a flip from its mirror image.
    return float(np.mean(means >= abs(found.sum()) - 1e-9 * np.abs(found).sum()))


def sign_floor(seeds: int) -> float:
    """The smallest p that the sign-flip test can give: 2^-(S-1)."""
    return 2.0 ** -(seeds - 1)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Adjust p-values for several comparisons (Holm 1979).

    In rising order the i-th of m is multiplied by m - i + 1, capped at 1, and made no
    smaller than the one before. Those below 5 % are wrong about nothing with a chance
    of 95 %, whichever hypotheses are true.

    Args:
        p_values: One per comparison of the family, in any order; None stands for a
            comparison without a test, which counts as p = 1.

    Returns:
        In the same order; None stays None.
    """
    family = [1.0 if p is None else p for p in p_values]
    rising = sorted(range(len(family)), key=family.__getitem__)
    adjusted = [0.0] * len(family)
    floor = 0.0
    for rank, i in enumerate(rising):
        floor = max(floor, min(1.0, (len(family) - rank) * family[i]))
        adjusted[i] = floor
    return tuple(
        None if p is None else a for p, a in zip(p_values, adjusted, strict=True)
    )

"""Many variants against one, with seeds as blocks: an ablation's intervals.

Two seeds of one variant say little about how far its scores scatter, but the seeds of
all variants together do, if they scatter alike. Formulas: docs/methods.md, *Ablation*.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tessera.evaluation.differences import LEVEL, NO_SPREAD
from tessera.evaluation.significance import holm


@dataclass(frozen=True)
class Contribution:
    """A variant's mean score less the first's, in the unit of the scores."""

    mean: float
    low: float | None
    """Lower end of the 95 % interval, for this variant alone; None: there is none."""
    high: float | None
    p_value: float
    """After Holm's correction over all variants."""

    @property
    def decided(self) -> bool:
        """Whether the difference stands after the correction."""
        return self.p_value < 1 - LEVEL


def against_first(scores: ArrayLike) -> tuple[Contribution, ...]:
    """Compare every variant but the first with the first.

    Additive model of a randomised block design: x_vs = m_v + b_s + e, with one
    variance of e for all (Box, Hunter and Hunter 2005, section 4.2). Its estimate s^2
    has (V - 1)(S - 1) degrees of freedom, and a difference of two means over S seeds
    the variance 2 s^2 / S.

    Args:
        scores: [V, S] of V >= 2 variants and S >= 2 seeds, the same for all.

    Returns:
        One for each variant but the first. Without any scatter nothing has an interval
        and nothing is decided: as in `differences.difference`, that is a coincidence
        of rounding, not certainty.

    Raises:
        ValueError: There are too few variants or seeds.
    """
    x = np.asarray(scores, np.float64)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(
            "scores: expected at least 2 variants and 2 seeds. Received: an array of "
            f"shape {x.shape}. Train more seeds: --seeds 2."
        )
    variants, seeds = x.shape
    means = x.mean(axis=1)
    left = x - means[:, None] - x.mean(axis=0) + x.mean()
    freedom = (variants - 1) * (seeds - 1)
    error = np.sqrt(2 * (left**2).sum() / freedom / seeds)
    half = special.stdtrit(freedom, 0.5 + LEVEL / 2) * error
    found = means[1:] - means[0]
    if error < NO_SPREAD:
        return tuple(Contribution(float(d), None, None, 1.0) for d in found)
    p_values = _two_sided(found, error, freedom)
    return tuple(
        Contribution(float(d), float(d - half), float(d + half), p)
        for d, p in zip(found, p_values, strict=True)
    )


def _two_sided(differences: ArrayLike, error: float, freedom: int) -> Sequence[float]:
    """P-values of t = difference / error, corrected."""
    raw = 2 * special.stdtr(freedom, -np.abs(np.asarray(differences)) / error)
    return [float(p) for p in holm(list(map(float, raw))) if p is not None]

"""Raw maps -> why a map shows nothing, in words; nothing is blank without a reason."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps

Reasons: TypeAlias = NDArray[np.str_]
"""One text per map, str [N]; empty where the map shows something."""

NOT_FINITE = "not finite"
"""The map holds NaN or infinity."""

ZERO_GRADIENT = "zero gradient"
"""The logit does not change with the layer's output, to first order."""

NO_POSITIVE_EVIDENCE = "no positive evidence"
"""No cell speaks for the class: all are zero or speak against it."""

CONSTANT = "constant"
"""Every cell says the same: evidence, but no place."""

TEXTS = (NOT_FINITE, ZERO_GRADIENT, NO_POSITIVE_EVIDENCE, CONSTANT)
"""Every reason, the first that holds first."""

ROUNDING = 1e-6
"""Relative spread of a float32 map below which it counts as constant."""


def reasons(raw: Heatmaps, gradients: NDArray[Any] | None) -> Reasons:
    """Why each map is blank; an empty text where it is not.

    Args:
        raw: Signed maps, float32 [N, h, w].
        gradients: Gradient of the score at the layer, float32 [N, h, w, C]; None for
            maps that are not made from one.
    """
    slopes = np.ones((len(raw), 1)) if gradients is None else gradients
    moved = slopes.reshape(len(raw), -1).any(axis=1)
    with np.errstate(invalid="ignore"):
        spread = raw.max(axis=(1, 2)) - raw.min(axis=(1, 2))
    largest = raw.max(axis=(1, 2))
    conditions = [
        ~np.isfinite(raw).all(axis=(1, 2)),
        ~moved,
        largest <= 0,
        spread <= ROUNDING * largest,
    ]
    return np.select(conditions, [np.array(text) for text in TEXTS], np.array(""))

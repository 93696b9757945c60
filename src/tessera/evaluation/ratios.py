"""Division where the divisor may be zero, without a warning."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tessera.arrays import Floats


def ratio(above: ArrayLike, below: ArrayLike, nothing: float = 0.0) -> Floats:
    """Above / below in float64, shapes broadcast; `nothing` where below is not > 0."""
    top, bottom = (np.asarray(x, np.float64) for x in (above, below))
    out: Floats = np.full(np.broadcast_shapes(top.shape, bottom.shape), nothing)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def known_mean(values: NDArray[Any], axis: int = -1) -> Floats:
    """Mean along an axis of what is not NaN; NaN where nothing is left."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=axis, dtype=np.float64)
    return ratio(total, known.sum(axis=axis), np.nan)

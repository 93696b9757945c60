"""Pointing game and energy: how much of a map falls where the cause is known to be.

Pointing: Zhang et al. 2016 (ECCV, arXiv:1608.00507). Energy: Wang et al. 2020
(Score-CAM, arXiv:1910.01279). Both are read on the native cells; chance is the region's
share of the area.
"""

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps
from tessera.evaluation.ratios import ratio
from tessera.explain.faithfulness import ranking
from tessera.explain.faithfulness.ranking import Masks


def hits(maps: Heatmaps, regions: Masks) -> NDArray[np.float64]:
    """Whether the map's maximum lies in the region; the expected value where it ties.

    Args:
        maps: Signed, float [N, h, w].
        regions: Where the cause is, bool [N, H, W].

    Returns:
        0..1, float64 [N]: the share of the pixels with the largest value that lie in
        the region, so that a flat map scores exactly chance. NaN where the map is not
        finite.
    """
    pixels = ranking.to_pixels(maps, *regions.shape[1:])
    top = pixels == pixels.max(axis=(1, 2), keepdims=True)
    share = ratio((top & regions).sum(axis=(1, 2)), top.sum(axis=(1, 2)))
    return np.where(np.isfinite(maps).all(axis=(1, 2)), share, np.nan)


def energy(maps: Heatmaps, regions: Masks) -> NDArray[np.float64]:
    """Share of the map's positive part that lies in the region, float64 [N].

    NaN where the map has no positive part or is not finite: no share exists.
    """
    finite = np.asarray(np.isfinite(maps).all(axis=(1, 2)))
    positive = np.maximum(np.where(finite[:, None, None], maps, 0), 0)
    pixels = ranking.to_pixels(positive.astype(np.float64), *regions.shape[1:])
    inside = (pixels * regions).sum(axis=(1, 2))
    return ratio(inside, pixels.sum(axis=(1, 2)), np.nan)


def chance(regions: Masks) -> NDArray[np.float64]:
    """The region's share of the image: what a map without information expects."""
    area: NDArray[np.float64] = regions.mean(axis=(1, 2), dtype=np.float64)
    return area

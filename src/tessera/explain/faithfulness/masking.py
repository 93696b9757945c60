"""Average drop, increase and gain: what the map alone, laid over the image, keeps.

Drop and increase: Chattopadhay et al. 2018 (WACV, arXiv:1710.11063); gain: Zhang et al.
2023 (arXiv:2301.07002). A map that is bright everywhere scores well on all three, so
its mean brightness always stands beside them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera import overlay
from tessera.arrays import Heatmaps, Labels
from tessera.explain.faithfulness.answers import Predict, probability
from tessera.explain.faithfulness.fills import Pixels


@dataclass(frozen=True, eq=False)
class Masked:
    """Per image, float64 [N] each; p with the whole image, q with the masked one."""

    drop: NDArray[np.float64]
    """max(p - q, 0) / p."""
    increase: NDArray[np.float64]
    """1 where q > p, else 0."""
    gain: NDArray[np.float64]
    """max(q - p, 0) / (1 - p); 0 where p is 1."""
    brightness: NDArray[np.float64]
    """Mean of the mask, 0..1."""


def masks(maps: Heatmaps, height: int, width: int) -> NDArray[np.float32]:
    """Display maps (ReLU over maximum) enlarged bilinearly, 0..1 [N, H, W]."""
    return np.stack(
        [overlay.smooth(overlay.display(raw), height, width) for raw in maps]
    )


def masked(
    predict: Predict,
    images: Pixels,
    maps: Heatmaps,
    targets: Labels,
    *,
    whole: NDArray[np.float64],
) -> Masked:
    """Multiply the pixels by the map and ask the model again.

    Args:
        predict: The model.
        images: float32 [N, H, W, C]; 0 is black, which a dark map leaves.
        maps: Signed, float [N, h, w].
        targets: The explained class, int [N].
        whole: Its probability for the whole image, float64 [N].
    """
    mask = masks(maps, *images.shape[1:3])
    kept = probability(predict(images * mask[..., None]), targets)
    room = np.maximum(1 - whole, np.finfo(np.float64).tiny)
    return Masked(
        drop=np.maximum(whole - kept, 0) / np.maximum(whole, np.finfo(np.float64).tiny),
        increase=(kept > whole).astype(np.float64),
        gain=np.where(whole < 1, np.maximum(kept - whole, 0) / room, 0.0),
        brightness=mask.mean(axis=(1, 2), dtype=np.float64),
    )

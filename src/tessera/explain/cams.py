"""Feature maps and gradients at a layer -> raw class activation maps; NumPy only.

Every map keeps its sign: the ReLU that several papers end with belongs to the display
(`overlay`). Shapes: features and gradients float32 [N, h, w, C], maps [N, h, w].
"""

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps
from tessera.explain.gradients import FeatureMaps


def channel_weights(gradients: FeatureMaps) -> NDArray[np.float32]:
    """Spatial mean of the gradient: alpha in equation 1 of Selvaraju et al. 2017.

    Args:
        gradients: Of the logit at the layer, float32 [N, h, w, C].

    Returns:
        A weight per channel, float32 [N, C].
    """
    weights: NDArray[np.float32] = gradients.mean(axis=(1, 2))
    return weights


def weighted_sum(features: FeatureMaps, weights: NDArray[np.float32]) -> Heatmaps:
    """Channels summed with their weights: equation 2 of the paper before its ReLU.

    Args:
        features: The layer's output, float32 [N, h, w, C].
        weights: float32 [N, C].

    Returns:
        Signed maps, float32 [N, h, w].
    """
    rows = features.reshape(len(features), -1, features.shape[-1])
    maps: Heatmaps = np.matmul(rows, weights[:, :, None])[..., 0]
    return maps.reshape(features.shape[:3])


def grad_cam(features: FeatureMaps, gradients: FeatureMaps) -> Heatmaps:
    """Selvaraju et al. 2017, arXiv:1610.02391, before the ReLU."""
    return weighted_sum(features, channel_weights(gradients))


def hires_cam(features: FeatureMaps, gradients: FeatureMaps) -> Heatmaps:
    """Gradient times activation: Draelos and Carin 2020, arXiv:2011.08891."""
    maps: Heatmaps = np.einsum("nhwc,nhwc->nhw", features, gradients)
    return maps


def layer_cam(features: FeatureMaps, gradients: FeatureMaps) -> Heatmaps:
    """Positive gradient times activation: Jiang et al. 2021, before the ReLU."""
    return hires_cam(features, np.maximum(gradients, 0))


def grad_cam_plus_plus(features: FeatureMaps, gradients: FeatureMaps) -> Heatmaps:
    """Chattopadhay et al. 2018, arXiv:1710.11063, of the score exp(logit).

    The derivatives of exp(y) are y's gradient g to the powers 1, 2, 3, all times
    exp(y), which cancels in the weights of the cells; what is left of it is one factor
    for the whole map, and is dropped, since it would overflow.
    """
    # g^2 / (2 g^2 + S g^3) = 1 / (2 + S g) for the g > 0 that are left.
    denominator = 2 + features.sum(axis=(1, 2), keepdims=True) * gradients
    positive = np.maximum(gradients, 0)
    defined = (positive > 0) & (denominator != 0)
    cells = np.divide(
        positive, denominator, out=np.zeros_like(gradients), where=defined
    )
    weights = cells.sum(axis=(1, 2))
    return weighted_sum(features, weights)


def eigen_cam(features: FeatureMaps) -> Heatmaps:
    """Muhammad and Yeasin 2020, arXiv:2008.00299: A v1, not centred, as published.

    v1 is the first right singular vector of A, cells times channels. Its sign is free;
    here the map's sum is not negative. It knows no class.
    """
    rows = features.reshape(len(features), -1, features.shape[-1]).astype(np.float64)
    # A v1 = s1 u1, from the smaller of A'A and AA'.
    if rows.shape[1] <= rows.shape[2]:
        squares, vectors = np.linalg.eigh(rows @ rows.transpose(0, 2, 1))
        largest = np.maximum(squares[:, -1:], 0)
        maps = np.sqrt(largest) * vectors[:, :, -1]
    else:
        _, vectors = np.linalg.eigh(rows.transpose(0, 2, 1) @ rows)
        maps = (rows @ vectors[:, :, -1:])[..., 0]
    signs = np.where(maps.sum(axis=1, keepdims=True) < 0, -1, 1)
    signed: Heatmaps = (maps * signs).reshape(features.shape[:3]).astype(np.float32)
    return signed

"""Score-CAM: every channel is a mask, and the masked image's logit is its weight."""

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray
from scipy import special

from tessera.arrays import Heatmaps
from tessera.explain import graph as graphs
from tessera.explain.cams import weighted_sum
from tessera.explain.gradients import (
    Cut,
    Directions,
    FeatureMaps,
    Function,
    compiled,
    padded,
)
from tessera.explain.graph import Tensor
from tessera.explain.methods import ScoreCam

MASKS = 128
"""Masked images at a time."""


def score_cam(
    cut: Cut,
    images: NDArray[Any],
    features: FeatureMaps,
    directions: Directions,
    settings: ScoreCam,
    scores: Function,
) -> Heatmaps:
    """Wang et al. 2020, arXiv:1910.01279, with the logit as the score.

    A channel, enlarged to the image and scaled to 0..1, multiplies the image; the
    softmax over the channels of the resulting logits gives their weights. The logit of
    the black image, which the paper subtracts, cancels in the softmax. A channel that
    says the same everywhere makes no mask and has no weight.

    Args:
        cut: The model, cut at the layer.
        images: [N, H, W, C], in the units that the model takes; 0 is black.
        features: The layer's output, float32 [N, h, w, K].
        directions: What is explained, float32 [N, classes].
        settings: How many channels.
        scores: From `masked_scores`, for images of this size.

    Returns:
        Maps, float32 [N, h, w], before the paper's ReLU.
    """
    maps = [
        _weights(scores, image.astype(cut.dtype), channels, direction, settings)
        for image, channels, direction in zip(images, features, directions, strict=True)
    ]
    return weighted_sum(features, np.stack(maps))


def _weights(
    scores: Function,
    image: NDArray[Any],
    features: NDArray[np.float32],
    direction: NDArray[np.float32],
    settings: ScoreCam,
) -> NDArray[np.float32]:
    """Softmax weights of one image's channels, float32 [K]; 0 for those left out."""
    channels = features.transpose(2, 0, 1)
    spread = channels.max(axis=(1, 2)) - channels.min(axis=(1, 2))
    deviation = channels.std(axis=(1, 2))
    order = np.argsort(-deviation, kind="stable")[: settings.channels]
    used = order[spread[order] > 0]
    weights = np.zeros(len(channels), np.float32)
    if not len(used):
        return weights
    size = min(MASKS, len(order))
    found = np.concatenate(
        [
            np.asarray(
                scores(image, padded(channels[used[i : i + size]], size), direction)
            )
            for i in range(0, len(used), size)
        ]
    )[: len(used)]
    weights[used] = special.softmax(found)
    return weights


def masked_scores(cut: Cut, size: tuple[int, ...]) -> Function:
    """Compile the scores of one image seen through channels; reuse it for all images.

    Args:
        cut: The model, cut at the layer.
        size: Height and width of the images.

    Returns:
        (image [H, W, C], channels [M, h, w], direction [classes]) -> scores [M].
    """
    graph = cut.graph

    def scores(image: Tensor, channels: Tensor, direction: Tensor) -> Tensor:
        enlarged = ops.image.resize(
            channels[..., None],
            size,
            interpolation="bilinear",
            data_format="channels_last",
        )
        low = ops.min(enlarged, axis=(1, 2), keepdims=True)
        high = ops.max(enlarged, axis=(1, 2), keepdims=True)
        masks = (enlarged - low) / ops.maximum(high - low, 1e-12)
        pixels = ops.cast(masks * ops.cast(image, "float32")[None], graph.dtype)
        (logits,) = graphs.run(graph, {graph.pixels: pixels}, [graph.logits])
        return ops.sum(ops.cast(logits, "float32") * direction, axis=-1)

    return compiled(graph.net, scores)

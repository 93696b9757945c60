"""A model and images -> Grad-CAM: where a layer's features raise a class's logit.

Selvaraju et al. 2017 (ICCV, arXiv:1610.02391) in three steps: the gradient of the
logit at the layer, its spatial mean as a weight per channel, the weighted sum of the
channels. The paper's last step, the ReLU, belongs to the display (`overlay`): the raw
map keeps its sign, so that maps of branches add up and evidence against is not lost.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels, Logits, Probabilities
from tessera.explain import blank, gradients
from tessera.explain.blank import Reasons
from tessera.explain.gradients import Directions, FeatureMaps
from tessera.explain.graph import CoarseGrid as CoarseGrid  # callers catch it
from tessera.explain.graph import ExplainError as ExplainError

METHOD = "Grad-CAM"


@dataclass(frozen=True, eq=False)
class Explanations:
    """One map per image, with what it explains."""

    raw: Heatmaps
    """Signed, before the ReLU, float32 [N, h, w]."""
    targets: Labels
    """The class explained, int32 [N]."""
    predicted: Labels
    logits: Logits
    reasons: Reasons
    """Why a map is blank, str [N]; empty where it is not."""
    layer: str
    method: str
    cautions: tuple[str, ...]
    """What a reader must know about all of these maps, in plain words."""

    @property
    def grid(self) -> tuple[int, int]:
        """Cells of a map: (height, width)."""
        _, height, width = self.raw.shape
        return height, width

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax probability of the explained class, float64 [N]."""
        rows = np.arange(len(self.targets))
        chosen: NDArray[np.float64] = softmax(self.logits)[rows, self.targets]
        return chosen


def softmax(logits: Logits) -> Probabilities:
    """Logits to probabilities, float64 [N, K]."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    exponents = np.exp(shifted)
    shares: Probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    return shares


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
    maps: Heatmaps = np.einsum("nhwc,nc->nhw", features, weights)
    return maps


def explain(
    net: keras.Model,
    images: NDArray[Any],
    *,
    targets: Labels | None = None,
    layer: str = "features",
    batch_size: int = 128,
) -> Explanations:
    """Grad-CAM of every image at one layer; the model is left as it is.

    Args:
        net: A functional or sequential Keras model: pixels in, logits out.
        images: [N, H, W, C], in the units the model takes; at least one.
        targets: The class to explain for each image, int [N]; None: the predicted.
        layer: Name of a layer whose output is a map [N, h, w, C].
        batch_size: Images at a time; does not change the result beyond rounding.

    Raises:
        ExplainError: The model cannot be explained at this layer; there are no images;
            targets do not fit the images and classes.
        CoarseGrid: The layer's map has fewer than 4x4 cells.

    Reference: Selvaraju et al. 2017, arXiv:1610.02391. Unlike the paper, the ReLU is
    left to the display.
    """
    if len(images) == 0:
        raise ExplainError("images: expected at least one. Received: none.")
    cut = gradients.cut(net, layer)
    directions = None if targets is None else one_hot(targets, len(images), cut.classes)
    maps, texts, logits = [], [], []
    for batch in gradients.batches(cut, images, directions, batch_size=batch_size):
        raw = weighted_sum(batch.features, channel_weights(batch.gradients))
        maps.append(raw)
        texts.append(blank.reasons(raw, batch.gradients))
        logits.append(batch.logits)
    scores = np.concatenate(logits)
    predicted = scores.argmax(axis=1).astype(np.int32)
    return Explanations(
        raw=np.concatenate(maps),
        targets=predicted if targets is None else np.asarray(targets, np.int32),
        predicted=predicted,
        logits=scores,
        reasons=np.concatenate(texts),
        layer=layer,
        method=METHOD,
        cautions=gradients.cautions(cut, *maps[0].shape[1:]),
    )


def one_hot(targets: Labels, images: int, classes: int) -> Directions:
    """Rows with a one at each image's class, float32 [N, K].

    Raises:
        ExplainError: Not one class per image, or a class that does not exist.
    """
    targets = np.asarray(targets)
    if targets.shape != (images,) or targets.dtype.kind not in "iu":
        raise ExplainError(
            f"targets: expected one class index per image, int [{images}]. "
            f"Received: {targets.dtype} {list(targets.shape)}."
        )
    if targets.min() < 0 or targets.max() >= classes:
        raise ExplainError(
            f"targets: expected classes from 0 to {classes - 1}. "
            f"Received: {targets.min()}..{targets.max()}."
        )
    rows: Directions = np.eye(classes, dtype=np.float32)[targets]
    return rows

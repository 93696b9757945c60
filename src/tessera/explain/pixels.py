"""Maps on the image itself: what its pixels, or covering them, do to the logit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Logits
from tessera.explain import graph as graphs
from tessera.explain import places, reading
from tessera.explain.gradients import (
    Directions,
    Function,
    compiled,
    differentiated,
    portions,
)
from tessera.explain.graph import ExplainError, Graph, Tensor
from tessera.explain.methods import IntegratedGradients, Occlusion, SmoothGrad

Pixels: TypeAlias = NDArray[np.float32]
"""Images in the units that the model takes, float32 [B, H, W, C]."""

Slopes: TypeAlias = Callable[[Pixels], Pixels]
"""Images -> the gradient of their scores, float32 [B, H, W, C]."""

Scores: TypeAlias = Callable[[Pixels], NDArray[np.float32]]
"""Images -> their scores, float32 [B]."""


@dataclass(frozen=True, eq=False)
class Lens:
    """A model's logits and gradients as functions of pixels, compiled once."""

    graph: Graph
    logits: Function
    """images [B, H, W, C] -> logits [B, K]."""
    slopes: Function
    """(images, directions [B, K]) -> gradient of the score [B, H, W, C]."""


def lens(net: keras.Model) -> Lens:
    """Prepare a model to be explained at its pixels; reuse it for many calls.

    Raises:
        ExplainError: The model has no single image in and logits out.
    """
    graph = reading.read(net)

    def logits(images: Tensor) -> Tensor:
        (values,) = graphs.run(graph, {graph.pixels: images}, [graph.logits])
        return ops.cast(values, "float32")

    def slopes(images: Tensor, directions: Tensor) -> Tensor:
        def score(pixels: Tensor) -> tuple[Tensor, Tensor]:
            values = logits(pixels)
            return ops.sum(values * directions), values

        return differentiated(score)(images)[0]

    return Lens(graph, compiled(net, logits), compiled(net, slopes))


def all_logits(lens: Lens, images: NDArray[Any], batch_size: int) -> Logits:
    """Logits of every image, float32 [N, K]."""
    nothing = np.zeros((len(images), lens.graph.classes), np.float32)
    parts = [
        np.asarray(lens.logits(pixels))[:size]
        for pixels, _, size in portions(lens.graph.dtype, images, nothing, batch_size)
    ]
    return np.concatenate(parts)


def explain(
    lens: Lens,
    images: NDArray[Any],
    directions: Directions,
    method: IntegratedGradients | SmoothGrad | Occlusion,
    *,
    batch_size: int,
) -> tuple[Heatmaps, NDArray[np.float32] | None]:
    """Raw maps, and residuals where the method has a completeness theorem.

    Args:
        lens: The prepared model.
        images: [N, H, W, C], in the units that the model takes.
        directions: What is explained, float32 [N, K].
        method: The method's settings.
        batch_size: Images at a time.

    Returns:
        Maps float32 [N, H, W] ([N, cells, cells] for occlusion), and for integrated
        gradients their sum minus the score's change from baseline to image, [N].

    Raises:
        ExplainError: The model takes whole numbers, which have no gradient.
        CoarseGrid: Occlusion with fewer than 4 cells a side.
    """
    check(lens, method, *images.shape[1:3])
    maps, residuals = [], []
    dtype = lens.graph.dtype
    for pixels, rows, size in portions(dtype, images, directions, batch_size):
        slopes, scores = _bound(lens, rows)
        match method:
            case IntegratedGradients():
                part = integrated_gradients(slopes, pixels, method)
                change = scores(pixels) - scores(_baseline(pixels, method))
                residuals.append((part.sum(axis=(1, 2)) - change)[:size])
            case SmoothGrad():
                part = smooth_grad(slopes, pixels, method)
            case Occlusion():
                part = occlusion(scores, pixels, method)
        maps.append(part[:size])
    return np.concatenate(maps), np.concatenate(residuals) if residuals else None


def check(
    lens: Lens,
    method: IntegratedGradients | SmoothGrad | Occlusion,
    height: int,
    width: int,
) -> None:
    """Refuse what the model's pixels or the image's size do not allow."""
    if isinstance(method, Occlusion):
        places.check_grid("pixels", method.cells, method.cells)
        if method.cells > min(height, width):
            raise ExplainError(
                f"cells: expected at most one per pixel of {height} x {width} images. "
                f"Received: {method.cells}."
            )
    elif not lens.graph.dtype.startswith(("float", "bfloat")):
        raise ExplainError(
            f"{method.label}: expected a model of floating-point pixels, which have a "
            f"gradient. Received: {lens.graph.dtype}. Choose a layer's map instead."
        )
    else:
        places.check_grid("pixels", height, width)


def _bound(lens: Lens, directions: Directions) -> tuple[Slopes, Scores]:
    def slopes(pixels: Pixels) -> Pixels:
        return np.asarray(lens.slopes(pixels, directions), np.float32)

    def scores(pixels: Pixels) -> NDArray[np.float32]:
        values: NDArray[np.float32] = np.asarray(lens.logits(pixels)) * directions
        sums: NDArray[np.float32] = values.sum(axis=1)
        return sums

    return slopes, scores


def _baseline(pixels: Pixels, settings: IntegratedGradients) -> Pixels:
    return np.full_like(pixels, settings.baseline)


def integrated_gradients(
    slopes: Slopes, pixels: Pixels, settings: IntegratedGradients
) -> Heatmaps:
    """Sundararajan et al. 2017, arXiv:1703.01365, equation 1, by the midpoint rule.

    Returns:
        Signed maps, summed over the colour channels, float32 [B, H, W].
    """
    way = pixels - _baseline(pixels, settings)
    total = np.zeros(pixels.shape, np.float64)
    for step in range(settings.steps):
        share = (step + 0.5) / settings.steps
        total += slopes((pixels - (1 - share) * way).astype(pixels.dtype))
    maps: Heatmaps = (way * total / settings.steps).sum(axis=-1).astype(np.float32)
    return maps


def smooth_grad(slopes: Slopes, pixels: Pixels, settings: SmoothGrad) -> Heatmaps:
    """Smilkov et al. 2017, arXiv:1706.03825: the mean gradient at noisy copies.

    Every image meets the same noise, scaled by its own range, so that its map does not
    depend on the images beside it.

    Returns:
        Signed maps, summed over the colour channels, float32 [B, H, W].
    """
    random = np.random.default_rng(settings.seed)
    reach = np.ptp(pixels, axis=(1, 2, 3))[:, None, None, None]
    total = np.zeros(pixels.shape, np.float64)
    for _ in range(settings.samples):
        noise = random.standard_normal(pixels.shape[1:], np.float32)
        total += slopes((pixels + settings.noise * reach * noise).astype(pixels.dtype))
    maps: Heatmaps = (total / settings.samples).sum(axis=-1).astype(np.float32)
    return maps


def occlusion(scores: Scores, pixels: Pixels, settings: Occlusion) -> Heatmaps:
    """Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2: score minus covered score.

    Returns:
        Signed maps, float32 [B, cells, cells].
    """
    whole = scores(pixels)
    if settings.fill is None:
        fill = pixels.mean(axis=(1, 2), keepdims=True)
    else:
        fill = np.full((1, 1, 1, 1), settings.fill, np.float32)
    rows = windows(pixels.shape[1], settings)
    columns = windows(pixels.shape[2], settings)
    maps = np.zeros((len(pixels), settings.cells, settings.cells), np.float32)
    for i, vertical in enumerate(rows):
        for j, horizontal in enumerate(columns):
            covered = pixels.copy()
            covered[:, vertical, horizontal] = fill
            maps[:, i, j] = whole - scores(covered)
    return maps


def windows(length: int, settings: Occlusion) -> list[slice]:
    """The pixels that are covered around the centre of each cell, cut at the border."""
    cell = length / settings.cells
    half = settings.window * cell / 2
    centres = (np.arange(settings.cells) + 0.5) * cell
    starts = np.clip(np.round(centres - half), 0, length - 1).astype(int)
    ends = np.clip(np.round(centres + half), starts + 1, length).astype(int)
    return [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]

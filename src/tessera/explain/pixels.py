"""Maps on the image itself: what its pixels, or covering them, do to the logit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

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
from tessera.explain.graph import CoarseGrid, ExplainError, Graph, Tensor
from tessera.explain.methods import (
    IntegratedGradients,
    Occlusion,
    OnPixels,
    SmoothGrad,
)

Pixels: TypeAlias = NDArray[np.float32]
"""Images in the units that the model takes, float32 [B, H, W, C]."""

Slopes: TypeAlias = Callable[[Pixels], Pixels]
"""Variants of the images [S, B, H, W, C] -> the gradients of their scores."""

Scores: TypeAlias = Callable[[Pixels], NDArray[np.float32]]
"""Variants of the images [S, B, H, W, C] -> their scores, float32 [S, B]."""


@dataclass(frozen=True, eq=False)
class Lens:
    """A model's logits and gradients as functions of pixels, compiled once."""

    graph: Graph
    logits: Function
    """images [B, H, W, C] -> logits [B, K]."""
    slopes: Function
    """(images, directions [B, K]) -> gradient of the score [B, H, W, C]."""


def lens(net: keras.Model, *, once: bool = False) -> Lens:
    """Prepare a model to be explained at its pixels; reuse it for many calls.

    Args:
        net: See `gradients.cut`.
        once: Whether it is for the logits of one batch, see `gradients.compiled`.

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

    return Lens(graph, compiled(net, logits, once=once), compiled(net, slopes))


def all_logits(lens: Lens, images: NDArray[Any], batch_size: int) -> Logits:
    """Logits of every image, float32 [N, K].

    Raises:
        ExplainError: The model takes images of another size.
    """
    graphs.check_images(lens.graph, images)
    parts = [
        np.asarray(lens.logits(pixels))[:size]
        for pixels, _, size in portions(lens.graph.dtype, images, None, batch_size)
    ]
    return np.concatenate(parts)


def explain(
    lens: Lens,
    images: NDArray[Any],
    directions: Directions,
    method: OnPixels,
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
        room = max(batch_size // len(pixels), 1)
        match method:
            case IntegratedGradients():
                part = integrated_gradients(slopes, pixels, method, room=room)
                ends = np.stack([pixels, _baseline(pixels, method)])
                change = -np.diff(scores(ends), axis=0)[0]
                residuals.append((part.sum(axis=(1, 2)) - change)[:size])
            case SmoothGrad():
                part = smooth_grad(slopes, pixels, method, room=room)
            case Occlusion():
                part = occlusion(scores, pixels, method, room=room)
            case _:
                assert_never(method)
        maps.append(part[:size])
    return np.concatenate(maps), np.concatenate(residuals) if residuals else None


def check(
    lens: Lens,
    method: OnPixels,
    height: int,
    width: int,
) -> None:
    """Refuse what the model's pixels or the image's size do not allow."""
    if isinstance(method, Occlusion):
        if method.cells < places.SMALLEST_GRID:
            raise CoarseGrid(
                f"cells: expected at least {places.SMALLEST_GRID} a side, since fewer "
                f"cannot show a place. Received: {method.cells}."
            )
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
    def slopes(variants: Pixels) -> Pixels:
        rows = variants.reshape(-1, *variants.shape[2:])
        wanted = np.tile(directions, (len(variants), 1))
        gradients = np.asarray(lens.slopes(rows, wanted), np.float32)
        return gradients.reshape(variants.shape)

    def scores(variants: Pixels) -> NDArray[np.float32]:
        rows = variants.reshape(-1, *variants.shape[2:])
        logits = np.asarray(lens.logits(rows)).reshape(*variants.shape[:2], -1)
        sums: NDArray[np.float32] = (logits * directions).sum(axis=-1)
        return sums

    return slopes, scores


def _baseline(pixels: Pixels, settings: IntegratedGradients) -> Pixels:
    return np.full_like(pixels, settings.baseline)


def together(count: int, room: int) -> int:
    """How many of `count` variants to compute at once: a divisor, at most `room`.

    A divisor, so that every call has the same shape and is compiled once.
    """
    return max(n for n in range(1, count + 1) if count % n == 0 and n <= max(room, 1))


def integrated_gradients(
    slopes: Slopes, pixels: Pixels, settings: IntegratedGradients, *, room: int = 1
) -> Heatmaps:
    """Sundararajan et al. 2017, arXiv:1703.01365, equation 1, by the midpoint rule.

    Args:
        slopes: The gradient.
        pixels: Images, float32 [B, H, W, C].
        settings: Steps and baseline.
        room: Variants of all images that fit into one call.

    Returns:
        Signed maps, summed over the colour channels, float32 [B, H, W].
    """
    way = pixels - _baseline(pixels, settings)
    total = np.zeros(pixels.shape, np.float64)
    shares = (np.arange(settings.steps) + 0.5) / settings.steps
    left = (1 - shares)[:, None, None, None, None].astype(pixels.dtype)
    size = together(settings.steps, room)
    for start in range(0, settings.steps, size):
        total += slopes(pixels - left[start : start + size] * way).sum(axis=0)
    maps: Heatmaps = (way * total / settings.steps).sum(axis=-1).astype(np.float32)
    return maps


def smooth_grad(
    slopes: Slopes, pixels: Pixels, settings: SmoothGrad, *, room: int = 1
) -> Heatmaps:
    """Smilkov et al. 2017, arXiv:1706.03825: the mean gradient at noisy copies.

    Every image meets the same noise, scaled by its own range, so that its map does not
    depend on the images beside it.

    Returns:
        Signed maps, summed over the colour channels, float32 [B, H, W].
    """
    random = np.random.default_rng(settings.seed)
    reach = np.ptp(pixels, axis=(1, 2, 3))[:, None, None, None]
    total = np.zeros(pixels.shape, np.float64)
    size = together(settings.samples, room)
    for _ in range(0, settings.samples, size):
        noise = random.standard_normal((size, 1, *pixels.shape[1:]), np.float32)
        noisy = pixels + settings.noise * reach * noise
        total += slopes(noisy.astype(pixels.dtype)).sum(axis=0)
    maps: Heatmaps = (total / settings.samples).sum(axis=-1).astype(np.float32)
    return maps


def occlusion(
    scores: Scores, pixels: Pixels, settings: Occlusion, *, room: int = 1
) -> Heatmaps:
    """Zeiler and Fergus 2014, arXiv:1311.2901, section 4.2: score minus covered score.

    Returns:
        Signed maps, float32 [B, cells, cells].
    """
    whole = scores(pixels[None])
    if settings.fill is None:
        fill = pixels.mean(axis=(1, 2), keepdims=True)
    else:
        fill = np.full((1, 1, 1, 1), settings.fill, np.float32)
    rows = windows(pixels.shape[1], settings)
    columns = windows(pixels.shape[2], settings)
    patches = [(vertical, horizontal) for vertical in rows for horizontal in columns]
    size = together(len(patches), room)
    falls = []
    for start in range(0, len(patches), size):
        covered = np.repeat(pixels[None], size, axis=0)
        for variant, patch in zip(covered, patches[start : start + size], strict=True):
            variant[:, patch[0], patch[1]] = fill
        falls.append(whole - scores(covered))
    cells = np.concatenate(falls).T.reshape(-1, settings.cells, settings.cells)
    return np.ascontiguousarray(cells, np.float32)


def windows(length: int, settings: Occlusion) -> list[slice]:
    """The pixels that are covered around the centre of each cell, cut at the border."""
    cell = length / settings.cells
    half = settings.window * cell / 2
    centres = (np.arange(settings.cells) + 0.5) * cell
    starts = np.clip(np.round(centres - half), 0, length - 1).astype(int)
    ends = np.clip(np.round(centres + half), starts + 1, length).astype(int)
    return [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]

"""A layer's cells -> how far from the pixels that they see their map is drawn.

Maps are drawn evenly over the picture. Without padding, or where a stride drops the
last rows, the cells at the border see pixels farther inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras import layers

from tessera.explain.graph import Graph, Key, Step, needed

SLIDING = (
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
)
"""Layers whose window moves over their input."""


@dataclass(frozen=True)
class Axis:
    """One side of a map: its cell i is centred on pixel `stride * i + first`."""

    size: int
    stride: float
    first: float


def astray(graph: Graph, place: Key) -> tuple[float, float]:
    """How far a cell is drawn from the middle of the pixels that it sees, at most.

    Args:
        graph: The model, with images of a fixed size.
        place: A layer's output [N, h, w, C].

    Returns:
        The distance in pixels and in cells of the drawn map, along the side where it
        is the larger share of a cell; 0 where a layer's way of moving is not known.
    """
    found = _axes(graph, place)
    gaps = [
        (abs(axis.stride * i + axis.first - ((i + 0.5) * cell - 0.5)), cell)
        for axis, pixels in zip(found, graph.shape, strict=False)
        if pixels is not None
        for cell in (pixels / axis.size,)
        for i in (0, axis.size - 1)
    ]
    return max(((gap, gap / cell) for gap, cell in gaps), key=_share, default=(0, 0))


def _share(gap: tuple[float, float]) -> float:
    return gap[1]


def _axes(graph: Graph, place: Key) -> Sequence[Axis]:
    """Both sides of a value; none where they are not known."""
    height, width = graph.shape[0], graph.shape[1]
    if height is None or width is None:
        return ()
    known: dict[Key, Sequence[Axis]] = {
        graph.pixels: (Axis(height, 1, 0), Axis(width, 1, 0))
    }
    for step in needed(graph, [graph.pixels], [place])[0]:
        before = next((known[k] for k in step.inputs if known.get(k)), ())
        known |= dict.fromkeys(step.outputs, _after(step, before))
    return known.get(place, ())


def _after(step: Step, before: Sequence[Axis]) -> Sequence[Axis]:
    operation = step.operation
    if isinstance(operation, SLIDING):
        after = [_slid(operation, i, axis) for i, axis in enumerate(before)]
    elif isinstance(operation, layers.ZeroPadding2D):
        after = _widened(before, operation.padding, 1)
    elif isinstance(operation, layers.Cropping2D):
        after = _widened(before, operation.cropping, -1)
    elif isinstance(operation, layers.Reshape | layers.Permute):
        return ()
    else:
        after = list(before)
    sizes = tuple(axis.size for axis in after)
    return after if sizes == step.shapes[0][:2] else ()


def _slid(layer: Any, i: int, axis: Axis) -> Axis:
    window = getattr(layer, "kernel_size", None) or layer.pool_size
    reach = (window[i] - 1) * getattr(layer, "dilation_rate", (1, 1))[i]
    step = layer.strides[i]
    if layer.padding == "same":
        size = -(-axis.size // step)
        padded = max((size - 1) * step + reach + 1 - axis.size, 0) // 2
    else:
        size, padded = (axis.size - reach - 1) // step + 1, 0
    first = axis.first + axis.stride * (reach / 2 - padded)
    return Axis(size, axis.stride * step, first)


def _widened(before: Sequence[Axis], edges: Any, sign: int) -> list[Axis]:
    return [
        Axis(
            axis.size + sign * (start + end),
            axis.stride,
            axis.first - sign * axis.stride * start,
        )
        for axis, (start, end) in zip(before, edges, strict=False)
    ]

"""A layer's name -> the map or tokens it gives, the grid they lie on, or why not."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.explain.graph import CoarseGrid, ExplainError, Graph, Key, Step, connects

SMALLEST_GRID = 4
"""Cells per side below which a map says nothing about place."""

COMFORTABLE_GRID = 8
"""Cells per side below which a map comes with a caution."""

ASTRAY = 0.5
"""Cells between a cell's drawn place and what it sees from which a caution says so."""

LISTED = 24
"""Layers that a message names, at most."""

Grid = tuple[int, int]
"""Cells of a map: (height, width)."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where a model is explained: one layer's output, seen as a grid of cells."""

    path: str
    key: Key
    shape: tuple[int | None, ...]
    """Of the layer's output, without the batch: (h, w, C) or (T, D)."""
    grid: Grid | None = None
    """The cells of a token layer, row by row; None for a map."""
    leading: int = 0
    """Tokens before the first cell, such as a class token."""

    def as_maps(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """A layer's output, or its gradient, as maps [N, h, w, C]."""
        values = np.asarray(values, np.float32)
        if self.grid is None:
            return values
        cells = values[:, self.leading :]
        maps: NDArray[np.float32] = cells.reshape(len(cells), *self.grid, -1)
        return maps


def candidates(graph: Graph) -> dict[str, tuple[int | None, ...]]:
    """Layers that a model can be explained at, with the shape of each.

    Maps are (h, w, C). Tokens are (T, D), and need their grid to be stated.
    """
    return {step.path: step.shapes[0] for step in _usable(graph)}


def find(
    graph: Graph, layer: str | None, *, grid: Grid | None = None, leading: int = 0
) -> Place:
    """The place that a name means; None: the last map before the paths part.

    Args:
        graph: The model.
        layer: Name, or path into nested models such as `backbone/conv5`.
        grid: (h, w) of a token layer [N, T, D]; never guessed.
        leading: Tokens before the first cell, which belong to no place.

    Raises:
        ExplainError: No such layer, no map, a grid or leading tokens of a map, or
            tokens that do not fill the grid.
        CoarseGrid: The grid has fewer than 4x4 cells.
    """
    place = default(graph) if layer is None else _named(graph, layer, grid, leading)
    if place.grid is None and (grid is not None or leading):
        raise ExplainError(
            f"grid, leading: expected neither for {place.path!r}, whose output is a "
            f"map already. Received: {grid} and {leading}. For tokens, give the name "
            "of their layer."
        )
    return place


def default(graph: Graph) -> Place:
    """The last map of at least 4x4 cells through which every path to the logits runs.

    Of a hybrid it is the map that both branches share. Layers that only rearrange are
    passed over: their cells lie beside those of the image, or are none.

    Raises:
        CoarseGrid: Every such map has fewer cells.
        ExplainError: There is no such map.
    """
    shared = [
        step
        for step in _usable(graph)
        if len(step.shapes[0]) == 3
        and not isinstance(step.operation, _REARRANGING)
        and connects(graph, step.outputs, [graph.logits])
    ]
    for step in reversed(shared):
        height, width, _ = step.shapes[0]
        if height is None or width is None or min(height, width) >= SMALLEST_GRID:
            return _map(step)
    if not shared and not candidates(graph):
        raise ExplainError(
            f"model {graph.net.name!r}: expected a layer whose output is a map (height "
            "x width x channels) or tokens. Received: none; integrated gradients, "
            "SmoothGrad and occlusion explain the pixels and need no layer."
        )
    if not shared:
        raise ExplainError(
            "layer: expected the name of one, since no map is shared by all paths to "
            f"the logits.\n{_listing(graph)}"
        )
    height, width = max((step.shapes[0][:2] for step in shared), key=_finest)
    raise CoarseGrid(
        f"layer: expected a map of at least {SMALLEST_GRID} x {SMALLEST_GRID} cells, "
        f"since fewer cannot show a place. The finest is {height} x {width}: the "
        "images are too small for this model."
    )


_REARRANGING = (
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
    keras.layers.Reshape,
    keras.layers.Permute,
    keras.layers.InputLayer,
)


def check_grid(layer: str, height: int, width: int) -> None:
    """Refuse a grid on which a place cannot be told.

    Raises:
        CoarseGrid: A side has fewer than 4 cells.
    """
    if min(height, width) < SMALLEST_GRID:
        raise CoarseGrid(
            f"layer {layer!r}: expected a grid of at least {SMALLEST_GRID} x "
            f"{SMALLEST_GRID} cells, since fewer cannot show a place. Received: "
            f"{height} x {width}. Choose an earlier layer, or larger images."
        )


def _usable(graph: Graph) -> Iterator[Step]:
    for step in graph.steps:
        if len(step.outputs) == 1 and len(step.shapes[0]) in (2, 3):
            yield step


def _named(graph: Graph, layer: str, grid: Grid | None, leading: int) -> Place:
    step = next((s for s in _usable(graph) if s.path == layer), None)
    if step is None:
        raise ExplainError(_no_such_layer(graph, layer))
    if len(step.shapes[0]) == 2:
        grid = stated(step, grid, leading)
        return Place(step.path, step.outputs[0], step.shapes[0], grid, leading)
    height, width, _ = step.shapes[0]
    if height is not None and width is not None:
        check_grid(layer, height, width)
    return _map(step)


def _map(step: Step) -> Place:
    return Place(step.path, step.outputs[0], step.shapes[0])


def stated(step: Step, grid: Grid | None, leading: int) -> Grid:
    """The grid that was stated for a step's tokens, if they fill it.

    Raises:
        ExplainError: None was stated, or another number of tokens.
        CoarseGrid: It has fewer than 4x4 cells.
    """
    tokens = step.shapes[0][0]
    if grid is None:
        raise ExplainError(
            f"layer {step.path!r}: its output is {tokens} tokens, whose places cannot "
            "be told from their number. State the grid, row by row: "
            "grid=(height, width), and leading=1 for one class token before it."
        )
    numbers = (*grid, leading) if isinstance(grid, tuple | list) else ()
    if len(numbers) != 3 or not all(isinstance(n, Integral) for n in numbers):
        raise ExplainError(
            "grid, leading: expected (height, width) in cells and a number of tokens. "
            f"Received: {grid!r} and {leading!r}."
        )
    height, width = grid
    check_grid(step.path, height, width)
    if leading < 0 or (tokens is not None and leading + height * width != tokens):
        raise ExplainError(
            f"grid: expected height x width + {leading} leading to be the {tokens} "
            f"tokens of {step.path!r}. Received: {height} x {width} + {leading} = "
            f"{leading + height * width}."
        )
    return grid


def _no_such_layer(graph: Graph, layer: str) -> str:
    known = candidates(graph)
    inside = [path for path in known if path.endswith(f"/{layer}")]
    close = inside[:3] or difflib.get_close_matches(str(layer), known, n=3)
    hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
    return (
        "layer: expected one whose output is a map (height x width x channels) or "
        f"tokens (number x width).\n{_listing(graph)}\nReceived: {layer!r}.{hint}"
    )


def _listing(graph: Graph) -> str:
    """The last candidates that are fine enough, one a line."""
    known = {name: s for name, s in candidates(graph).items() if not _coarse(s)}
    lines = [
        f"  {name}: {' x '.join('?' if n is None else str(n) for n in shape)}"
        + (" (tokens)" if len(shape) == 2 else "")
        for name, shape in list(known.items())[-LISTED:]
    ]
    earlier = len(known) - len(lines)
    return "\n".join([f"  and {earlier} before them"] * bool(earlier) + lines)


def _finest(sides: tuple[int | None, ...]) -> int:
    return min(side or 0 for side in sides)


def _coarse(shape: tuple[int | None, ...]) -> bool:
    return len(shape) == 3 and any(
        n is not None and n < SMALLEST_GRID for n in shape[:2]
    )

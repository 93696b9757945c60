"""A map -> the order of its cells, and cells -> the pixels they stand for.

Orders are ranks, never thresholds: a map with many equal cells loses exactly as many
of them as asked for, with ties broken by a seeded draw.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps

Ranks: TypeAlias = NDArray[np.int64]
"""Place of each cell, 0 for the largest, every place once, int64 [N, h, w]."""

Masks: TypeAlias = NDArray[np.bool_]
"""Pixels that are meant, bool [N, H, W]."""


def ranks(maps: Heatmaps, *, seed: int) -> Ranks:
    """Places of the cells by falling value; NaN comes last.

    Args:
        maps: float [N, h, w].
        seed: Decides the order of equal cells, image by image.
    """
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    flat = np.where(np.isnan(flat), -np.inf, flat)
    ties = np.random.default_rng(seed).random(flat.shape)
    order = np.lexsort((ties, -flat), axis=1)
    places = np.empty(flat.shape, np.int64)
    np.put_along_axis(places, order, np.arange(flat.shape[1])[None], axis=1)
    return places.reshape(maps.shape)


def to_pixels(cells: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Give every pixel the value of the cell it lies in, [N, h, w] -> [N, H, W].

    Pixel i of H lies in cell floor(i h / H): each cell of a grid that divides the
    image covers the same square.
    """
    rows = np.arange(height) * cells.shape[1] // height
    columns = np.arange(width) * cells.shape[2] // width
    pixels: NDArray[Any] = cells[:, rows[:, None], columns[None, :]]
    return pixels


def to_cells(pixels: NDArray[Any], height: int, width: int) -> NDArray[np.float64]:
    """Mean of each cell's pixels, [N, H, W] -> float64 [N, h, w]."""
    rows, columns = (
        _membership(pixels.shape[axis], cells)
        for axis, cells in ((1, height), (2, width))
    )
    means: NDArray[np.float64] = np.einsum("hH,nHW,wW->nhw", rows, pixels, columns)
    return means


def _membership(pixels: int, cells: int) -> NDArray[np.float64]:
    inside = np.arange(pixels) * cells // pixels == np.arange(cells)[:, None]
    shares: NDArray[np.float64] = inside / inside.sum(axis=1, keepdims=True)
    return shares


def counts(cells: int, steps: int) -> NDArray[np.int64]:
    """Whole numbers of cells from none to all in about equal steps, each once.

    Args:
        cells: Cells of the grid.
        steps: Steps wanted; `cells` or more: one cell at a time.
    """
    return np.unique(np.rint(np.linspace(0, cells, steps + 1)).astype(np.int64))

"""Maps that know nothing of the model, which a method has to beat.

Each is a function like a method's: (images, classes) -> maps. `class mean` knows the
method but not the image: the mean display map of other images of the class.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tessera import overlay
from tessera.arrays import Heatmaps, Labels
from tessera.explain.faithfulness.answers import Maps
from tessera.explain.faithfulness.ranking import to_cells

UNIFORM, RANDOM, CENTRE = "uniform", "random", "centred Gaussian"
EDGES, CLASS_MEAN = "Sobel edges", "class mean"

NAMES = (UNIFORM, RANDOM, CENTRE, EDGES, CLASS_MEAN)

WIDTH = 1 / 4
"""Deviation of the centred Gaussian, as a share of the map's side."""


@dataclass(frozen=True)
class Grid:
    """Cells of the maps that the controls must have."""

    height: int
    width: int


def controls(
    grid: Grid, class_maps: NDArray[np.float32], *, seed: int
) -> dict[str, Maps]:
    """All controls on a grid, by name.

    Args:
        grid: The method's.
        class_maps: See `class_means`, float32 [K, h, w].
        seed: Decides the random maps.
    """
    return {
        UNIFORM: lambda images, _: uniform(len(images), grid),
        RANDOM: lambda images, targets: random(images, targets, grid, seed=seed),
        CENTRE: lambda images, _: centre(len(images), grid),
        EDGES: lambda images, _: edges(images, grid),
        CLASS_MEAN: lambda _, targets: class_maps[targets],
    }


def uniform(images: int, grid: Grid) -> Heatmaps:
    """Ones: every order of the cells is as good as any other."""
    return np.ones((images, grid.height, grid.width), np.float32)


def random(images: NDArray[Any], targets: Labels, grid: Grid, *, seed: int) -> Heatmaps:
    """Independent uniform numbers, drawn anew when the images or classes change."""
    content = (zlib.crc32(np.ascontiguousarray(x).data) for x in (images, targets))
    shape = (len(images), grid.height, grid.width)
    return np.random.default_rng([seed, *content]).random(shape, dtype=np.float32)


def centre(images: int, grid: Grid) -> Heatmaps:
    """A bell in the middle: photographers centre their objects."""
    rows, columns = (
        np.exp(-(((np.arange(n) + 0.5) / n - 0.5) ** 2) / (2 * WIDTH**2))
        for n in (grid.height, grid.width)
    )
    bell = np.outer(rows, columns).astype(np.float32)
    return np.repeat(bell[None], images, axis=0)


def edges(images: NDArray[Any], grid: Grid) -> Heatmaps:
    """Sobel gradient magnitude of the mean channel, averaged over each cell."""
    grey = images.astype(np.float32).mean(axis=-1)
    across, down = _slope(grey, along=2, over=1), _slope(grey, along=1, over=2)
    strength = np.hypot(across, down)
    return to_cells(strength, grid.height, grid.width).astype(np.float32)


def _slope(grey: NDArray[Any], *, along: int, over: int) -> NDArray[Any]:
    # ndimage.sobel would smooth over every other axis, and so over the images.
    slope = ndimage.correlate1d(grey, [-1, 0, 1], axis=along, mode="nearest")
    smooth: NDArray[Any] = ndimage.correlate1d(
        slope, [1, 2, 1], axis=over, mode="nearest"
    )
    return smooth


def class_means(maps: Heatmaps, targets: Labels, classes: int) -> NDArray[np.float32]:
    """Mean display map of each class over images that are not measured.

    Args:
        maps: A method's signed maps, float [N, h, w].
        targets: The class each speaks for, int [N].
        classes: Number of classes K.

    Returns:
        float32 [K, h, w]; a class without maps gets the mean over all.
    """
    shown = np.stack([overlay.display(raw) for raw in maps])
    found = [shown[targets == k] for k in range(classes)]
    overall = shown.mean(axis=0)
    return np.stack([part.mean(axis=0) if len(part) else overall for part in found])

"""One explained image -> a picture: the image, its map in cells, and both together."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tessera import files, overlay
from tessera.data.entries import shown

if TYPE_CHECKING:  # a study's workers import this module, and never draw
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 256
"""Least pixels per side of the enlarged image; the magnification is a whole number."""


@dataclass(frozen=True, eq=False)
class Panel:
    """What a picture shows."""

    title: str
    caption: str
    """Method, layer and grid, and what else a reader must know."""
    image: NDArray[np.uint8]
    """uint8 [H, W, C]."""
    raw: NDArray[np.float32]
    """The signed map, float32 [h, w]."""
    reason: str
    """Why the map is blank, or empty."""


def draw(panel: Panel) -> "Figure":
    """Image, cells and overlay side by side, with a bar in units of the raw map."""
    from matplotlib.figure import Figure

    magnification = overlay.magnified(panel.image, SIDE)
    image = overlay.enlarge(panel.image, magnification=magnification)
    cells = overlay.cells(panel.raw, *image.shape[:2])
    smooth = overlay.overlay(panel.image, panel.raw, magnification=magnification)
    figure = Figure(figsize=(9.6, 3.9), dpi=100, layout="constrained")
    figure.suptitle(shown(panel.title), fontsize=12, parse_math=False)
    figure.supxlabel(panel.caption, fontsize=8, parse_math=False)
    axes = figure.subplots(1, 3)
    height, width = panel.raw.shape
    names = ("image", f"map, {height} x {width} cells", "smoothed, over the image")
    for part, pixels, name in zip(axes, (image, cells, smooth), names, strict=True):
        part.imshow(pixels, interpolation="nearest")
        part.set_title(name, fontsize=9)
        part.set(xticks=[], yticks=[])  # or they would be laid out, unseen
        part.set_axis_off()
    if panel.reason:
        _say_blank(axes[1], panel.reason)
    else:
        _add_bar(figure, axes[2], float(panel.raw.max()))
    return figure


def save(path: Path, figure: "Figure") -> None:
    """Write a figure as PNG, atomically."""
    with files.replacing(path) as temporary:
        write(figure, temporary)


def write(figure: "Figure", target: Path | IO[bytes]) -> None:
    """Write a figure as PNG; a letter that the font lacks is a box."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(target, format="png")


def _say_blank(axes: "Axes", reason: str) -> None:
    axes.text(
        0.5,
        0.5,
        f"blank: {reason}",
        color="white",
        backgroundcolor="black",
        ha="center",
        va="center",
        transform=axes.transAxes,
        fontsize=9,
    )


def _add_bar(figure: "Figure", axes: "Axes", largest: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(0, largest), overlay.COLOURS)
    bar = figure.colorbar(scale, ax=axes, fraction=0.05)
    bar.set_label("evidence for the class (raw units)", fontsize=8)
    bar.ax.tick_params(labelsize=8)

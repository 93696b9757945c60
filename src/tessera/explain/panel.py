"""One explained image -> a picture: the image, its map in cells, and both together."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tessera import files, overlay
from tessera.data.entries import shown

if TYPE_CHECKING:  # a study's workers import this module, and never draw
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
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
    from matplotlib.colors import Normalize

    magnification = overlay.magnified(panel.image, SIDE)
    image = overlay.enlarge(panel.image, magnification=magnification)
    cells = overlay.cells(panel.raw, *image.shape[:2])
    smooth = overlay.overlay(panel.image, panel.raw, magnification=magnification)
    height, width = panel.raw.shape
    names = ("image", f"map, {height} x {width} cells", "smoothed, over the image")
    pictures = dict(zip(names, (image, cells, smooth), strict=True))
    figure, axes = side_by_side(panel.title, panel.caption, pictures)
    if panel.reason:
        _say_blank(axes[1], panel.reason)
    else:
        scale = Normalize(0, float(panel.raw.max()))
        add_bar(axes[2], scale, overlay.COLOURS, "evidence for the class (raw units)")
    return figure


def side_by_side(
    title: str, caption: str, pictures: Mapping[str, overlay.Pixels]
) -> "tuple[Figure, list[Axes]]":
    """Pictures by their names, in a row with room for a bar behind the last.

    Every place is given: to let them be found takes as long as to draw the figure.
    """
    from matplotlib.figure import Figure

    width = 1.2 + 2.8 * len(pictures)
    figure = Figure(figsize=(width, 3.9), dpi=100)
    figure.suptitle(shown(title), fontsize=12, parse_math=False)
    figure.supxlabel(caption, fontsize=8, parse_math=False)
    axes = list(figure.subplots(1, len(pictures)))
    figure.subplots_adjust(
        left=0.1 / width, right=1 - 1.0 / width, bottom=0.08, top=0.86, wspace=0.03
    )
    for part, (name, pixels) in zip(axes, pictures.items(), strict=True):
        part.imshow(pixels, interpolation="nearest")
        part.set_title(name, fontsize=9, parse_math=False)
        part.set_axis_off()
    return figure, axes


def add_bar(axes: "Axes", scale: "Normalize", colours: str, label: str) -> None:
    """A bar of the colours behind a picture, as high as it is."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import ScalarFormatter

    numbers = ScalarFormatter()
    numbers.set_powerlimits((-2, 4))  # or small ones leave the picture
    place = axes.inset_axes((1.03, 0, 0.05, 1))
    bar = axes.figure.colorbar(
        ScalarMappable(scale, colours), cax=place, format=numbers
    )
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.ax.yaxis.get_offset_text().set_fontsize(8)


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

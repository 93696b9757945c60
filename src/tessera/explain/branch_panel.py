"""One image's branch maps -> a picture: the image, each branch, and their sum, signed.

All three maps share one scale around zero, so that what a branch adds can be compared
with what the other takes away.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tessera import overlay
from tessera.data.entries import shown
from tessera.explain import panel

COLOURS = "PuOr_r"
"""Purple against, white nothing, orange for; told apart with any colour vision."""


@dataclass(frozen=True, eq=False)
class BranchPanel:
    """What a picture of two branches shows."""

    title: str
    caption: str
    image: NDArray[np.uint8]
    """uint8 [H, W, C]."""
    names: tuple[str, str]
    raw: NDArray[np.float32]
    """Signed maps of the branches, float32 [2, h, w]."""


def signed(
    raw: NDArray[np.float32], reach: float, height: int, width: int
) -> overlay.Pixels:
    """Hard-edged cells coloured from -reach to reach, uint8 [height, width, 3]."""
    finite = np.nan_to_num(raw, nan=0.0, posinf=reach, neginf=-reach)
    shares = 0.5 + 0.5 * finite / (reach if reach > 0 else 1.0)
    return overlay.blocks(np.clip(shares, 0, 1), height, width, colours=COLOURS)


def draw(content: BranchPanel) -> Figure:
    """Image, both branches and their sum side by side, with one bar for all maps."""
    image = overlay.enlarge(
        content.image, magnification=overlay.magnified(content.image, panel.SIDE)
    )
    total = content.raw.sum(axis=0)
    maps = (*content.raw, total)
    reach = float(max(np.abs(part).max() for part in maps))
    figure = Figure(figsize=(12.4, 3.9), dpi=100, layout="constrained")
    figure.suptitle(shown(content.title), fontsize=12, parse_math=False)
    figure.supxlabel(content.caption, fontsize=8, parse_math=False)
    axes = figure.subplots(1, 4)
    pictures = [image, *(signed(part, reach, *image.shape[:2]) for part in maps)]
    names = ("image", *(f"through {name}" for name in content.names), "their sum")
    for part, pixels, name in zip(axes, pictures, names, strict=True):
        part.imshow(pixels, interpolation="nearest")
        part.set_title(name, fontsize=9, parse_math=False)
        part.set(xticks=[], yticks=[])  # or they would be laid out, unseen
        part.set_axis_off()
    if reach > 0:
        bar = figure.colorbar(
            ScalarMappable(Normalize(-reach, reach), COLOURS), ax=axes[3], fraction=0.05
        )
        bar.set_label("for (+) and against (-), raw units", fontsize=8)
        bar.ax.tick_params(labelsize=8)
    return figure

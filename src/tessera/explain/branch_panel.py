"""One image's branch maps -> a picture: the image, each branch, and their sum, signed.

All three maps share one scale around zero, so that what a branch adds can be compared
with what the other takes away.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tessera import overlay
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
    pixels = (image, *(signed(part, reach, *image.shape[:2]) for part in maps))
    names = ("image", *(f"through {name}" for name in content.names), "their sum")
    pictures = dict(zip(names, pixels, strict=True))
    figure, axes = panel.side_by_side(content.title, content.caption, pictures)
    if reach > 0:
        scale, label = Normalize(-reach, reach), "for (+) and against (-), raw units"
        panel.add_bar(axes[3], scale, COLOURS, label)
    return figure

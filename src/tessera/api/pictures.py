"""Whatever a user calls images -> pixels of the size that a model takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images
from tessera.data import decode
from tessera.data.dataset import DataError

Source: TypeAlias = str | Path | Iterable[str | Path] | NDArray[Any]
"""Image files, folders of them, or pixels uint8 [N, H, W, 3] of any size."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images that could be read, and files that could not."""

    names: tuple[str, ...]
    """Paths, or positions in an array."""
    pixels: Images
    """uint8 [N, S, S, 3]."""
    refused: tuple[tuple[str, str], ...]
    """Each with the reason."""


def read(images: Source, size: int) -> Pictures:
    """Read images and bring them to the model's size.

    Args:
        images: Files, folders or an array.
        size: Height and width the model takes, in pixels.

    Raises:
        DataError: There are none that could be read, or the array holds no pixels.
    """
    if isinstance(images, np.ndarray):
        return _from_array(images, size)
    from tessera import answers

    paths = [images] if isinstance(images, str | Path) else images
    names, pixels, refused = [], [], []
    for path in answers.files_of(map(Path, paths)):
        if isinstance(path, answers.Refused):
            refused.append((str(path.path), path.reason))
            continue
        try:
            pixels.append(decode.read(path, size))
            names.append(str(path))
        except decode.Unreadable as error:
            refused.append((str(path), str(error)))
    if not pixels:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused)
        raise DataError(
            f"images: expected at least one that can be read. Received: "
            f"{reasons or 'none'}."
        )
    return Pictures(tuple(names), np.stack(pixels), tuple(refused))


def _from_array(images: NDArray[Any], size: int) -> Pictures:
    if images.dtype != np.uint8 or images.shape[3:] != (3,) or not len(images):
        raise DataError(
            "images: expected paths, or pixels 0..255, uint8 [N, H, W, 3]. "
            f"Received: {images.dtype} {list(images.shape)}."
        )
    names = tuple(str(position) for position in range(len(images)))
    return Pictures(names, decode.resized(images, size), ())

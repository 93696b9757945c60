"""Whatever a user calls images -> pixels of the size that a model takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tessera.arrays import Images
from tessera.data import decode
from tessera.data.dataset import DataError

One: TypeAlias = str | Path | Image.Image
"""An image file, a folder of them, or an image that Pillow opened."""

Source: TypeAlias = One | Iterable[One] | NDArray[Any]
"""One or several, or pixels uint8 [N, H, W, 3] of any size."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images that could be read, and files that could not."""

    names: tuple[str, ...]
    """Paths; positions of what has none."""
    pixels: Images
    """uint8 [N, S, S, 3]."""
    refused: tuple[tuple[str, str], ...]
    """Each with the reason."""


def read(images: Source, size: int) -> Pictures:
    """Read images and bring them to the model's size.

    Args:
        images: Files, folders, Pillow images or an array.
        size: Height and width the model takes, in pixels.

    Raises:
        DataError: There are none that could be read, the array holds no pixels, or it
            is something else.
    """
    if isinstance(images, np.ndarray):
        return _from_array(images, size)
    names, pixels, refused = [], [], []
    for name, found in _each(images, size):
        if isinstance(found, str):
            refused.append((name, found))
        else:
            names.append(name)
            pixels.append(found)
    if not pixels:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused)
        raise DataError(
            f"images: expected at least one that can be read. Received: "
            f"{reasons or 'none'}."
        )
    return Pictures(tuple(names), np.stack(pixels), tuple(refused))


def _each(images: Source, size: int) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
    """The name of each image with its pixels, or with the reason why it has none."""
    from tessera import answers

    if isinstance(images, One) or not isinstance(images, Iterable):
        images = [images]
    for position, item in enumerate(images):
        if isinstance(item, Image.Image):
            yield str(position), _of_pillow(item, size)
            continue
        if not isinstance(item, str | Path):
            raise DataError(
                "images: expected paths, Pillow images, or one array. Received: "
                f"{type(item).__name__}."
            )
        for path in answers.files_of([Path(item)]):
            if isinstance(path, answers.Refused):
                yield str(path.path), path.reason
                continue
            try:
                yield str(path), decode.read(path, size)
            except decode.Unreadable as error:
                yield str(path), str(error)


def _of_pillow(image: Image.Image, size: int) -> NDArray[np.uint8] | str:
    """Its pixels by the rule of files, uint8 [size, size, 3], or why it has none."""
    if 0 in image.size:  # cut out beside the picture, say
        return f"{image.width} x {image.height} pixels hold nothing"
    try:
        return decode.of_opened(image, size)
    except OSError as error:  # Pillow reads a file's pixels when they are asked for
        return str(error)
    # Of a broken file, or one closed before, it does so with errors of every kind.
    except Exception as error:
        return f"no pixels, as where a file is closed before they are read: {error!r}"


def _from_array(images: NDArray[Any], size: int) -> Pictures:
    if images.dtype != np.uint8 or images.shape[3:] != (3,) or 0 in images.shape:
        raise DataError(
            "images: expected paths, Pillow images, or pixels 0..255, uint8 "
            f"[N, H, W, 3]. Received: {images.dtype} {list(images.shape)}."
        )
    names = tuple(str(position) for position in range(len(images)))
    return Pictures(names, decode.resized(images, size), ())

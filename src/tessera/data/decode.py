"""An image file into RGB pixels of one size, by the rule in `docs/methods.md`."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from tessera.arrays import Images

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""What Pillow may try; no other decoder ever sees a file's bytes."""

MAX_PIXELS = 89_478_485
"""Above this an image is refused: Pillow's own bound (a quarter GiB of RGB)."""

VERSION = 1
"""Raised whenever the rule changes, so that no cache mixes two rules."""


class Unreadable(Exception):
    """A file that is no image this package reads; the message is the reason."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded file."""

    pixels: NDArray[np.uint8]
    """RGB, uint8 [S, S, 3]."""
    size: tuple[int, int]
    """Width and height in the file, before any rotation."""


def read(path: Path, size: int) -> NDArray[np.uint8]:
    """The pixels of one file, uint8 [size, size, 3]; see `picture`.

    Raises:
        Unreadable: The file cannot be decoded whole; the message says why.
    """
    return picture(path, size).pixels


def picture(path: Path, size: int) -> Picture:
    """Decode one file.

    Args:
        path: A JPEG, PNG, WebP, BMP or GIF file; its content decides, not its name.
        size: Height and width of the result, in pixels.

    Raises:
        Unreadable: The file cannot be decoded whole; the message says why.
    """
    try:
        return _decode(path, size, MAX_PIXELS)
    except UnidentifiedImageError:
        reason = "not a JPEG, PNG, WebP, BMP or GIF image"
        raise Unreadable(reason if path.stat().st_size else "an empty file") from None
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error


def from_bytes(content: bytes, size: int, *, limit: int = MAX_PIXELS) -> Picture:
    """Decode the content of one file by the same rule.

    Args:
        content: Of a JPEG, PNG, WebP, BMP or GIF file.
        size: Height and width of the result, in pixels.
        limit: Pixels above which it is refused before any is decoded.

    Raises:
        Unreadable: It cannot be decoded whole; the message says why.
    """
    try:
        return _decode(io.BytesIO(content), size, limit)
    except UnidentifiedImageError:
        reason = "not a JPEG, PNG, WebP, BMP or GIF image"
        raise Unreadable(reason if content else "an empty file") from None
    except OSError as error:
        raise Unreadable(str(error)) from error


def _decode(source: Path | io.BytesIO, size: int, limit: int) -> Picture:
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > limit:
                raise Unreadable(
                    f"{image.width} x {image.height} pixels are more than the "
                    f"{limit:,} allowed"
                )
            stored = image.size
            ImageOps.exif_transpose(image, in_place=True)
            return Picture(np.asarray(square(to_rgb(image), size)), stored)
    except (Unreadable, OSError):  # UnidentifiedImageError is an OSError
        raise
    # Decoders meet broken files with errors of every kind; each means the same here.
    except Exception as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB: 16 bits to the high 8, transparency over white."""
    if image.mode.startswith("I"):
        return _high_byte(image).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _high_byte(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        values = np.where(values == clear, 0xFFFF, values)
    return Image.fromarray((np.clip(values, 0, 0xFFFF) >> 8).astype(np.uint8))


def square(image: Image.Image, size: int) -> Image.Image:
    """The whole picture in size x size pixels: bilinear, antialiased when it shrinks.

    Proportions are not kept, so nothing is cut off and no border is invented. An
    image that already has the size comes back unchanged.
    """
    if image.size == (size, size):
        return image
    return image.resize((size, size), Image.Resampling.BILINEAR)


def resized(images: Images, size: int) -> Images:
    """`square` for images in memory, uint8 [N, H, W, 3] to [N, size, size, 3]."""
    if images.shape[1:3] == (size, size):
        return images
    return np.stack(
        [np.asarray(square(Image.fromarray(image), size)) for image in images]
    )

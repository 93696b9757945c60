"""An image file into RGB pixels of one size, by the rule in `docs/methods.md`."""

import io
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from tessera.arrays import Images

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""What Pillow may try; no other decoder ever sees a file's bytes."""

MAX_PIXELS = 89_478_485
"""Above this an image is refused: Pillow's own bound (a quarter GiB of RGB)."""

MAX_BYTES = 2**29
"""A larger file is refused unopened; the largest allowed bitmap has 2/3 of this."""

STRIP = 2**20
"""Pixels, or at least one row, that are laid over white at a time."""

LARGE = 4_000_000
"""Pixels from which pictures are decoded one at a time, to bound the memory."""

VERSION = 2
"""Raised whenever the rule changes, so that no cache mixes two rules."""

GREY_STEPS = {"L;2": 85, "L;4": 17}
"""Pillow's names of grey in 2 and in 4 bits -> how far apart their levels are in 8."""


class Unreadable(Exception):
    """A file that is no image this package reads; the message is the reason."""


class Withheld(Unreadable):
    """The system did not hand the file over; the same file may be readable later."""


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


def picture(path: Path, size: int, *, alone: Executor | None = None) -> Picture:
    """Decode one file.

    Args:
        path: A JPEG, PNG, WebP, BMP or GIF file; its content decides, not its name.
        size: Height and width of the result, in pixels.
        alone: Decodes large pictures, one at a time if it has one thread; None: this
            thread decodes them.

    Raises:
        Withheld: The system refused to read it; the message says why.
        Unreadable: The file cannot be decoded whole; the message says why.
    """
    try:
        _check_size(path)
        return _opened(path, size, MAX_PIXELS, alone)
    except UnidentifiedImageError:
        raise Unreadable("not a JPEG, PNG, WebP, BMP or GIF image") from None
    except OSError as error:
        if error.errno is None:  # Pillow's, of the content
            raise Unreadable(str(error)) from error
        raise Withheld(error.strerror or str(error)) from error


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
        return _opened(io.BytesIO(content), size, limit)
    except UnidentifiedImageError:
        reason = "not a JPEG, PNG, WebP, BMP or GIF image"
        raise Unreadable(reason if content else "an empty file") from None
    except OSError as error:
        raise Unreadable(str(error)) from error


def _opened(
    source: Path | io.BytesIO, size: int, limit: int, alone: Executor | None = None
) -> Picture:
    try:
        with Image.open(source, formats=FORMATS) as image:
            pixels = image.width * image.height
            if pixels > limit:
                raise Unreadable(
                    f"{image.width} x {image.height} pixels are more than the "
                    f"{limit:,} allowed"
                )
            if alone is not None and pixels > LARGE:
                return alone.submit(_decode, image, size).result()
            return _decode(image, size)
    except (Unreadable, OSError):  # UnidentifiedImageError is an OSError
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(f"its pixels are more than the {limit:,} allowed") from None
    except MemoryError as error:
        raise Withheld("not enough memory to decode it") from error
    # Decoders meet broken files with errors of every kind; each means the same here.
    except Exception as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _check_size(path: Path) -> None:
    length = path.stat().st_size
    if not length:
        raise Unreadable("an empty file")
    if length > MAX_BYTES:
        raise Unreadable(f"{length:,} bytes are more than the {MAX_BYTES:,} allowed")


def _decode(image: Image.Image, size: int) -> Picture:
    with closing(image):
        stored = image.size
        return Picture(of_opened(image, size, ours=True), stored)


def of_opened(
    image: Image.Image, size: int, *, ours: bool = False
) -> NDArray[np.uint8]:
    """The pixels of an image that Pillow opened, by the rule of files.

    Args:
        image: Its pixels are loaded, and a transparent colour gets their 8 bits. An
            image whose pixels were loaded before no longer knows its file's bits: the
            colour is taken as it stands.
        size: Height and width of the result, in pixels.
        ours: Whether it may be turned upright itself, which saves a copy.

    Returns:
        RGB, uint8 [size, size, 3].

    Raises:
        OSError: The pixels cannot be loaded.
    """
    _scale_transparent_colour(image)
    if ours:
        ImageOps.exif_transpose(image, in_place=True)
    else:
        image = ImageOps.exif_transpose(image)
    return np.asarray(square(to_rgb(image), size))


def _scale_transparent_colour(image: Image.Image) -> None:
    """Give PNG's transparent colour the 8 bits that Pillow gives its pixels.

    Pillow leaves it in the file's own bits. Of 16 bits, the high eight count here too.
    """
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    raw = tiles[0][3] if tiles else None
    colour = image.info.get("transparency")
    if isinstance(colour, int) and raw in GREY_STEPS:
        image.info["transparency"] = colour * GREY_STEPS[raw]
    elif isinstance(colour, tuple) and raw == "RGB;16B":
        image.info["transparency"] = tuple(value >> 8 for value in colour)


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB: 16 bits to the high 8, transparency over white."""
    if image.mode.startswith("I"):
        return _high_byte(image).convert("RGB")
    if image.has_transparency_data:
        return _over_white(image)
    return image.convert("RGB")


def _over_white(image: Image.Image) -> Image.Image:
    """In strips: large layers side by side would need four times as much."""
    flat = Image.new("RGB", image.size)
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        layered = image.crop((0, top, image.width, bottom)).convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        flat.paste(Image.alpha_composite(white, layered).convert("RGB"), (0, top))
    return flat


def _high_byte(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
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

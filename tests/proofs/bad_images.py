"""Files that a folder of images should not hold, and some that it strangely may."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

Fate = Literal["read", "refused", "either"]
Random = np.random.Generator
FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}


@dataclass(frozen=True)
class Bad:
    """A file's content and what must become of it."""

    kind: str
    suffix: str
    content: bytes
    fate: Fate


def files(count: int, *, seed: int) -> Iterator[Bad]:
    """As many bad files, of every kind in turn."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        yield KINDS[number % len(KINDS)](rng)


def noise(rng: Random, *, mode: str = "RGB", size: tuple[int, int] = (24, 20)) -> Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], channels)[: 3 if channels > 1 else 2]
    return Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8), mode=None)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, format=kind, **options)
    return content.getvalue()


def any_format(rng: Random) -> str:
    return list(FORMATS)[rng.integers(len(FORMATS))]


def truncated(rng: Random) -> Bad:
    kind = any_format(rng)
    whole = encoded(noise(rng, size=(64, 64)), kind)
    # The last tenth of a file may be a trailer that no picture needs.
    cut = int(rng.integers(1, len(whole) * 9 // 10))
    return Bad("truncated", FORMATS[kind], whole[:cut], "refused")


def empty(rng: Random) -> Bad:
    return Bad("zero bytes", FORMATS[any_format(rng)], b"", "refused")


def nulls(rng: Random) -> Bad:
    length = int(rng.integers(1, 5000))
    return Bad("only nulls", FORMATS[any_format(rng)], b"\0" * length, "refused")


def garbage(rng: Random) -> Bad:
    content = rng.bytes(int(rng.integers(1, 5000)))
    return Bad("random bytes", FORMATS[any_format(rng)], content, "refused")


def magic_and_garbage(rng: Random) -> Bad:
    magics = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM")
    head = magics[rng.integers(len(magics))]
    return Bad("a right beginning", "png", head + rng.bytes(300), "either")


def text(rng: Random) -> Bad:
    texts = (b"<html>", b"#!/bin/sh\ntouch canary\n", b"<svg xmlns='http'></svg>")
    return Bad("text", "jpg", texts[rng.integers(len(texts))], "refused")


def wrong_suffix(rng: Random) -> Bad:
    kind = any_format(rng)
    others = [suffix for name, suffix in FORMATS.items() if name != kind]
    suffix = others[rng.integers(len(others))]
    return Bad("a wrong extension", suffix, encoded(noise(rng), kind), "read")


def foreign_format(rng: Random) -> Bad:
    kind = ("TIFF", "PPM", "ICO", "TGA", "PDF", "EPS", "JPEG2000", "SGI")[
        rng.integers(8)
    ]
    return Bad("another format", "jpg", encoded(noise(rng), kind), "refused")


def bomb_bmp(rng: Random) -> Bad:
    side = int(rng.integers(9_500, 60_000))
    head = struct.pack("<2sIHHI", b"BM", 54, 0, 0, 54)
    info = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    return Bad("a bomb: promised pixels", "bmp", head + info, "refused")


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG by the book, whatever it promises."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    sealed = kind + content
    return (
        struct.pack(">I", len(content)) + sealed + struct.pack(">I", zlib.crc32(sealed))
    )


def bomb_png(rng: Random) -> Bad:
    """Some hundred bytes that would unpack to more than the bound."""
    side = int(rng.integers(12_000, 30_000))
    content = png(side, side, 1, 0, b"\0" * 100_000)
    return Bad("a bomb: packed pixels", "png", content, "refused")


def bomb_within_bounds(rng: Random) -> Bad:
    """As many pixels as are allowed, of which almost none are there."""
    content = png(9_400, 9_400, 8, 6, b"\0" * 100_000)
    return Bad("a bomb: most of it missing", "png", content, "refused")


def bomb_gif(rng: Random) -> Bad:
    head = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + b"\0" * 6
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\x02\x02D\x01\0;"
    return Bad("a bomb: a screen of 65,535", "gif", head + frame, "refused")


def bomb_text(rng: Random) -> Bad:
    """A note of 50 MB in 50 kB beside a small picture."""
    whole = encoded(noise(rng), "PNG")
    note = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 50_000_000, 9))
    content = whole[:33] + note + whole[33:]
    return Bad("a bomb: packed notes", "png", content, "either")


def cmyk(rng: Random) -> Bad:
    content = encoded(noise(rng, mode="CMYK").convert("CMYK"), "JPEG")
    return Bad("CMYK", "jpg", content, "read")


def sixteen_bits(rng: Random) -> Bad:
    values = rng.integers(0, 2**16, (20, 24), dtype=np.uint16)
    return Bad("16 bits", "png", encoded(Image.fromarray(values), "PNG"), "read")


def sixteen_bit_colour(rng: Random) -> Bad:
    rows = b"".join(b"\0" + rng.bytes(4 * 8) for _ in range(4))
    return Bad("16 bits, colour and alpha", "png", png(4, 4, 16, 6, rows), "read")


def animated(rng: Random) -> Bad:
    kind = ("GIF", "PNG", "WEBP")[rng.integers(3)]
    frames = [noise(rng) for _ in range(int(rng.integers(2, 6)))]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    return Bad("animated", FORMATS[kind], content, "read")


def polyglot(rng: Random) -> Bad:
    """A picture that is an archive, a page and a program too."""
    kind = ("JPEG", "PNG", "GIF")[rng.integers(3)]
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr("../../canary", "escaped")
    content = encoded(noise(rng), kind) + b"<?php system('touch canary') ?>"
    return Bad("polyglot", FORMATS[kind], content + tail.getvalue(), "read")


def odd_channels(rng: Random) -> Bad:
    mode = ("L", "LA", "RGBA", "1", "P")[rng.integers(5)]
    image = noise(rng, mode="RGB").convert(mode)
    return Bad(f"mode {mode}", "png", encoded(image, "PNG"), "read")


def impossible_channels(rng: Random) -> Bad:
    depth, colour = ((8, 1), (8, 5), (3, 2), (16, 3), (8, 7), (0, 0))[rng.integers(6)]
    rows = rng.bytes(500)
    return Bad("impossible channels", "png", png(8, 8, depth, colour, rows), "refused")


def one_pixel(rng: Random) -> Bad:
    kind = any_format(rng)
    return Bad("1 x 1", FORMATS[kind], encoded(noise(rng, size=(1, 1)), kind), "read")


def very_wide(rng: Random) -> Bad:
    size = (20_000, int(rng.integers(1, 8)))
    size = size if rng.integers(2) else size[::-1]
    kind = ("JPEG", "PNG", "BMP")[rng.integers(3)]
    content = encoded(noise(rng, size=size), kind)
    return Bad("20,000 pixels wide or high", FORMATS[kind], content, "read")


def no_pixels(rng: Random) -> Bad:
    width, height = ((0, 8), (8, 0), (0, 0))[rng.integers(3)]
    return Bad("0 pixels wide", "png", png(width, height, 8, 2, b""), "refused")


def flipped_bits(rng: Random) -> Bad:
    kind = any_format(rng)
    content = bytearray(encoded(noise(rng), kind))
    for at in rng.integers(len(content), size=int(rng.integers(1, 20))):
        content[at] ^= 1 << int(rng.integers(8))
    return Bad("flipped bits", FORMATS[kind], bytes(content), "either")


def wrong_checksum(rng: Random) -> Bad:
    content = bytearray(encoded(noise(rng), "PNG"))
    content[29] ^= 0xFF  # in the header's CRC
    return Bad("a wrong checksum", "png", bytes(content), "refused")


def bad_exif(rng: Random) -> Bad:
    exif = b"Exif\0\0II*\0" + rng.bytes(int(rng.integers(4, 400)))
    return Bad("a broken EXIF", "jpg", encoded(noise(rng), "JPEG", exif=exif), "either")


def many_chunks(rng: Random) -> Bad:
    whole = encoded(noise(rng), "PNG")
    note = _chunk(b"tEXt", b"Comment\0x") * 20_000
    return Bad("20,000 notes", "png", whole[:33] + note + whole[33:], "either")


KINDS: tuple[Callable[[Random], Bad], ...] = (
    *(truncated, empty, nulls, garbage, magic_and_garbage, text, wrong_suffix),
    *(foreign_format, bomb_bmp, bomb_png, bomb_within_bounds, bomb_gif, bomb_text),
    *(cmyk, sixteen_bits, sixteen_bit_colour, animated, polyglot, odd_channels),
    *(impossible_channels, one_pixel, very_wide, no_pixels, flipped_bits),
    *(wrong_checksum, bad_exif, many_chunks),
)

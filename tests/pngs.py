"""PNG files by the book, also of kinds that Pillow cannot write."""

import struct
import zlib


def png(size, bits, colours, *lines, transparent=None) -> bytes:
    """The bytes of a PNG.

    Args:
        size: Width and height.
        bits: Of a sample.
        colours: 0: grey, 2: RGB.
        *lines: Each row's bytes.
        transparent: The colour that is, two bytes a sample.
    """

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return (
            struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))
        )

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colours, 0, 0, 0))
        + (b"" if transparent is None else chunk(b"tRNS", transparent))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines)))
        + chunk(b"IEND", b"")
    )

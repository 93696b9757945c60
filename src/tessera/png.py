"""Pixels -> a PNG file in memory, and the address that holds it in a page."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def encoded(pixels: NDArray[np.uint8], *, small: bool = False) -> bytes:
    """Pixels as a PNG file.

    Args:
        pixels: uint8 [H, W], or [H, W, C] with C 1 (grey), 3 (RGB) or 4 (RGBA).
        small: Whether to take the time to pack them tighter.
    """
    grey = pixels.shape[2:] == (1,)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if grey else pixels).save(
        file, "PNG", optimize=small
    )
    return file.getvalue()


def url(content: bytes) -> str:
    """A PNG file as a URL that holds it, for pages that load nothing."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")

"""Pixels come back from their PNG file, and the file from its address."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tessera import png

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_every_pixel_is_kept(channels: int, mode: str, small: bool) -> None:
    pixels = PIXELS[..., :channels]
    content = png.encoded(pixels, small=small)
    with Image.open(io.BytesIO(content)) as found:
        assert (found.format, found.mode) == ("PNG", mode)
        assert np.array_equal(np.asarray(found).reshape(pixels.shape), pixels)


def test_grey_pixels_need_no_axis_of_channels() -> None:
    assert png.encoded(PIXELS[..., 0]) == png.encoded(PIXELS[..., :1])


def test_the_address_holds_the_file() -> None:
    content = png.encoded(PIXELS)
    head, body = png.url(content).split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(body) == content

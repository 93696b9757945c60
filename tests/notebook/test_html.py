"""HTML pieces: what is shown is escaped, and a picture is whole."""

import base64
import io
import re

import numpy as np
from PIL import Image

from tessera.notebook import html


def test_text_cannot_become_markup() -> None:
    nasty = '<script>alert("1")</script>'
    picture = html.figure(np.zeros((1, 1, 3), np.uint8), nasty, alternative=nasty)
    for piece in (
        html.paragraph(nasty),
        html.table(nasty, [nasty], [[nasty]]),
        picture,
    ):
        assert "<script" not in piece
        assert "&lt;script&gt;" in piece


def test_a_picture_is_stored_without_loss() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)
    piece = html.figure(pixels, "a\nb", alternative="x")
    stored = re.search(r"base64,([^\"]+)", piece)
    assert stored is not None
    read = np.asarray(Image.open(io.BytesIO(base64.b64decode(stored[1]))))
    assert (read == pixels).all()
    assert "a<br>b" in piece


def test_a_page_brings_its_style_and_needs_nothing_else() -> None:
    page = html.page([html.paragraph("one"), html.paragraph("two")])
    assert page.endswith('<div class="tessera"><p>one</p><p>two</p></div>')
    assert "http" not in page

"""Text from outside stays text, and pictures carry their pixels."""

import base64
import io
import re

import numpy as np
from PIL import Image

from tessera.api import html


def test_names_cannot_become_markup() -> None:
    shown = html.table(["<b>"], [["<script>", "a & b"]], caption='"<i>')
    assert "<script>" not in shown and "<b>" not in shown and "<i>" not in shown
    assert "a &amp; b" in shown
    assert html.paragraph("<x>") == "<p>&lt;x&gt;</p>"


def test_a_picture_holds_its_pixels_and_its_words() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    shown = str(html.Picture(pixels, 'a "dog"', side=40))
    assert 'alt="a &quot;dog&quot;"' in shown and 'width="40"' in shown
    found = re.search(r"base64,([^\"]+)", shown)
    assert found is not None
    image = Image.open(io.BytesIO(base64.b64decode(found[1])))
    np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_picture_in_a_table_is_shown_and_grey_is_kept() -> None:
    grey = html.Picture(np.full((3, 3, 1), 7, np.uint8), "grey")
    assert "<td><img src=" in html.table(["x"], [[grey]])


def test_shares_are_percentages_and_nothing_is_nothing() -> None:
    assert (html.percent(0.1234), html.percent(None)) == ("12.3 %", "")

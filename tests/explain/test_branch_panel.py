"""Signed maps share one scale, on which zero is white."""

import matplotlib
import numpy as np
import pytest
from PIL import Image

from tessera.explain import branch_panel
from tessera.explain.branch_panel import BranchPanel
from tessera.explain.panel import save


def test_zero_is_the_middle_and_the_reach_the_ends_of_the_colours():
    raw = np.array([[-2, 0], [2, 9]], np.float32)
    pixels = branch_panel.signed(raw, 2.0, 4, 4)
    table = matplotlib.colormaps[branch_panel.COLOURS]
    for (i, j), share in (((0, 0), 0.0), ((0, 3), 0.5), ((3, 0), 1.0), ((3, 3), 1.0)):
        expected = np.array(table(share, bytes=True)[:3])
        np.testing.assert_array_equal(pixels[i, j], expected)
    assert pixels.shape == (4, 4, 3)


def test_zero_is_nearly_white():
    assert branch_panel.signed(np.zeros((4, 4), np.float32), 0.0, 4, 4).min() > 240


def panel(raw, title="x: evidence for $cat$"):
    return BranchPanel(
        title=title,
        caption="",
        image=np.zeros((32, 32, 3), np.uint8),
        names=("CNN branch", "token branch"),
        raw=np.array(raw, np.float32),
    )


def test_the_last_picture_is_the_sum_on_the_same_scale():
    raw = np.zeros((2, 4, 4))
    raw[0, 0, 0], raw[1, 0, 0], raw[1, 3, 3] = 3, -1, 4
    figure = branch_panel.draw(panel(raw))
    image, first, second, total = (
        axes.images[0].get_array() for axes in figure.axes[:4]
    )
    assert image.shape == (256, 256, 3)
    titles = [axes.get_title() for axes in figure.axes[:4]]
    assert titles == [
        "image",
        "through CNN branch",
        "through token branch",
        "their sum",
    ]
    for pixels, value in ((first, 3), (second, -1), (total, 2)):
        expected = branch_panel.signed(np.full((1, 1), value, np.float32), 4.0, 1, 1)
        np.testing.assert_array_equal(pixels[0, 0], expected[0, 0])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_picture_is_written_whole(tmp_path, value):
    figure = branch_panel.draw(panel(np.full((2, 4, 4), value)))
    save(tmp_path / "x.png", figure)
    with Image.open(tmp_path / "x.png") as picture:
        picture.load()
        assert picture.size == (1240, 390)


def test_a_name_that_is_no_text_is_drawn_with_escapes(tmp_path):
    figure = branch_panel.draw(panel(np.ones((2, 4, 4)), title="caf\udce9"))
    save(tmp_path / "a.png", figure)
    assert figure.get_suptitle() == "caf\\udce9"

"""A panel is a decodable picture that says what it shows."""

import io

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from tessera.explain import panel


def example(**changes):
    values = {
        "title": "a title with $ and _ signs",
        "caption": "Grad-CAM at features",
        "image": np.zeros((32, 32, 3), np.uint8),
        "raw": np.arange(64, dtype=np.float32).reshape(8, 8),
        "reason": "",
    }
    return panel.Panel(**values | changes)


def texts(figure):
    return [text.get_text() for text in figure.findobj() if hasattr(text, "get_text")]


def test_the_picture_can_be_opened(tmp_path):
    panel.save(tmp_path / "deep" / "a.png", panel.draw(example()))
    with Image.open(tmp_path / "deep" / "a.png") as picture:
        assert picture.size == (960, 390)


def test_a_name_that_is_no_text_is_drawn_with_escapes():
    """As a shell's `*` gives it, of a file from another system."""
    figure = panel.draw(example(title="caf\udce9: evidence for cat"))
    panel.write(figure, io.BytesIO())
    assert "caf\\udce9: evidence for cat" in texts(figure)


def test_a_name_in_letters_that_the_font_lacks_is_drawn_without_a_warning(tmp_path):
    figure = panel.draw(example(title="evidence for 猫"))
    panel.save(tmp_path / "a.png", figure)  # in these tests a warning is an error
    assert (tmp_path / "a.png").exists()
    panel.write(figure, io.BytesIO())


@pytest.mark.parametrize("shape", [(8, 8, 1), (400, 300, 3)])
def test_images_of_any_size_and_grey_ones_are_drawn(shape):
    figure = panel.draw(example(image=np.zeros(shape, np.uint8)))
    assert "map, 8 x 8 cells" in texts(figure)


def bars(figure):
    return [bar for axes in figure.axes for bar in axes.child_axes]


def test_the_bar_carries_raw_units():
    (bar,) = bars(panel.draw(example()))
    assert isinstance(bar, Axes)
    assert bar.get_ylim() == (0, 63)


@pytest.mark.parametrize("shape", [(32, 32, 3), (20, 60, 3), (60, 20, 3)])
@pytest.mark.parametrize("largest", [2.4e-5, 2.4e-4, 0.024, 2.4, 9_999, 2.4e8])
def test_nothing_is_outside_the_picture(shape, largest):
    raw = np.full((8, 8), largest, np.float32)
    figure = panel.draw(example(image=np.zeros(shape, np.uint8), raw=raw))
    drawn = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer())
    width, height = figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width and 0 <= drawn.y0 < drawn.y1 <= height


def test_a_blank_map_says_why_and_has_no_bar():
    figure = panel.draw(example(raw=-np.ones((8, 8), np.float32), reason="constant"))
    assert "blank: constant" in texts(figure)
    assert not bars(figure)

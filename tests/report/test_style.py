import re

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tessera.report.style import (
    INK,
    drawing,
    grid_of_axes,
    inline,
    legend_above,
    readable,
    standalone,
    svg,
)


def picture(title="a <b> & c"):
    with drawing():
        figure, (axes,) = grid_of_axes(1, columns=1, width=2, height=2)
        axes.plot([0, 1], [0, 1])
        axes.set_title(title)
        return svg(figure)


def test_the_same_figure_is_the_same_text():
    assert picture() == picture()


def test_text_stays_text_and_no_date_is_written():
    text = picture()
    assert "a &lt;b&gt; &amp; c" in text
    assert "date" not in text


@pytest.mark.parametrize("name", ["$\\frac$", "$x^2$", "犬", "حصان", "x" * 250])
def test_a_name_of_any_letters_is_drawn_as_it_is(name):
    assert f">{name}<" in picture(name)


def test_a_readers_own_settings_neither_matter_nor_change():
    before = picture()
    with matplotlib.rc_context({"lines.linewidth": 9.0}):
        assert picture() == before
        assert matplotlib.rcParams["lines.linewidth"] == 9.0


def test_inline_pictures_take_the_pages_inks_and_keep_their_ids_apart():
    text = inline(picture(), title='a "b" & c', key="k")
    assert INK not in text
    assert "var(--ink)" in text
    assert 'aria-label="a &quot;b&quot; &amp; c"' in text
    assert text.count('id="') == text.count('id="k-')
    assert text.count("url(#") == text.count("url(#k-")


def test_equal_pictures_in_one_drawing_have_ids_of_their_own():
    with drawing():
        figure, panels = grid_of_axes(3, columns=3, width=2, height=2)
        for axes in panels:
            axes.imshow([[0.0, 1.0]])
        text = svg(figure)
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert text.count("<image ") == 3
    assert len(set(ids)) == len(ids)


def test_standalone_pictures_have_paper_behind_them():
    text = standalone(picture())
    assert text.startswith("<?xml")
    assert "background: #fefefe" in text


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_spare_panels_are_removed(count):
    figure, axes = grid_of_axes(count, columns=3, width=1, height=1)
    assert len(axes) == len(figure.axes) == count


def test_a_drawing_says_how_wide_it_is_so_that_a_phone_does_not_blow_it_up():
    text = inline('<svg width="100pt" height="50pt" x="0">', title="t", key="k")
    # 100 points times 1.52: its text at 9 points is then as large as the page's.
    assert 'style="--own: 152px; max-width: var(--own)"' in text


@pytest.mark.parametrize("width", [2.0, 4.0, 6.0, 12.0])
def test_a_legend_is_never_wider_than_its_figure(width):
    with drawing():
        figure, (axes,) = grid_of_axes(1, columns=1, width=width, height=3)
        for name in ("balanced-sampling", "logit-adjustment", "plain", "prior-shift"):
            axes.plot([0, 1], label=name)
        legend_above(figure, [axes])
        FigureCanvasAgg(figure).draw()
    (legend,) = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width


def test_text_is_in_the_readers_own_font():
    assert "DejaVu" not in picture()
    assert "system-ui, sans-serif" in picture()


@pytest.mark.parametrize("cmap", ["Blues", "PuOr_r"])
def test_numbers_on_a_coloured_cell_can_be_read(cmap):
    # WCAG 2.2, 1.4.3: at least 4.5 to 1.
    for share in np.linspace(0, 1, 101):
        rgb = matplotlib.colormaps[cmap](float(share))[:3]
        parts = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb
        ]
        behind = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05
        letters = 1.05 if readable(cmap, share) == "white" else 0.05
        assert max(behind / letters, letters / behind) >= 4.5


def test_a_legend_names_what_any_panel_draws():
    with drawing():
        figure, (first, second, bare) = grid_of_axes(3, columns=3, width=2, height=2)
        first.plot([0, 1], label="plain")
        second.plot([0, 1], label="plain")
        second.plot([1, 0], label="weighted")
        legend_above(figure, [first, second, bare])
        assert svg(figure).count(">plain<") == 1
        assert svg(figure).count(">weighted<") == 1
        figure, (bare,) = grid_of_axes(1, columns=1, width=2, height=2)
        legend_above(figure, [bare])
        assert not figure.legends

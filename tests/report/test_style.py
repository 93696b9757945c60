import re
from itertools import combinations, pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tessera.report import style
from tessera.report.style import (
    INK,
    PALETTE,
    PAPER,
    drawing,
    grid_of_axes,
    inline,
    legend_above,
    readable,
    standalone,
    svg,
)
from tessera.report.templates import source

# Machado, Oliveira and Fernandes 2009, severity 1.0, of linear RGB.
SEEN_BY = {
    "everyone": np.eye(3),
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# IEC 61966-2-1: linear RGB to CIE XYZ, whose white is D65.
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = (0.95047, 1.0, 1.08883)


def linear(colour):
    """Linear RGB of `#rrggbb`."""
    rgb = np.array(matplotlib.colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2.2: (lighter + 0.05) / (darker + 0.05), of relative luminances."""
    dark, light = sorted(linear(c) @ (0.2126, 0.7152, 0.0722) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(colour, eye):
    """CIE L*a*b* of a colour as an eye sees it."""
    share = XYZ @ np.clip(np.asarray(eye) @ linear(colour), 0, 1) / WHITE
    x, y, z = np.where(
        share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_contrasts_are_those_of_known_colours():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    # The lightest grey that WCAG accepts for text on white.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert lab("#ff0000", np.eye(3)) == pytest.approx((53.24, 80.09, 67.20), abs=0.02)


@pytest.mark.parametrize("colour", PALETTE)
def test_a_colour_stands_out_from_light_and_from_dark_paper(colour):
    papers = re.findall(r"--paper: (#\w+);", source("style.css"))
    assert PAPER in papers and len(papers) == 3
    assert min(contrast(colour, paper) for paper in papers) >= 3


def nearest(who, pairs):
    """The smallest Delta E*ab, of which about 2.3 can just be noticed (Mahy 1994)."""
    steps = [
        np.subtract(*(lab(colour, SEEN_BY[who]) for colour in pair)) for pair in pairs
    ]
    return min(np.linalg.norm(steps, axis=1))


@pytest.mark.parametrize("who", SEEN_BY)
def test_neighbouring_colours_are_told_apart_with_any_colour_blindness(who):
    assert nearest(who, pairwise(PALETTE)) > 25


@pytest.mark.parametrize("who", ["everyone", "protanopes", "deuteranopes"])
def test_any_two_colours_are_told_apart_without_reds_or_without_greens(who):
    assert nearest(who, combinations(PALETTE, 2)) > 25


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


def test_what_matplotlib_is_spared_changes_no_drawing(monkeypatch):
    def drawn():
        with drawing():
            figure, axes = grid_of_axes(3, columns=2, width=3, height=2)
            for panel, title in zip(axes, ("one", "two", "three"), strict=True):
                panel.plot([0, 1000], [0.1, 0.9])
                panel.set_title(title)
            axes[0].set_ylabel("recall")
            return svg(figure)

    spared = drawn()
    monkeypatch.setattr(style, "_fix_empty_labels", lambda _: None)
    monkeypatch.setitem(style._SETTINGS, "axes.titley", None)
    assert drawn() == spared

"""Colours, markers and the way every chart turns into SVG text.

Charts are drawn with a few reserved inks, which the page replaces by its own, so that
one drawing serves light, dark and print.
"""

import html
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from tessera.evaluation.differences import Difference
from tessera.results import Change

INK = "#1b1f24"
QUIET = "#5c6670"
LINE = "#c9ced4"
PAPER = "#fefefe"
BAND = "#eceff2"

_PAGE_INKS: Mapping[str, str] = {
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    LINE: "var(--line)",
    PAPER: "var(--paper)",
    BAND: "var(--band)",
}

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#7d73fa", "#c81e37", "#0a9baa", "#8810ff")
"""The first three are Okabe and Ito's (2008), whose others are too faint for lines. All
stand out from light and from dark paper, any two from one another for eyes without
reds or greens, and neighbours for those without blues; no chart relies on colour alone.
"""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "----")

SEQUENTIAL, DIVERGING = "Blues", "PuOr_r"
"""Both told apart with every common colour blindness."""

_SETTINGS: Mapping[str, object] = {
    # Text stays text: it can be read aloud, searched and selected.
    "svg.fonttype": "none",
    "svg.hashsalt": "tessera",
    # A class may be called `$x$`, which is a name and no formula.
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": QUIET,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    # Else titles are placed anew again and again; no chart has anything below them.
    "axes.titley": 1.0,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": INK,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "hatch.color": PAPER,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "figure.facecolor": "none",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with our settings, whatever the reader's own matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def svg(figure: Figure) -> str:
    """Turn a figure into SVG text that repeats byte by byte."""
    _fix_empty_labels(figure)
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with warnings.catch_warnings():
        # The font that sizes the text need not have its letters: the reader's has.
        # Long names may leave no room to arrange; they are drawn where they fall.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
    text = buffer.getvalue()
    text = _apart(text[text.index("<svg") :])
    # The reader's own sans-serif; DejaVu, which sized the text, is wider than most.
    # Matplotlib 3.10 writes one property, 3.11 one for the size and one for the family.
    named = r"(font: [^;\"]*?px|font-family:) [^;\"]*"
    return re.sub(named, r"\1 system-ui, sans-serif", text)


def _fix_empty_labels(figure: Figure) -> None:
    """Spare matplotlib the search for places of what cannot be seen."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():
                axis.set_label_coords(0, 0)


def _apart(text: str) -> str:
    """An id for every picture: matplotlib gives equal pictures the same one."""
    seen: Counter[str] = Counter()

    def own(image: re.Match[str]) -> str:
        seen[image[2]] += 1
        return image[0] if seen[image[2]] == 1 else f"{image[0]}-{seen[image[2]]}"

    return re.sub(r'(<image [^>]*?\bid=")([^"]*)', own, text)


def standalone(text: str) -> str:
    """The drawing as a file of its own, on paper."""
    body = text.replace(">", f' style="background: {PAPER}">', 1)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}'


def inline(text: str, *, title: str, key: str) -> str:
    """The drawing inside the page: the page's inks, its own names, a label.

    Args:
        text: An SVG element.
        title: What a screen reader says instead of the picture.
        key: Prefix that keeps the element's ids apart from other drawings'.
    """
    for ink, variable in _PAGE_INKS.items():
        text = text.replace(ink, variable)
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = re.sub(r'href="#', f'href="#{key}-', text)
    text = re.sub(r"url\(#", f"url(#{key}-", text)
    label = html.escape(title)
    text = re.sub(r'(<svg [^>]*?)height="[^"]*pt" ', r"\1", text, count=1)
    text = re.sub(r'(<svg [^>]*?)width="([^"]*)pt" ', _widest, text, count=1)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _widest(opening: re.Match[str]) -> str:
    """As wide as the page lets it be, until its text is as large as the page's."""
    wide = f"{1.52 * float(opening[2]):.0f}px"
    return f'{opening[1]}style="--own: {wide}; max-width: var(--own)" '


def interval_row(
    axes: Axes, row: int, change: Difference | Change, limits: tuple[float, float]
) -> None:
    """Draw a difference in points: its interval, a ring per seed, a diamond its mean.

    Args:
        axes: Of the panel.
        row: Where, from the top.
        change: In shares; its diamond is filled where it is decided.
        limits: Ends of the axis, in points, at which an interval is cut.
    """
    if change.low is not None and change.high is not None:
        ends = np.clip([100 * change.low, 100 * change.high], *limits)
        axes.hlines(row, *ends, color=PALETTE[0], linewidth=2)
    seeds = [100 * value for value in change.values]
    # A ring with paper inside is seen on the bar; the diamond stands before both.
    axes.plot(seeds, [row] * len(seeds), "o", mfc=PAPER, mec=INK, mew=0.7, ms=3.8)
    inside = PAPER if change.decision == "undecided" else INK
    axes.plot(100 * change.mean, row, "D", mfc=inside, mec=INK, mew=1.0, ms=5)


def readable(cmap: str, share: float) -> str:
    """Black or white, whichever stands out more from a colour of a colour map.

    Args:
        cmap: The map's name.
        share: Where on it, 0 to 1.

    Either has a contrast of at least 4.5 to 1 (WCAG 2.2, relative luminance).
    """
    rgb = np.array(_colours(cmap)(float(share))[:3])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return "white" if luminance < 0.179 else "black"


@cache
def _colours(cmap: str) -> Colormap:
    """A colour map; matplotlib makes a new one each time that it is asked."""
    return matplotlib.colormaps[cmap]


def narrowing(names: int, *, width: float) -> float:
    """The size, in points, of upright names that stand side by side over a width.

    Args:
        names: How many.
        width: In inches.
    """
    return min(8.0, max(4.0, 72 * width / names / 1.2))


def legend_above(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend for all panels, of what is drawn in any of them, above them.

    It has as many columns as fit the figure: what reaches beyond would be cut off.
    """
    drawn = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    if not drawn:
        return
    # Inches: a letter of the font, and the line or marker with its margins.
    widest = 0.075 * max(map(len, drawn)) + 0.6
    columns = int(figure.get_figwidth() // widest)
    figure.legend(
        drawn.values(),
        drawn.keys(),
        loc="outside upper left",
        ncols=min(max(columns, 1), 4),
    )


def grid_of_axes(
    count: int, *, columns: int, width: float, height: float
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels that share both axes, in rows of `columns`.

    Args:
        count: Panels.
        columns: Panels per row, at most.
        width: Of one panel, in inches.
        height: Of one panel, in inches.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    made = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes = list(made.flat)
    for spare in axes[count:]:
        spare.remove()
    for lowest in axes[max(count - columns, 0) : count]:
        lowest.tick_params(labelbottom=True)
    return figure, axes[:count]

"""Pieces of HTML for a notebook's output: escaped, in one piece, in its colours."""

import html
from collections.abc import Iterable, Sequence

from tessera import png
from tessera.overlay import Pixels

STYLE = """<style>
.tessera table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.tessera caption { text-align: left; padding: .3em 0; font-weight: 600; }
.tessera th, .tessera td { text-align: right; padding: .2em .6em; background: none;
  border: 0; border-bottom: 1px solid rgba(128, 128, 128, .4); color: inherit; }
.tessera th:first-child, .tessera td:first-child { text-align: left; }
.tessera p { max-width: 46em; }
.tessera figure { display: inline-block; margin: 0 1em 1em 0; vertical-align: top;
  max-width: 100%; }
.tessera figcaption { font-size: .9em; max-width: 18em; overflow-wrap: anywhere; }
.tessera img { image-rendering: pixelated; max-width: 100%; }
.tessera .scroll { overflow-x: auto; }
</style>"""


def page(parts: Iterable[str]) -> str:
    """Pieces as one output cell."""
    return f'{STYLE}<div class="tessera">{"".join(parts)}</div>'


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts: the first column on the left, numbers on the right."""
    titles = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def figure(pixels: Pixels, caption: str, *, alternative: str) -> str:
    """A picture inside the page, with what it shows in words.

    Args:
        pixels: RGB, uint8 [H, W, 3].
        caption: Plain text below it; new lines are kept.
        alternative: For those who do not see it.
    """
    source = png.url(png.encoded(pixels))
    lines = "<br>".join(html.escape(line) for line in caption.splitlines())
    return (
        f'<figure><img src="{source}" '
        f'alt="{html.escape(alternative)}"><figcaption>{lines}</figcaption></figure>'
    )

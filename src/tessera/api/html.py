"""Small pieces of HTML for notebooks: everything that comes from outside is escaped."""

import base64
import io
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = ""
) -> str:
    """A table; the first column is text, the others are numbers.

    A cell that is a `Picture` is shown, any other is escaped text.
    """
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{told}<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


class Picture:
    """Pixels uint8 [H, W, 3 or 1], shown `side` pixels wide with hard edges.

    Args:
        pixels: The image.
        title: What it shows, in words.
        side: Width on the page.
    """

    def __init__(
        self, pixels: NDArray[np.uint8], title: str, *, side: int = 96
    ) -> None:
        grey = pixels.shape[-1] == 1
        file = io.BytesIO()
        Image.fromarray(pixels[..., 0] if grey else pixels).save(file, "PNG")
        self._png = base64.b64encode(file.getvalue()).decode()
        self._title = title
        self._side = side

    def __str__(self) -> str:
        """The element."""
        return (
            f'<img src="data:image/png;base64,{self._png}" alt="{escape(self._title)}" '
            f'width="{self._side}" style="image-rendering: pixelated">'
        )


def paragraph(text: str) -> str:
    """Text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def percent(value: float | None) -> str:
    """0.123 -> `12.3 %`; None -> nothing."""
    return "" if value is None else f"{100 * value:.1f} %"


def _cell(value: object) -> str:
    content = str(value) if isinstance(value, Picture) else escape(str(value))
    return f"<td>{content}</td>"

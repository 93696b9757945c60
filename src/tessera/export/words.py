"""Numbers and names -> the words of a card, which is Markdown."""

import re

MARKS = re.compile(r"[\\`*_\[\]<>|#&~$]")
"""Characters that Markdown, or a page that shows it, takes for its own."""


def percent(value: float) -> str:
    """0.123 -> `12.3 %`."""
    return f"{100 * value:.1f} %"


def between(interval: tuple[float, float] | None) -> str:
    """(0.1, 0.2) -> `10.0 to 20.0 %`; None -> `none`."""
    if interval is None:
        return "none"
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def escaped(name: str) -> str:
    """A class's name with a backslash before each of `MARKS`."""
    return MARKS.sub(r"\\\g<0>", name)


def plain(markdown: str) -> str:
    """A sentence of the card without those backslashes."""
    return re.sub(rf"\\({MARKS.pattern})", r"\1", markdown)

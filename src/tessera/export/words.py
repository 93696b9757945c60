"""Numbers and names -> the words of a card, which is Markdown."""


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
    """A class's name without characters that Markdown would take for its own."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#&~$" else c for c in name)

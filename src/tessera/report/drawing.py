"""What every figure of the report is: a drawing with its words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Drawing:
    """One figure."""

    key: str
    """Its file's name, without `.svg`."""
    title: str
    caption: str
    """What it shows and what to look for."""
    alternative: str
    """The same for someone who does not see it."""
    svg: str
    parts: tuple[str, ...] = ()
    """The same in pieces that a wide page sets side by side; none: whole."""
    images: bool = False
    """Whether it holds pictures of the dataset."""

"""Two classes of an image, each with its probability, as a line of a table."""

from collections.abc import Iterable

from rich.cells import cell_len

from tessera.cli import errors


def width(names: Iterable[str]) -> int:
    """Cells of the columns that hold these names: a letter of Chinese fills two."""
    return max(map(cell_len, names))


def head(first: str, second: str, cells: int) -> str:
    """The titles of the two classes' columns, and of the image's."""
    titles = [f"{padded(title, cells)}         " for title in (first, second)]
    return "".join([*titles, "image"])


def line(classes: Iterable[tuple[str, float]], image: str, cells: int) -> str:
    """Classes with their probabilities, and the image, made harmless for terminals."""
    told = [f"{padded(name, cells)} {share:6.1%}  " for name, share in classes]
    return "".join([*told, errors.plain(image)])


def padded(text: str, cells: int) -> str:
    """The text, then spaces."""
    return text + " " * (cells - cell_len(text))

"""Numbers and lists as sentences have them."""

from collections.abc import Iterable, Sequence

MINUS = "\N{MINUS SIGN}"


def signed(value: float, digits: int) -> str:
    """A number with its sign, say `+2.1`; what rounds to zero has none."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text[1:]


def points(share: float) -> str:
    """A signed difference of shares in percentage points, say `+2.1`.

    An interval of few seeds may end where no difference of shares can lie; such an end
    is told as the last point that is possible, 100 or its opposite.
    """
    return signed(100 * min(max(share, -1.0), 1.0), 1)


def whole_percent(share: float) -> str:
    """A share in whole percent, say `48`; what rounds to zero has no sign."""
    return signed(100 * share, 0).removeprefix("+")


def plural(number: int, noun: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


NAMED = 10
"""Classes of many that a sentence names."""


def in_list(name: str) -> str:
    """A class's name among others: in quotes where its own comma would part it."""
    return f'"{name}"' if "," in name else name


def in_row(names: Iterable[str]) -> str:
    """Classes' names with commas between them: `cat, "dog, black", deer`."""
    return ", ".join(map(in_list, names))


def first_classes(names: Iterable[str]) -> str:
    """The same, of many the first: what is only worth knowing stays short."""
    return first(list(map(in_list, names)), NAMED)


def listed(names: Sequence[str]) -> str:
    """`cat, deer and dog`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def first(names: Sequence[str], most: int = 3) -> str:
    """Some of many: `a, b, c and 4 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more

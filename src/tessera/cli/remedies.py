"""What there is to choose from for `--remedies`, and what each is made of."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tessera import choice, settings, wording
from tessera.catalogue import catalogue
from tessera.remedies import Remedy

USE = (
    "\nUse them with `tessera study --remedies all` or `--remedies a,b`, or in an "
    'experiment file: `remedy = "ldam-drw"`. `tessera remedies NAME` shows what one is '
    "made of; docs/methods.md has the formulas."
)


def show(console: Console, names: Sequence[str] = ()) -> None:
    """Print the catalogue, a line each; or some of it, with all their values.

    Args:
        console: Where to.
        names: Of those to show, as `--remedies` takes them; none: all, in short.

    Raises:
        ExperimentError: There is none of a name.
    """
    known = catalogue()
    names = choice.remedies(",".join(names), option="NAME")
    names = tuple(known) if "all" in names else names
    table = Table("name", "what differs from plain training", box=None)
    for name in names or known:
        table.add_row(name, describe(known[name]))
    console.print(table)
    if not names:
        console.print(USE)
    for name in names:
        parts = settings.listed_remedy(known[name])
        text = f"\n# {name}, of a regime in an experiment file\n{parts}"
        console.print(text, markup=False, highlight=False, soft_wrap=True, end="")


def describe(remedy: Remedy) -> str:
    """What a remedy changes, part by part, in its own words."""
    parts = wording.parts(remedy).items()
    return "\n".join(f"{part}: {text}" for part, text in parts) or "nothing"

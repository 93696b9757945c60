"""The list of what there is to choose from for `--remedies`."""

from rich.console import Console
from rich.table import Table

from tessera import wording
from tessera.catalogue import catalogue
from tessera.remedies import Remedy


def show(console: Console) -> None:
    """Print the catalogue, a line each."""
    table = Table("name", "what differs from plain training", box=None)
    for name, remedy in catalogue().items():
        table.add_row(name, describe(remedy))
    console.print(table)
    console.print(
        "\nUse them with `tessera study --remedies all` or `--remedies a,b`, or in an "
        'experiment file: `remedy = "ldam-drw"`. docs/methods.md has the formulas.'
    )


def describe(remedy: Remedy) -> str:
    """What a remedy changes, part by part, in its own words."""
    parts = wording.parts(remedy).items()
    return "\n".join(f"{part}: {text}" for part, text in parts) or "nothing"

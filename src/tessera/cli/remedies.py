"""The list of what there is to choose from for `--remedies`."""

from rich.console import Console
from rich.table import Table

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
    changed = remedy.model_dump(exclude_defaults=True)
    parts = []
    for key in changed:
        part = getattr(remedy, key)
        told = (part.__doc__ or "").splitlines()[0] if hasattr(part, "kind") else part
        parts.append(f"{key}: {told}")
    return "\n".join(parts) or "nothing"

"""`tessera labels`: labels worth checking as a table, JSON lines or CSV."""

import csv
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console

from tessera import doubts
from tessera.cli import table
from tessera.doubts import Doubt

COLUMNS = tuple(field.name for field in dataclasses.fields(Doubt))


def labels(path: Path, form: str) -> None:
    """List them on standard output; what they are worth goes to the error stream.

    Raises:
        RunError: The folder holds no finished run or study.
    """
    found = doubts.doubts(path)
    write(found.rows, form, sys.stdout)
    notes = Console(stderr=True, highlight=False, markup=False)
    for line in filter(None, (found.said_by, found.summary)):
        notes.print(line, soft_wrap=True)


def write(rows: Sequence[Doubt], form: str, out: TextIO) -> None:
    """Write them in one of `use.FORMATS`."""
    match form:
        case "jsonl":
            for row in rows:
                out.write(json.dumps(_plain(row)) + "\n")
        case "csv":
            writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(map(_plain, rows))
        case _:
            names = [name for row in rows for name in (row.label, row.suggested)]
            cells = table.width(("suggested", *names))
            out.write(table.head("label", "suggested", cells) + "\n")
            for row in rows:
                out.write(_line(row, cells) + "\n")
    out.flush()


def _plain(row: Doubt) -> dict[str, object]:
    """With probabilities of six digits."""
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in dataclasses.asdict(row).items()
    }


def _line(row: Doubt, cells: int) -> str:
    classes = (row.label, row.probability), (row.suggested, row.suggested_probability)
    return table.line(classes, row.image, cells)

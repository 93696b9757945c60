"""A run's history, `history.csv`: what each epoch of its training came to."""

import csv
import io

from tessera import files
from tessera.record import RunFolder


def write(folder: RunFolder, history: tuple[dict[str, float], ...]) -> None:
    """Write one CSV row per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    files.write_text(folder.history, text.getvalue())


def read(folder: RunFolder) -> tuple[dict[str, float], ...]:
    """The rows that `write` wrote."""
    with folder.history.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple({name: float(value) for name, value in row.items()} for row in rows)

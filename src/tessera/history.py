"""A run's history, `history.csv`: what each epoch of its training came to."""

import csv
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tessera import files
from tessera.record import RunFolder

Columns = Mapping[str, NDArray[np.float64]]
"""By name, one value per epoch."""


def write(folder: RunFolder, history: tuple[dict[str, float], ...]) -> None:
    """Write one CSV row per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    files.write_text(folder.history, text.getvalue())


def read(folder: RunFolder) -> tuple[dict[str, float], ...]:
    """The rows that `write` wrote; an empty field is NaN."""
    with folder.history.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple({k: float(v or "nan") for k, v in row.items()} for row in rows)


def columns(folder: RunFolder) -> Columns:
    """The same as arrays."""
    rows = read(folder)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}

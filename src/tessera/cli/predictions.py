"""`tessera predict`: answers as a table, JSON lines or CSV, written as they come."""

import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tessera import answers, trained
from tessera.answers import Answer, Refused
from tessera.cli import errors, table
from tessera.data import apart
from tessera.phrases import plural

GOOD, UNREADABLE = 0, 1
"""Exit statuses: every file was read; some were not."""

COLUMNS = (
    *("path", "class", "probability", "runner_up", "runner_up_probability"),
    *("heatmap", "error"),
)


def predict(
    path: Path,
    images: Sequence[Path],
    *,
    form: str,
    heatmaps: Path | None,
    ensemble: bool = False,
) -> int:
    """Predict files with a run or a study's recommended run; return the exit status.

    Answers, and the reason of each file without one, go to standard output; progress
    and a summary to the error stream.

    Raises:
        RunError: The folder holds no usable run.
        DataError: The heatmaps would lie among images.
    """
    model = trained.load(path, ensemble=ensemble)
    if heatmaps is not None:
        apart.keep_from_classes(model.class_names, heatmaps)
        apart.keep_from_pictures(images, heatmaps)
    notes = Console(stderr=True, highlight=False, markup=False)
    seen = Counter[type]()
    if model.because:
        notes.print(model.because, soft_wrap=True)
    stream = answers.answers(model, images, heatmaps=heatmaps)
    try:
        write(_counted(stream, notes, seen), form, model.class_names, sys.stdout)
    except BrokenPipeError:  # `| head` has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    notes.print(
        f"{plural(seen[Answer], 'image')}, "
        f"{plural(seen[Refused], 'file')} that could not be read. "
        f"Model: {model.place}. {model.calibration}",
        soft_wrap=True,
    )
    return UNREADABLE if seen[Refused] else GOOD


def _counted(
    stream: Iterable[Answer | Refused], notes: Console, seen: Counter[type]
) -> Iterator[Answer | Refused]:
    """Count answers by kind as they pass; where they go to a file, show progress."""
    display = Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} files"),
        TimeElapsedColumn(),
        console=notes,
        disable=not notes.is_terminal or sys.stdout.isatty(),
        transient=True,
    )
    with display:
        bar = display.add_task("", total=None)
        for item in stream:
            display.advance(bar)
            seen[type(item)] += 1
            yield item


def write(
    stream: Iterable[Answer | Refused],
    form: str,
    class_names: Sequence[str],
    out: TextIO,
) -> None:
    """Write answers in one of `use.FORMATS`, each as soon as it is there."""
    match form:
        case "jsonl":
            for item in stream:
                out.write(json.dumps(row(item, class_names)) + "\n")
        case "csv":
            writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
            writer.writeheader()
            for item in stream:
                flat = row(item, class_names)
                writer.writerow({k: v for k, v in flat.items() if k in COLUMNS})
        case _:
            cells = table.width((*class_names, "runner-up"))
            out.write(table.head("class", "runner-up", cells) + "\n")
            for item in stream:
                out.write(line(item, cells) + "\n")
    out.flush()


def line(item: Answer | Refused, cells: int) -> str:
    """One row of the table; names are padded to `cells` of the terminal."""
    path = str(item.path)
    if isinstance(item, Refused):
        return f"{'not read':{2 * cells + 18}}{errors.plain(path)}: {item.reason}"
    said = item.class_name, item.probability
    return table.line((said, (item.runner_up, item.runner_up_probability)), path, cells)


def row(item: Answer | Refused, class_names: Sequence[str]) -> dict[str, object]:
    """An answer as plain data."""
    if isinstance(item, Refused):
        return {"path": str(item.path), "error": item.reason}
    return {
        "path": str(item.path),
        "class": item.class_name,
        "probability": round(item.probability, 6),
        "runner_up": item.runner_up,
        "runner_up_probability": round(item.runner_up_probability, 6),
        "probabilities": {
            name: round(share, 6)
            for name, share in zip(class_names, item.probabilities, strict=True)
        },
        "heatmap": None if item.heatmap is None else str(item.heatmap),
    }

"""Accuracy where each test image is shown twice, the second time mirrored.

    python benchmarks/flips.py STUDY... --data FOLDER --name "NAME OF THE IMAGES"
    python benchmarks/flips.py --write docs/hybrid-plus.md

The logits of both views are averaged, as faster records of CIFAR-10 do. It doubles the
cost of an answer, so it stands apart from what the models reach by one look.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import measure
import numpy as np

from tessera import runtime
from tessera.data import source
from tessera.evaluation.differences import spread
from tessera.experiment import HybridPlus
from tessera.record import StudyFolder, StudyRecord
from tessera.report import words
from tessera.report.committed import frontier, marked
from tessera.report.tables import markdown

RECORD = measure.RECORDS / "flips.json"

SAME = 5e-4
"""Of an accuracy: other batches round otherwise, and turn a few near ties."""


def accuracies(logits: np.ndarray, mirrored: np.ndarray, labels: np.ndarray) -> Any:
    """Accuracy by one look, and by the mean of both.

    Args:
        logits: float [N, K], of the images.
        mirrored: float [N, K], of the images with left and right exchanged.
        labels: int [N].
    """
    found = {"once": logits, "twice": (logits + mirrored) / 2}
    return {k: float((v.argmax(axis=1) == labels).mean()) for k, v in found.items()}


def runs(study: Path) -> Iterator[tuple[StudyRecord, Path]]:
    """Every run of hybrid-plus on balanced data."""
    folder = StudyFolder(study)
    record = StudyRecord.model_validate_json(folder.study.read_text("utf-8"))
    kinds = {model.label: model for model in record.experiment.models}
    balanced = frontier.balanced(record)
    for cell in record.cells:
        if isinstance(kinds[cell.model], HybridPlus) and cell.regime in balanced:
            yield from ((record, study / place) for place in cell.folders)


def measured(studies: Sequence[Path], data: str) -> list[dict[str, Any]]:
    """What each run answers to the test images, and to their mirror images."""
    from tessera import trained

    test = source.load(source.from_argument(data)).test
    found = []
    for study in studies:
        for record, place in runs(study):
            model = trained.load(place)
            views = test.images, test.images[:, :, ::-1]
            shares = accuracies(*map(model.logits, views), test.labels)
            if abs(shares["once"] - model.record.scores.accuracy) > SAME:
                raise SystemExit(f"{place}: the images are not those of its record")
            found.append(
                {
                    "model": model.record.model,
                    "epochs": record.experiment.training.epochs,
                    "seed": model.run.seed,
                    **shares,
                }
            )
            print(found[-1], flush=True)
    return found


def table(record: dict[str, Any]) -> str:
    """The record as a table, and where it is from."""
    cells: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for run in record["runs"]:
        cells.setdefault((run["model"], run["epochs"]), []).append(run)
    rows = [
        [
            model,
            f"{epochs}",
            *(words.percent(spread([r[k] for r in found])) for k in ("once", "twice")),
            f"{len(found)}",
        ]
        for (model, epochs), found in cells.items()
    ]
    head = ["Model", "Epochs", "One look", "And mirrored", "Seeds"]
    return f"{markdown(head, rows)}\n\n{frontier.origin(record)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", type=Path, help="folders of studies")
    parser.add_argument("--data", help="the image folder they were trained on")
    parser.add_argument("--name", help="of the images, for the record")
    parser.add_argument("--write", type=Path, help="page for the record's table")
    asked = parser.parse_args()
    if asked.write:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        marked.replace(asked.write, "flips", table(record))
        return
    machine = measure.machine()
    runtime.prepare(1)
    runtime.load_backend()
    found = measured(asked.studies, asked.data)
    measure.write("flips", {"machine": machine, "data": asked.name, "runs": found})


if __name__ == "__main__":
    main()

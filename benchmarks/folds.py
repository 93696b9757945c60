"""What to hand over after cross-validation: a fold's model, all of them, or new ones?

    python benchmarks/folds.py FOLDER --name "NAME OF THE IMAGES" --out runs/folds
    python benchmarks/folds.py --write docs/findings.md

FOLDER holds train/ and test/, with five classes or more. Few and unequal training
images are drawn, several times over. On each drawing hybrid-plus is trained in five
folds, and five times on all of it; all are asked about FOLDER's test images.
Finished trainings are kept: the same command goes on.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import measure
import numpy as np

from tessera import api, runtime, trained
from tessera.data import source
from tessera.data.dataset import Split
from tessera.evaluation import scores
from tessera.evaluation.differences import difference, spread
from tessera.phrases import points
from tessera.report import words
from tessera.report.committed import frontier, marked
from tessera.report.tables import markdown

RECORD = measure.RECORDS / "folds.json"

SIZES = (200, 100, 50, 30, 20)
"""Images of each class, in the order of their names."""

FOLDS, DRAWINGS, EPOCHS = 5, 5, 20

CHANGE = (
    'models=[{kind="hybrid-plus",training={batch_size=32}}]',
    'regimes=[{name="as-is",profile={kind="natural"}}]',
    f"training.epochs={EPOCHS}",
)

WAYS = {
    "told": "what the study in folds says of one seed",
    "fold": "one fold's model",
    "folds": "all five folds' models together",
    "whole": "one training on all images",
    "wholes": "five trainings on all images, together",
}
"""The first is of the drawn images; the others are of new ones."""


def draw(data: Path, to: Path, number: int) -> dict[str, Path]:
    """Lay the drawn images out twice: without a test set, and with all of FOLDER's.

    Args:
        data: FOLDER.
        to: Where.
        number: Of the drawing; decides which images.
    """
    random = np.random.default_rng(number)
    classes = sorted(path.name for path in (data / "train").iterdir())
    for name, size in zip(classes, SIZES, strict=False):
        pictures = sorted((data / "train" / name).iterdir())
        for at in random.permutation(len(pictures))[:size]:
            for place in (to / "alone" / name, to / "tested" / "train" / name):
                link(pictures[at], place / pictures[at].name)
        for picture in (data / "test" / name).iterdir():
            link(picture, to / "tested" / "test" / name / picture.name)
    return {"folds": to / "alone", "wholes": to / "tested"}


def link(picture: Path, place: Path) -> None:
    """Give a file a second name, unless it has it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        os.link(picture, place)


def right(model: trained.Trained, test: Split) -> float:
    """Its balanced accuracy: a mean of recalls, whatever the classes' sizes."""
    shares = model.probabilities(test.images)
    return scores.balanced_accuracy(shares, test.labels)


def measured(data: Path, out: Path, number: int) -> dict[str, float]:
    """Every way's balanced accuracy on one drawing."""
    places = draw(data, out / f"images-{number}", number)
    asked: dict[str, Any] = {"change": CHANGE, "verbose": False}
    pooled = api.study(
        str(places["folds"]), folds=FOLDS, seeds=1, out=out / f"folds-{number}", **asked
    )
    whole = api.study(
        str(places["wholes"]), seeds=FOLDS, out=out / f"wholes-{number}", **asked
    )
    test = source.load(source.from_argument(str(places["wholes"]))).test
    found = {"told": pooled.record.cells[0].scores["balanced_accuracy"].mean}
    for single, several, study in (
        ("fold", "folds", pooled),
        ("whole", "wholes", whole),
    ):
        together = trained.load(study.folder, ensemble=True)
        found[single] = float(np.mean([right(m, test) for m in together.members]))
        found[several] = right(together, test)
    return found


def table(record: Mapping[str, Any]) -> str:
    """The record as a table, and where it is from."""
    drawings: Sequence[Mapping[str, float]] = record["drawings"]
    values = {way: [drawing[way] for drawing in drawings] for way in WAYS}
    rows = [
        [
            told,
            words.percent(spread(values[way])),
            *(
                "" if way == other else less(values[way], values[other])
                for other in ("fold", "folds")
            ),
        ]
        for way, told in WAYS.items()
    ]
    head = ["Balanced accuracy of", "Mean", "Less one fold's", "Less all five folds'"]
    kept = f"Over {len(drawings)} drawings; differences in points, 95 % intervals."
    return f"{markdown(head, rows)}\n\n{kept} {frontier.origin(dict(record))}\n"


def less(first: Sequence[float], second: Sequence[float]) -> str:
    """The mean difference, drawing by drawing, with its interval."""
    found = difference(first, second)
    if found.low is None or found.high is None:
        return points(found.mean)
    return f"{points(found.mean)} [{points(found.low)}, {points(found.high)}]"


def main(
    name: str,
    description: str | None,
    measured: Callable[[Path, Path, int], dict[str, float]],
    table: Callable[[Mapping[str, Any]], str],
) -> None:
    """Measure every drawing and keep the record, or write its table.

    Args:
        name: Of the record, and of the page's part.
        description: Of the command.
        measured: What is found on a drawing of a folder, its trainings kept in another.
        table: The record as a page shows it.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", nargs="?", type=Path, help="FOLDER")
    parser.add_argument("--name", help="of the images, for the record")
    parser.add_argument("--out", type=Path, help="where trainings are kept")
    parser.add_argument("--write", type=Path, help="page for the record's table")
    asked = parser.parse_args()
    if asked.write:
        kept = (measure.RECORDS / f"{name}.json").read_text(encoding="utf-8")
        marked.replace(asked.write, name, table(json.loads(kept)))
        return
    machine = measure.machine()
    runtime.prepare(1)
    drawings = []
    for number in range(DRAWINGS):
        drawings.append(measured(asked.data, asked.out, number))
        print(number, drawings[-1], flush=True)
    record = {"machine": machine, "data": asked.name, "drawings": drawings}
    measure.write(name, record)


if __name__ == "__main__":
    main("folds", __doc__, measured, table)

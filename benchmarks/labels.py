"""How many wrong labels does a study in folds find, and how many right ones listed?

    python benchmarks/labels.py FOLDER --name "NAME OF THE IMAGES" --out runs/labels
    python benchmarks/labels.py --write docs/findings.md

FOLDER holds train/ with five classes or more. Few and unequal training images are
drawn, several times over, and some of every class are put in the folder of another. A
study in folds of hybrid-plus is made of each drawing, and `tessera.labels` is asked.
Finished trainings are kept: the same command goes on.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import folds
import measure
import numpy as np

from tessera import api
from tessera.evaluation.differences import spread
from tessera.report import words
from tessera.report.committed import frontier
from tessera.report.tables import markdown

RECORD = measure.RECORDS / "labels.json"

WRONG = 0.1
"""Of the images of each class."""

SHARES = {
    "planted": "of all labels are wrong",
    "listed": "of all labels are listed",
    "found": "of the wrong ones are among them",
    "right": "of those listed are wrong",
    "first": "of the first listed, as many as there are wrong ones, are wrong",
    "suggested": "of the wrong ones found are given back to their own class",
}


def draw(data: Path, to: Path, number: int) -> dict[str, tuple[str, str]]:
    """Lay the drawn images out, some of them in another class's folder.

    Returns:
        Of every image, by its place: the class that it is of, and its folder's.
    """
    random = np.random.default_rng(number)
    classes = sorted(path.name for path in (data / "train").iterdir())
    classes = classes[: len(folds.SIZES)]
    laid = {}
    for name, size in zip(classes, folds.SIZES, strict=True):
        others = [other for other in classes if other != name]
        pictures = sorted((data / "train" / name).iterdir())
        for count, at in enumerate(random.permutation(len(pictures))[:size]):
            wrong = count < round(WRONG * size)
            folder = str(random.choice(others)) if wrong else name
            place = f"{folder}/{name}-{pictures[at].name}"
            folds.link(pictures[at], to / place)
            laid[place] = name, folder
    return laid


def told(
    laid: Mapping[str, tuple[str, str]], listed: Sequence[tuple[str, str]]
) -> dict[str, float]:
    """What a list is worth, as `SHARES`.

    Args:
        laid: Of `draw`.
        listed: Images and suggestions, the most contradicted first.
    """
    wrong = {place for place, (own, folder) in laid.items() if own != folder}
    hits = [place in wrong for place, _ in listed]
    back = [laid[place][0] == said for place, said in listed if place in wrong]
    return {
        "planted": len(wrong) / len(laid),
        "listed": len(listed) / len(laid),
        "found": sum(hits) / len(wrong),
        "right": float(np.mean(hits)),
        "first": sum(hits[: len(wrong)]) / len(wrong),
        "suggested": float(np.mean(back)),
    }


def measured(data: Path, out: Path, number: int) -> dict[str, float]:
    """What the list of one drawing is worth."""
    place = out / f"wrong-{number}"
    laid = draw(data, place, number)
    study = api.study(
        str(place),
        folds=folds.FOLDS,
        seeds=1,
        change=folds.CHANGE,
        out=out / f"study-{number}",
        verbose=False,
    )
    rows = api.labels(study).rows
    return told(laid, [(row.image, row.suggested) for row in rows])


def table(record: Mapping[str, Any]) -> str:
    """The record as a table, and where it is from."""
    rows = [
        [words.percent(spread([one[key] for one in record["drawings"]])), text]
        for key, text in SHARES.items()
    ]
    return f"{markdown(['Percent', ''], rows)}\n\n{frontier.origin(dict(record))}\n"


if __name__ == "__main__":
    folds.main("labels", __doc__, measured, table)

"""The same test images through every model: a row for an image, a column for a cell.

Runs of one seed draw the images that they explain from one random order, so the first
image of every class is explained by all of them, whatever they answered.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from tessera.arrays import Indices
from tessera.evaluation.mistakes import drawn
from tessera.evaluation.outcomes import read
from tessera.phrases import plural
from tessera.record import CellSummary, Record
from tessera.report import confidence, shown
from tessera.report.drawing import Drawing
from tessera.report.gallery import hardest, overlay, thumbnail, uri
from tessera.report.load import Explained, Study, explained
from tessera.report.templates import render
from tessera.report.words import short

MOST_COLUMNS = 9
"""Maps beside an image; of more cells, those of the first regimes are shown."""
MOST_ROWS = 10
"""Classes; of more, those with the lowest recall for the first model."""
_LETTERS = 15
"""That there is room for above and below a picture."""


@dataclass(frozen=True)
class _Column:
    run: Record
    found: Explained


def side_by_side(study: Study) -> Drawing | None:
    """Draw them; None where fewer than two cells explained an image in common."""
    columns = _columns(study)
    if len(columns) < 2:
        return None
    # Of folds the pictures are the first's, which is the largest.
    folds = study.record.experiment.pooled or 1
    tested = -(-sum(study.record.data.test_counts) // folds)
    order = drawn(tested, columns[0].run.seed)
    chosen = _chosen(columns, order)
    return _drawing(study, columns, chosen) if chosen else None


def _columns(study: Study) -> list[_Column]:
    """Of the cells that fit, the first seed that most have: regime by regime."""
    models = len(study.record.experiment.models)
    fit = shown.regimes(study.record)[: max(MOST_COLUMNS // models, 1)]
    there = sorted(
        (cell for cell in study.record.cells if cell.regime in fit),
        key=lambda cell: fit.index(cell.regime),
    )
    made = [_column(study, cell) for cell in there]
    kept = [column for column in made if column is not None]
    commonest = Counter(column.run.seed for column in kept).most_common(1)
    return [c for c in kept if c.run.seed == commonest[0][0]][:MOST_COLUMNS]


def _column(study: Study, cell: CellSummary) -> _Column | None:
    key = cell.model, cell.regime
    folder = study.folders[*key, cell.seeds[0]]
    found = explained(folder.heatmaps)
    if found is None:
        return None
    return _Column(
        study.cells[key][0], confidence.calibrated(found, cell, read(folder))
    )


def _chosen(columns: Sequence[_Column], order: Indices) -> list[int]:
    """Of each class the first image in the order that all of them explained."""
    common = reduce(np.intersect1d, (column.found.indices for column in columns))
    found = columns[0].found
    label = dict(zip(found.indices.tolist(), found.labels.tolist(), strict=True))
    first: dict[int, int] = {}
    for i in order[np.isin(order, common)].tolist():
        first.setdefault(label[i], i)
    tested = [k for k in hardest(columns[0].run, MOST_ROWS) if k in first]
    return [first[k] for k in tested]


def _drawing(study: Study, columns: Sequence[_Column], chosen: list[int]) -> Drawing:
    names = study.record.data.class_names
    tested = sum(c.support > 0 for c in columns[0].run.scores.per_class)
    left_out = len(study.record.cells) - len(columns)
    return Drawing(
        key="gradcam-side-by-side",
        title="The same images through every model",
        caption=f"Seed {columns[0].run.seed}; of each class the test image that was "
        "drawn first, whatever the models say of it, and the map of what each model "
        "answers, with how sure it is. "
        f"Layers: {_layers(columns)}. Every map is scaled to its own maximum, so that "
        "brightness does not compare; where it lies does. Whether a percentage is "
        "calibrated is said with each cell's own pictures below."
        + (f" {_not_shown(left_out)}" if left_out else "")
        + (
            f" Shown are the {len(chosen)} classes with the lowest recall for "
            f"{columns[0].run.model} ({columns[0].run.regime})."
            if len(chosen) < tested and tested > MOST_ROWS
            else ""
        ),
        alternative=f"{plural(len(chosen), 'test image')}, no two of one class, each "
        "beside the maps of "
        f"{len(columns)} trained models.",
        svg=render(
            "side_by_side.svg",
            columns=[_heading(columns, i) for i in range(len(columns))],
            rows=[_row(columns, i, names) for i in chosen],
        ),
        images=True,
    )


def _not_shown(cells: int) -> str:
    verb = "is" if cells == 1 else "are"
    return f"{plural(cells, 'other cell')} {verb} not shown here."


def _layers(columns: Sequence[_Column]) -> str:
    """What was drawn, and on which layer of how many cells, once each."""
    told = (
        f"{c.found.method} on {c.found.layer} of {c.run.model} "
        f"({c.found.raw.shape[1]} by {c.found.raw.shape[2]} cells)"
        for c in columns
    )
    return ", ".join(dict.fromkeys(told))


def _heading(columns: Sequence[_Column], i: int) -> dict[str, object]:
    run = columns[i].run
    wide = sum(column.run.regime == run.regime for column in columns)
    return {
        "regime": short(run.regime, wide * _LETTERS),
        "model": short(run.model, _LETTERS),
        "opens": not i or columns[i - 1].run.regime != run.regime,
    }


def _row(columns: Sequence[_Column], i: int, names: Sequence[str]) -> dict[str, object]:
    found = columns[0].found
    at = int(np.flatnonzero(found.indices == i)[0])
    return {
        "image": uri(thumbnail(found.images[at])),
        "true": short(names[found.labels[at]], _LETTERS),
        "maps": [_map(column.found, i, names) for column in columns],
    }


def _map(found: Explained, i: int, names: Sequence[str]) -> dict[str, object]:
    at = int(np.flatnonzero(found.indices == i)[0])
    size = thumbnail(found.images[at]).size
    return {
        "overlay": "" if found.reasons[at] else uri(overlay(found.raw[at], size)),
        "reason": found.reasons[at],
        "said": short(names[found.predicted[at]], _LETTERS),
        "wrong": bool(found.predicted[at] != found.labels[at]),
        "sure": f"{100 * found.probabilities[at]:.0f} %",
    }

"""The mistakes worth looking at: lists from the predictions, pictures where stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tessera import files
from tessera.arrays import Indices, Probabilities
from tessera.evaluation.mistakes import Mistakes, mistakes
from tessera.evaluation.outcomes import Outcome, read
from tessera.evaluation.probabilities import softmax
from tessera.record import CellSummary, RunFolder, StudyRecord
from tessera.report import confidence
from tessera.report.drawing import Drawing
from tessera.report.gallery import overlay, thumbnail, uri
from tessera.report.load import Explained, Study, explained
from tessera.report.templates import render
from tessera.report.words import short

_PITCH, _HEAD, _COLUMNS = 154, 26, 2
"""Of the drawing's rows and of headings, as in `mistakes.svg`."""
_LETTERS = 40
"""Of a file's name that there is room for below a picture."""


@dataclass(frozen=True)
class Row:
    """A test image worth a second look."""

    position: int
    """In the test set."""
    label: str
    said: str
    confidence: float
    file: str = ""
    """Relative to the dataset's folder; empty where it is not known."""


@dataclass(frozen=True)
class Group:
    """One list, the most striking first."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Looked:
    """What one run got wrong."""

    title: str
    groups: tuple[Group, ...]
    sure: str
    """What its confidences are, the end of a sentence."""
    drawing: Drawing | None
    """None where no pictures are stored, or none are to be shown."""

    @property
    def named(self) -> bool:
        """Whether the images' files are known."""
        return any(row.file for group in self.groups for row in group.rows)


def looked_at(study: Study, *, images: bool) -> tuple[Looked, ...]:
    """The mistakes of each model's best cell, its first seed.

    The best cell is the recommended remedy's; without a recommendation the remedy with
    the highest mean macro-F1; without remedies the regime with the highest.
    """
    found = []
    for model in dict.fromkeys(c.model for c in study.record.cells):
        cell = best_cell(study.record, model)
        run = study.folders[model, cell.regime, cell.seeds[0]]
        outcome = read(run)
        if outcome is not None:
            found.append(_looked(study, cell, outcome, run, images=images))
    return tuple(f for f in found if f.groups)


def best_cell(record: StudyRecord, model: str) -> CellSummary:
    """The cell of a model that a reader would take home."""
    mine = {c.regime: c for c in record.cells if c.model == model}
    ranking = next((r for r in record.rankings if r.model == model), None)
    if ranking is not None:
        return mine[ranking.pick or ranking.remedies[0].regime]
    return max(mine.values(), key=lambda c: c.scores["macro_f1"].mean)


def _looked(
    study: Study, cell: CellSummary, outcome: Outcome, run: RunFolder, *, images: bool
) -> Looked:
    stored = explained(run.mistakes)
    warmth = confidence.temperature(cell, stored)
    # Chosen as the stored pictures were, so that every image of the lists has one.
    by = warmth if stored is None else stored.temperature
    found = mistakes(outcome.logits, outcome.labels, temperature=by or 1.0)
    shares = softmax(outcome.logits, warmth or 1.0)
    pictures = stored if images else None
    known = _files(run, pictures) if pictures else {}
    groups = _groups(found, outcome, shares, study.record.data.class_names, known)
    sure = confidence.words(warmth)
    return Looked(
        title=f"{cell.model}, {cell.regime}, seed {cell.seeds[0]}",
        groups=groups,
        sure=sure,
        drawing=_drawing(cell, groups, pictures, sure) if pictures else None,
    )


def _files(run: RunFolder, stored: Explained) -> dict[int, str]:
    """Position in the test set -> file, as far as the files are known.

    Pooled folds know all of them: not every image here has a picture there.
    """
    tested = files.read_arrays(run.predictions).get("names", ())
    pictured = zip(stored.indices.tolist(), stored.names, strict=False)
    return dict(enumerate(map(str, tested))) | dict(pictured)


def _groups(
    found: Mistakes,
    outcome: Outcome,
    shares: Probabilities,
    names: Sequence[str],
    known: Mapping[int, str],
) -> tuple[Group, ...]:
    def group(title: str, positions: Indices) -> Group:
        return Group(title, _rows(positions, outcome, shares, names, known))

    every = [
        group("The surest wrong answers", found.surest),
        *(
            group(
                f"{short(names[p.true])} taken for {short(names[p.predicted])}: "
                f"{p.count}, "
                f"{100 * p.share:.0f} % of the class",
                positions,
            )
            for p, positions in zip(found.pairs, found.typical, strict=True)
        ),
        group("Labels worth checking", found.doubtful),
    ]
    return tuple(g for g in every if g.rows)


def _rows(
    positions: Indices,
    outcome: Outcome,
    shares: Probabilities,
    names: Sequence[str],
    known: Mapping[int, str],
) -> tuple[Row, ...]:
    said = shares.argmax(axis=1)
    return tuple(
        Row(
            position=int(i),
            label=names[outcome.labels[i]],
            said=names[said[i]],
            confidence=float(shares[i].max()),
            file=known.get(int(i), ""),
        )
        for i in positions
    )


def _drawing(
    cell: CellSummary, groups: tuple[Group, ...], stored: Explained, sure: str
) -> Drawing | None:
    where = {position: i for i, position in enumerate(stored.indices.tolist())}
    pictures = [
        (group.title, [(row, where[row.position]) for row in known])
        for group in groups
        if (known := [row for row in group.rows if row.position in where])
    ]
    if not pictures:
        return None
    more = sum(len(group.rows) for group in groups) > sum(len(r) for _, r in pictures)
    return Drawing(
        key=f"mistakes-{cell.model}--{cell.regime}",
        title=f"{cell.model}, {cell.regime}",
        caption=f"Seed {cell.seeds[0]}; each image beside its {stored.method} map for "
        "the predicted class. Maps are scaled to their own maximum. "
        f"Percentages are {sure}. A label worth checking is one that the model "
        "contradicts; it may just as well be the model that errs."
        + " Images without a stored picture stand in the list alone."
        * more,
        alternative="Test images: "
        + "; ".join(f"{title} ({len(rows)})" for title, rows in pictures),
        svg=_svg(pictures, stored),
        images=True,
    )


def _svg(
    pictures: Sequence[tuple[str, Sequence[tuple[Row, int]]]], stored: Explained
) -> str:
    tall = sum(_HEAD + _PITCH * -(-len(rows) // _COLUMNS) for _, rows in pictures)
    return render(
        "mistakes.svg",
        groups=[
            {"title": title, "examples": [_example(row, i, stored) for row, i in rows]}
            for title, rows in pictures
        ],
        height=tall,
        pitch=_PITCH,
    )


def _example(row: Row, i: int, stored: Explained) -> dict[str, str]:
    image = thumbnail(stored.images[i])
    blank = bool(stored.reasons[i]) or not np.any(stored.raw[i] > 0)
    return {
        "image": uri(image),
        "overlay": "" if blank else uri(overlay(stored.raw[i], image.size)),
        "label": f"labelled {short(row.label)}",
        "said": f"said {short(row.said)}, {100 * row.confidence:.0f} %",
        "file": row.file or f"image {row.position}",
        "short": _short(row.file) or f"image {row.position}",
    }


def _short(file: str) -> str:
    """The end of a name that is too long to stand below a picture."""
    if len(file) <= _LETTERS:
        return file
    return f"\N{HORIZONTAL ELLIPSIS}{file[1 - _LETTERS :]}"

"""A study -> the run that stands for it wherever one model is wanted, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tessera.record import CellSummary, Record, StudyRecord


@dataclass(frozen=True)
class Chosen:
    """The run that stands for its study."""

    folder: str
    """Within the study's."""
    because: str
    """Why this one, in sentences."""


def chosen(
    study: StudyRecord,
    *,
    record: Callable[[str], Record],
    score: Callable[[str], float],
) -> Chosen:
    """Choose it.

    Only cells whose profile keeps the most images count: cells that keep fewer are
    validated on fewer images, or on others, so their scores say less and cannot be
    compared. Of those that the study's rankings pick, or of all where they pick none,
    the one with the highest validation balanced accuracy, averaged over its seeds,
    and in it the seed with the highest; the first of equals.

    Args:
        study: What it found.
        record: A run's folder within the study's -> its record.
        score: The same -> its balanced accuracy on validation images, 0..1.
    """
    most = _keeping_most(study.cells, record)
    picks = {(ranking.model, ranking.pick) for ranking in study.rankings}
    picked = [cell for cell in most if (cell.model, cell.regime) in picks]
    scored = [
        (cell, [score(folder) for folder in cell.folders]) for cell in picked or most
    ]
    cell, values = max(scored, key=lambda row: float(np.mean(row[1])))
    best = int(np.argmax(values))
    choice = _Choice(
        named=f"{cell.model}, {cell.regime}, seed {cell.seeds[best]}",
        validated=sum(record(cell.folders[best]).validation_counts),
        averaged=any(len(seeds) > 1 for _, seeds in scored),
        picked=len(picked),
        fewer=len(most) < len(study.cells),
        elsewhere=any(ranking.pick for ranking in study.rankings) and not picked,
    )
    return Chosen(cell.folders[best], _why(choice))


def _keeping_most(
    cells: Sequence[CellSummary], record: Callable[[str], Record]
) -> list[CellSummary]:
    """The cells with the most training and validation images together."""
    records = [record(cell.folders[0]) for cell in cells]
    kept = [sum(r.train_counts) + sum(r.validation_counts) for r in records]
    return [c for c, images in zip(cells, kept, strict=True) if images == max(kept)]


@dataclass(frozen=True)
class _Choice:
    """What there is to say of the run that stands for a study."""

    named: str
    validated: int
    """Its validation images."""
    averaged: bool
    """Whether several seeds decided which cell is the best."""
    picked: int
    """Cells that the report recommends, of those that keep the most images."""
    fewer: bool
    """Whether other cells keep fewer images."""
    elsewhere: bool
    """Whether the report recommends only such cells."""


def _why(choice: _Choice) -> str:
    images = f"{choice.validated:,} validation images"
    if choice.picked == 1:
        return (
            f"The run used is {choice.named}: what the study's report recommends. Of "
            f"its seeds it is the best on {images}."
        )
    # Another cell may have the best single seed.
    mean, own = (
        (" on average over seeds", ", and of it the best seed")
        if choice.averaged
        else ("", "")
    )
    if choice.picked:
        return (
            f"The run used is {choice.named}: of the {choice.picked} that the study's "
            f"report recommends, the best{mean} on {images}{own}."
        )
    among = ", of the regimes that keep the most images" if choice.fewer else ""
    told = (
        "What the study's report recommends is for regimes that keep fewer images."
        if choice.elsewhere
        else "The study's report recommends no remedy beyond doubt."
    )
    return (
        f"{told} The run used is {choice.named}: the best{mean} on "
        f"{images}{among}{own}."
    )

"""A study -> the run that stands for it wherever one model is wanted, and why."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from tessera.phrases import plural
from tessera.record import CellSummary, Record, StudyRecord


@dataclass(frozen=True)
class Chosen:
    """The run that stands for its study."""

    folder: str
    """Within the study's."""
    because: str
    """Why this one, in sentences."""
    cell: CellSummary
    """Whose run it is."""
    together: str
    """Why the runs of this cell, where all of them answer together."""


def chosen(
    study: StudyRecord,
    *,
    record: Callable[[str], Record],
    score: Callable[[str], float],
) -> Chosen:
    """Choose it.

    Only cells whose profile keeps the most images count: cells that keep fewer are
    validated on fewer images, or on others, so their scores say less and cannot be
    compared. Of those that the study's rankings pick and, for models of which they pick
    none, their plain training, or of all where no ranking picks one, the one with the
    highest validation balanced accuracy, averaged over its seeds, and in it the seed
    with the highest; the first of equals.

    Args:
        study: What it found.
        record: A run's folder within the study's -> its record.
        score: The same -> its balanced accuracy on validation images, 0..1.
    """
    most = _keeping_most(study.cells, record)
    picks = {(ranking.model, ranking.pick) for ranking in study.rankings}
    picked = [cell for cell in most if (cell.model, cell.regime) in picks]
    plain = _plain(study, most, {cell.model for cell in picked}) if picked else []
    scored = [
        (cell, [score(folder) for folder in cell.folders])
        for cell in [*picked, *plain] or most
    ]
    cell, values = max(scored, key=lambda row: float(np.mean(row[1])))
    best = int(np.argmax(values))
    choice = _Choice(
        cell=cell,
        seed=cell.seeds[best],
        held=_held(study, record(cell.folders[best])),
        folds=study.experiment.pooled,
        averaged=any(len(seeds) > 1 for _, seeds in scored),
        picked=len(picked),
        plain=bool(plain),
        fewer=len(most) < len(study.cells),
        elsewhere=any(ranking.pick for ranking in study.rankings) and not picked,
    )
    return Chosen(cell.folders[best], _why_run(choice), cell, _why_together(choice))


def _keeping_most(
    cells: Sequence[CellSummary], record: Callable[[str], Record]
) -> list[CellSummary]:
    """The cells with the most training and validation images together."""
    records = [record(cell.folders[0]) for cell in cells]
    kept = [sum(r.train_counts) + sum(r.validation_counts) for r in records]
    return [c for c, images in zip(cells, kept, strict=True) if images == max(kept)]


def _held(study: StudyRecord, run: Record) -> str:
    if study.experiment.pooled:  # its counts are those of the first fold
        return "the validation images of all folds"
    return f"{sum(run.validation_counts):,} validation images"


def _plain(
    study: StudyRecord, most: Sequence[CellSummary], models: Collection[str]
) -> list[CellSummary]:
    """Plain training of the models for which the rankings pick no remedy."""
    names = {(r.model, r.plain) for r in study.rankings if r.model not in models}
    return [cell for cell in most if (cell.model, cell.regime) in names]


@dataclass(frozen=True)
class _Choice:
    """What there is to say of the run that stands for a study."""

    cell: CellSummary
    seed: int
    held: str
    """Its validation images, in words."""
    folds: int
    """That a run stands for; 0: for none."""
    averaged: bool
    """Whether several seeds decided which cell is the best."""
    picked: int
    """Cells that the report recommends, of those that keep the most images."""
    plain: bool
    """Whether there was also a model for which it recommends no remedy."""
    fewer: bool
    """Whether other cells keep fewer images."""
    elsewhere: bool
    """Whether the report recommends only such cells."""


def _why_run(choice: _Choice) -> str:
    cell = choice.cell
    used = f"The run used is {cell.model}, {cell.regime}, seed {choice.seed}"
    if choice.picked == 1 and not choice.plain:
        return (
            f"{used}: what the study's report recommends. Of its seeds it is the best "
            f"on {choice.held}."
        )
    # Another cell may have the best single seed.
    return _why(choice, used, ", and of it the best seed" if choice.averaged else "")


def _why_together(choice: _Choice) -> str:
    used = _all_of(choice)
    if choice.picked == 1 and not choice.plain:
        why = f"{used}: what the study's report recommends."
    else:
        why = _why(choice, used)
    return f"{why} They answer together, with the mean of their probabilities."


def _all_of(choice: _Choice) -> str:
    cell, seeds = choice.cell, len(choice.cell.seeds)
    which = f"{cell.model}, {cell.regime}"
    if not choice.folds:
        return f"The runs used are all {seeds} of {which}"
    return (
        f"The runs used are all {choice.folds * seeds} of {which} ({choice.folds} "
        f"folds of {plural(seeds, 'seed')})"
    )


def _why(choice: _Choice, used: str, which: str = "") -> str:
    """Why this cell, after the words on what of it is used, and then which of it."""
    mean = " on average over seeds" if choice.averaged else ""
    best = f"the best{mean} on {choice.held}"
    if choice.plain:
        return (
            f"{used}: of what the study's report recommends for each model, plain "
            f"training where it recommends no remedy, {best}{which}."
        )
    if choice.picked:
        return (
            f"{used}: of the {choice.picked} that the study's report recommends, "
            f"{best}{which}."
        )
    among = ", of the regimes that keep the most images" if choice.fewer else ""
    told = (
        "What the study's report recommends is for regimes that keep fewer images."
        if choice.elsewhere
        else "The study's report recommends no remedy beyond doubt."
    )
    return f"{told} {used}: {best}{among}{which}."

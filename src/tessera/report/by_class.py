"""Precision, recall and F1 of every class under every regime, as tables."""

from dataclasses import dataclass

from tessera.evaluation.comparison import reduced_classes
from tessera.record import CellSummary
from tessera.report.load import Study

_BESIDE = 4
"""Regimes that stand beside one another on the page's width."""


@dataclass(frozen=True)
class ClassRow:
    """One class under every regime of the table."""

    name: str
    rare: bool
    """Whether some regime of the study reduces it."""
    scores: tuple[str, ...]
    """Percent: precision, recall and F1 of each regime; empty without test images."""


@dataclass(frozen=True)
class ClassTable:
    """The classes of one model under some regimes."""

    model: str
    regimes: tuple[str, ...]
    rows: tuple[ClassRow, ...]


def tables(study: Study) -> tuple[ClassTable, ...]:
    """Tables of a few regimes each, model by model; together they hold every cell.

    A study of an earlier version, which did not store these scores, has none.
    """
    cells = [cell for cell in study.record.cells if cell.per_class_f1]
    found = []
    for model in dict.fromkeys(cell.model for cell in cells):
        own = [cell for cell in cells if cell.model == model]
        for first in range(0, len(own), _BESIDE):
            found.append(_table(study, own[first : first + _BESIDE]))
    return tuple(found)


def _table(study: Study, cells: list[CellSummary]) -> ClassTable:
    data, rare = study.record.data, reduced_classes(study.records)
    tested = zip(data.class_names, data.test_counts, strict=True)
    return ClassTable(
        model=cells[0].model,
        regimes=tuple(cell.regime for cell in cells),
        rows=tuple(
            ClassRow(
                name=name,
                rare=i in rare,
                scores=tuple(
                    text
                    for cell in cells
                    for text in (_scores(cell, name) if images else ("", "", ""))
                ),
            )
            for i, (name, images) in enumerate(tested)
        ),
    )


def _scores(cell: CellSummary, name: str) -> tuple[str, ...]:
    of = (cell.per_class_precision, cell.per_class_recall, cell.per_class_f1)
    return tuple(f"{100 * score[name].mean:.1f}" for score in of)

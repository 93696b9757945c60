"""Studies of one model's variants -> the table of what each ingredient contributes.

python -m tessera.report.committed.ablation docs/hybrid-plus.md results/ablation
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tessera.evaluation.blocks import Contribution, against_first
from tessera.evaluation.differences import spread
from tessera.phrases import plural, points
from tessera.record import CellSummary, StudyRecord
from tessera.report import provenance, words
from tessera.report.committed import marked
from tessera.report.load import Study, load
from tessera.report.tables import markdown

SCORE = "val_balanced_accuracy"
"""Of a history's row: choices are made on validation images, never on the test set."""


def ablation(*studies: Study) -> str:
    """The table of variants, each compared with the first study's first cell.

    Args:
        studies: With together at least 2 cells, each cell of the same seeds, at least
            2. A cell that an earlier study has too, the same runs, counts once; one of
            another regime than the first goes by its regime's name.

    Raises:
        ValueError: There are too few cells or seeds, or the seeds differ.
    """
    found = variants(studies)
    scores = [variant.scores for variant in found]
    rows = [
        [
            variant.name,
            words.percent(spread(variant.scores)),
            *(("", "") if less is None else _words(less)),
            f"{variant.cell.parameters:,}",
            words.millions(variant.cell.multiply_adds),
        ]
        for variant, less in zip(found, (None, *against_first(scores)), strict=True)
    ]
    base = f"Less {found[0].name}, points"
    head = ["Variant", "Balanced accuracy", base, "Decided"]
    table = markdown([*head, "Parameters", "Multiply-adds"], rows)
    data, asked = studies[0].record.data, studies[0].record.experiment
    note = (
        f"**{data.name}**, {plural(asked.training.epochs, 'epoch')}: balanced accuracy "
        "on validation images, on which ingredients are chosen, in percent, mean "
        f"{words.PLUS_MINUS} standard deviation over "
        f"{plural(len(asked.seeds), 'seed')}; differences with 95 % intervals from the "
        "scatter of all variants (docs/methods.md, *Ablation*); decided: after Holm's "
        "correction."
    )
    sources = [f"`{s.folder.path.name}`: {provenance.line(s.record)}" for s in studies]
    return "\n\n".join([note, table, *sources]) + "\n"


@dataclass(frozen=True)
class Variant:
    """A cell and the best validation score of each of its runs, by rising seed."""

    name: str
    cell: CellSummary
    scores: tuple[float, ...]


def variants(studies: Sequence[Study]) -> Sequence[Variant]:
    """The cells of all studies, each once, in order.

    Raises:
        ValueError: A study has other data, epochs or seeds than the first.
    """
    first = studies[0].record
    found: dict[tuple[str, ...], Variant] = {}
    for study in studies:
        _comparable(study.record, first)
        for cell in study.record.cells:
            usual = cell.regime == first.cells[0].regime
            name = cell.model if usual else cell.regime
            scores = _validation(study, cell.model, cell.regime)
            # A run's folder is named after all that decides its result.
            found.setdefault(cell.folders, Variant(name, cell, tuple(scores)))
    return list(found.values())


def _comparable(one: StudyRecord, first: StudyRecord) -> None:
    for what, its, expected in (
        ("data", one.data.fingerprint, first.data.fingerprint),
        ("epochs", one.experiment.training.epochs, first.experiment.training.epochs),
        ("seeds", one.experiment.seeds, first.experiment.seeds),
    ):
        if its != expected:
            raise ValueError(
                f"{one.experiment.name}: expected the {what} of "
                f"{first.experiment.name}, {expected}. Received: {its}."
            )


def _validation(study: Study, model: str, regime: str) -> list[float]:
    """The best epoch's score, by rising seed."""
    return [float(h[SCORE].max()) for h in study.histories(model, regime)]


def _words(found: Contribution) -> tuple[str, str]:
    if found.low is None or found.high is None:
        return points(found.mean), "no"
    interval = f"{points(found.mean)} [{points(found.low)}, {points(found.high)}]"
    if not found.decided:
        return interval, "no"
    return interval, "better" if found.mean > 0 else "worse"


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a page with markers, then the studies' folders."""
    if len(arguments) < 2:
        raise SystemExit(
            "usage: python -m tessera.report.committed.ablation PAGE.md STUDY..."
        )
    page, *folders = map(Path, arguments)
    try:
        marked.replace(page, "ablation", ablation(*map(load, folders)))
    except ValueError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main(sys.argv[1:])

"""Committed studies -> the table of what their seeds gain when they answer together.

python -m tessera.report.committed.ensembles docs/findings.md results/study results/plus
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tessera.evaluation.comparison import reduced_classes
from tessera.evaluation.ensemble import ensemble
from tessera.evaluation.outcomes import Outcome, read
from tessera.phrases import plural
from tessera.record import CellSummary
from tessera.report import provenance
from tessera.report.committed import marked
from tessera.report.ensembles import gain_in_words, other_images
from tessera.report.load import Study, load
from tessera.report.tables import markdown

HEAD = (
    "Study",
    "Model",
    "Regime",
    "Single",
    "Together",
    "Macro-F1, gain",
    "Rare classes' recall, gain",
)


def asked(study: Study) -> Iterator[CellSummary]:
    """Cells of several seeds with their ensemble, which older studies lack."""
    for cell in study.record.cells:
        runs = [study.folders[cell.model, cell.regime, seed] for seed in cell.seeds]
        members = [one for run in runs if (one := read(run)) is not None]
        if len(members) == len(runs) > 1:
            yield cell if cell.ensemble else _together(study, cell, members)


def _together(
    study: Study, cell: CellSummary, members: Sequence[Outcome]
) -> CellSummary:
    warmth = cell.temperature.values if cell.temperature else (1.0,) * len(members)
    own = study.cells[cell.model, cell.regime][0].reduced_classes
    rare = own or reduced_classes(study.records)
    return cell.model_copy(update={"ensemble": ensemble(members, warmth, rare)})


def table(studies: Sequence[Study]) -> str:
    """Caption, one table of all studies, and where each comes from."""
    caption = (
        "Macro-F1 on test images in percent: the mean of single runs, and of all seeds "
        "of a cell together. Gains in points, with 95 % intervals over test images. "
        "\\*: each seed has other images of the classes that are cut."
    )
    rows = [row for study in studies for row in _rows(study)]
    sources = "\n".join(map(_source, studies))
    return f"{caption}\n\n{markdown(HEAD, rows)}\n\n{sources}"


def _rows(study: Study) -> Iterator[list[str]]:
    others = other_images(study)
    for cell in asked(study):
        assert cell.ensemble is not None
        rare = "reduced_recall" in cell.ensemble.gains
        yield [
            study.folder.path.name,
            cell.model,
            f"{cell.regime} \\*" if cell.regime in others else cell.regime,
            f"{100 * cell.scores['macro_f1'].mean:.1f}",
            f"{100 * cell.ensemble.scores['macro_f1']:.1f}",
            gain_in_words(cell, "macro_f1"),
            gain_in_words(cell, "reduced_recall") if rare else "",
        ]


def _source(study: Study) -> str:
    asked = study.record.experiment
    return (
        f"`{study.folder.path.name}`: {study.record.data.name}, "
        f"{plural(len(asked.seeds), 'seed')} of "
        f"{plural(asked.training.epochs, 'epoch')}. {provenance.line(study.record)}\n"
    )


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a page with markers, then the studies' folders."""
    if len(arguments) < 2:
        raise SystemExit(
            "usage: python -m tessera.report.committed.ensembles PAGE.md STUDY..."
        )
    page, *studies = map(Path, arguments)
    marked.replace(page, "ensembles", table([load(folder) for folder in studies]))


if __name__ == "__main__":
    main(sys.argv[1:])

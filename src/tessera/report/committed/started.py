"""A study with twins that start from a run -> the table of what the start brings.

python -m tessera.report.committed.started docs/findings.md results/start
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tessera.evaluation.ranking import family
from tessera.phrases import plural
from tessera.record import CellSummary, StudyRecord
from tessera.report import provenance, words
from tessera.report.committed import marked
from tessera.report.load import Study, load
from tessera.report.tables import change, markdown

SCORES = ("macro_f1", "reduced_recall")


@dataclass(frozen=True)
class Pair:
    """A model under a regime, and its twin that starts from a run."""

    drawn: CellSummary
    started: CellSummary

    def gains(self, score: str) -> list[float]:
        """Of the twin over the model, seed by seed."""
        one, other = self.started.scores[score], self.drawn.scores[score]
        return [a - b for a, b in zip(one.values, other.values, strict=True)]


def pairs(record: StudyRecord) -> Iterator[Pair]:
    """Each twin beside the model that differs in nothing but the start.

    Raises:
        ValueError: They have other seeds.
    """
    models = record.experiment.models
    cells = {(cell.model, cell.regime): cell for cell in record.cells}
    for twin in (model for model in models if model.start):
        like = next(
            model
            for model in models
            if not model.start
            and (model.network, model.training) == (twin.network, twin.training)
        )
        for regime in record.experiment.regimes:
            drawn, started = (cells[m.label, regime.name] for m in (like, twin))
            if drawn.seeds != started.seeds:
                raise ValueError(
                    f"{twin.label}: expected the seeds of {like.label}, "
                    f"{drawn.seeds}. Received: {started.seeds}."
                )
            yield Pair(drawn, started)


def table(study: Study) -> str:
    """A line for each pair, with what all of their runs say of the start."""
    record, asked = study.record, study.record.experiment
    found = list(pairs(record))
    changes = iter(family([pair.gains(score) for pair in found for score in SCORES]))
    rows = [
        [
            pair.drawn.model,
            pair.drawn.regime,
            *(words.percent(c.scores["macro_f1"]) for c in (pair.drawn, pair.started)),
            *(change(next(changes)) for _ in SCORES),
        ]
        for pair in found
    ]
    head = ["Model", "Regime", "Weights drawn", "Started", "Macro-F1, gain"]
    note = (
        f"**{record.data.name}**, {plural(asked.training.epochs, 'epoch')}: macro-F1 "
        f"on test images in percent, mean {words.PLUS_MINUS} standard deviation over "
        f"{plural(len(asked.seeds), 'seed')}; gains in points with 95 % intervals over "
        "seeds; bold: decided after Holm's correction."
    )
    (begun,) = {note for r in study.records for note in r.notes if _of_start(note)}
    body = markdown([*head, "Rare classes' recall, gain"], rows)
    return "\n\n".join([note, body, begun, provenance.line(record)]) + "\n"


def _of_start(note: str) -> bool:
    return note.startswith("Starts from the weights")


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a page with markers, then the study's folder."""
    if len(arguments) != 2:
        raise SystemExit(
            "usage: python -m tessera.report.committed.started PAGE.md STUDY"
        )
    page, folder = map(Path, arguments)
    marked.replace(page, "started", table(load(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Models that differ in one thing, side by side -> a table of what it brings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tessera.evaluation.ranking import family
from tessera.experiment import Model
from tessera.phrases import plural
from tessera.record import CellSummary, StudyRecord
from tessera.report import provenance, words
from tessera.report.committed import marked
from tessera.report.load import Study, load
from tessera.report.tables import change, markdown

SCORES = ("macro_f1", "reduced_recall")


@dataclass(frozen=True)
class Pair:
    """A model under a regime, and its twin."""

    model: CellSummary
    twin: CellSummary

    def gains(self, score: str) -> list[float]:
        """Of the twin over the model, seed by seed."""
        one, other = self.twin.scores[score], self.model.scores[score]
        return [a - b for a, b in zip(one.values, other.values, strict=True)]


def pairs(
    record: StudyRecord,
    is_twin: Callable[[Model], bool],
    bare: Callable[[Model], object],
) -> Iterator[Pair]:
    """Each twin beside the model that differs in nothing else.

    Args:
        record: The study.
        is_twin: Whether a model has the one thing.
        bare: What a model is without it; the same of a model and its twin.

    Raises:
        ValueError: They have other seeds.
    """
    models = record.experiment.models
    cells = {(cell.model, cell.regime): cell for cell in record.cells}
    for twin in filter(is_twin, models):
        like = next(m for m in models if not is_twin(m) and bare(m) == bare(twin))
        for regime in record.experiment.regimes:
            one, other = (cells[m.label, regime.name] for m in (like, twin))
            if one.seeds != other.seeds:
                raise ValueError(
                    f"{twin.label}: expected the seeds of {like.label}, "
                    f"{one.seeds}. Received: {other.seeds}."
                )
            yield Pair(one, other)


def table(
    study: Study, found: Sequence[Pair], heads: tuple[str, str], *told: str
) -> str:
    """A line for each pair.

    Args:
        study: What they are of.
        found: The pairs.
        heads: What the model and its twin are called.
        told: Sentences below the table.
    """
    record, asked = study.record, study.record.experiment
    changes = iter(family([pair.gains(score) for pair in found for score in SCORES]))
    rows = [
        [
            pair.model.model,
            pair.model.regime,
            *(words.percent(c.scores["macro_f1"]) for c in (pair.model, pair.twin)),
            *(change(next(changes)) for _ in SCORES),
        ]
        for pair in found
    ]
    head = ["Model", "Regime", *heads, "Macro-F1, gain", "Rare classes' recall, gain"]
    note = (
        f"**{record.data.name}**, {plural(asked.training.epochs, 'epoch')}: macro-F1 "
        f"on test images in percent, mean {words.PLUS_MINUS} standard deviation over "
        f"{plural(len(asked.seeds), 'seed')}; gains in points with 95 % intervals over "
        "seeds; bold: decided after Holm's correction."
    )
    parts = [note, markdown(head, rows), *told, provenance.line(record)]
    return "\n\n".join(parts) + "\n"


def write(arguments: Sequence[str], name: str, made: Callable[[Study], str]) -> None:
    """Run from the command line: a page with markers, then the study's folder.

    Args:
        arguments: Those two.
        name: Of the module that runs, and of its markers.
        made: What stands between them.
    """
    if len(arguments) != 2:
        raise SystemExit(
            f"usage: python -m tessera.report.committed.{name} PAGE.md STUDY"
        )
    page, folder = map(Path, arguments)
    marked.replace(page, name, made(load(folder)))

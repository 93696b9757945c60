"""Accuracy after training in 16 bits, beside the same seeds trained in 32.

    python benchmarks/precision.py

Reads results/precision (`tessera study experiments/precision.toml`, collected): models
named NAME and NAME-16, whose trainings differ in nothing but `training.precision`.
"""

from pathlib import Path

from tessera.evaluation.differences import difference
from tessera.evaluation.evidence import describe
from tessera.record import CellSummary, StudyFolder, StudyRecord
from tessera.report import provenance, words
from tessera.report.tables import markdown

STUDY = Path(__file__).parents[1] / "results" / "precision"
ENDING = "-16"


def read() -> StudyRecord:
    text = StudyFolder(STUDY).study.read_text(encoding="utf-8")
    return StudyRecord.model_validate_json(text)


def table(record: StudyRecord) -> str:
    """One line a model: both accuracies over the same seeds, and the difference."""
    cells = {cell.model: cell for cell in record.cells}
    rows = [
        _row(cells[name], cells[name + ENDING])
        for name in cells
        if name + ENDING in cells
    ]
    head = ["Model", "Seeds", "32 bits", "16 bits", "16 bits less 32, test accuracy"]
    made = f"{record.data.name}, {record.experiment.training.epochs} epochs. "
    return f"{markdown(head, rows)}\n\n{made}{provenance.line(record)}"


def _row(whole: CellSummary, coarse: CellSummary) -> list[str]:
    if whole.seeds != coarse.seeds:
        raise ValueError(
            f"{whole.model}: expected the same seeds in both precisions. Received: "
            f"{whole.seeds} and {coarse.seeds}."
        )
    one, other = (cell.scores["accuracy"] for cell in (whole, coarse))
    return [
        whole.model,
        str(len(whole.seeds)),
        words.percent(one),
        words.percent(other),
        describe(difference(other.values, one.values)),
    ]


if __name__ == "__main__":
    print(table(read()))

"""A study -> the sentence on which of its runs the other commands take."""

from tessera import files
from tessera.evaluation.chosen import chosen
from tessera.evaluation.scores import balanced_accuracy
from tessera.record import RunFolder
from tessera.report.load import Study


def sentence(study: Study) -> str:
    """Which run they take, and why; empty where the runs left no weights.

    A collected study has none, and lacks the validation predictions that decide.
    """
    runs = {
        name: (run, study.folders[run.model, run.regime, run.seed])
        for cell in study.record.cells
        for name, run in zip(
            cell.folders, study.cells[cell.model, cell.regime], strict=True
        )
    }
    for _, folder in runs.values():
        if not (folder.weights.exists() and folder.validation_predictions.exists()):
            return ""
    return chosen(
        study.record,
        record=lambda name: runs[name][0],
        score=lambda name: _validation_score(runs[name][1]),
    ).because


def _validation_score(run: RunFolder) -> float:
    held = files.read_arrays(run.validation_predictions)
    return balanced_accuracy(held["logits"], held["labels"])

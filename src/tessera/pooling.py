"""The trainings of a cell and seed in all folds -> the folder of one run.

Test and validation answers are put one behind the other, fold by fold; everything else
is what the folds have in common, or their mean, or the first one's.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tessera import files, history, settings
from tessera.evaluation import outcomes, probabilities, scores
from tessera.experiment import Experiment, Run
from tessera.record import DataSummary, Record, RunFolder, StudyFolder

Finished: TypeAlias = tuple[RunFolder, Record]


def pool(
    experiment: Experiment,
    data: DataSummary,
    run: Sequence[Finished],
    out: StudyFolder,
    names: Sequence[str],
) -> Finished:
    """Leave the answers of a run's folds in a folder, as those of one run.

    Args:
        experiment: Of all folds together.
        data: The data, of which every image is a test image.
        run: What every fold's training left, in order.
        out: The folder of the study that pools them.
        names: Of the test images' files, fold by fold.
    """
    folders, records = zip(*run, strict=True)
    digest = digest_of(records)
    asked = _asked(experiment, records[0])
    folder = out.run(asked.cell, digest, asked.seed)
    folder.record.unlink(missing_ok=True)
    files.write_text(folder.experiment, settings.dumps(asked.experiment()))
    # Runs of earlier versions have no names with their answers.
    _pool_answers(folders, folder, "predictions", names=np.array(names, np.str_))
    _pool_answers(folders, folder, "validation_predictions")
    _pool_mistakes(folders, folder)
    histories = [history.read(found) for found in folders]
    history.write(folder, tuple(map(_mean, zip(*histories, strict=False))))
    if folders[0].heatmaps.exists():  # their positions are the first fold's
        pictures = files.read_arrays(folders[0].heatmaps)
        files.write_arrays(folder.heatmaps, **pictures)
    record = _record(records, folder, data, digest)
    files.write_text(folder.record, record.model_dump_json(indent=2) + "\n")
    return folder, record


def digest_of(records: Sequence[Record]) -> str:
    """Of a run that pools folds: it changes with any fold's."""
    return hashlib.sha256("".join(r.digest for r in records).encode()).hexdigest()


def _asked(experiment: Experiment, record: Record) -> Run:
    """The run that a fold's run is a part of."""
    wanted = record.model, record.regime, record.seed
    named = {(r.model.label, r.regime.name, r.seed): r for r in experiment.runs()}
    return named[wanted]


def _pool_answers(
    folders: Sequence[RunFolder], to: RunFolder, name: str, **more: Any
) -> None:
    """Put the folds' answers one behind the other; positions count on."""
    found = [files.read_arrays(getattr(folder, name)) for folder in folders]
    joined = {key: np.concatenate([one[key] for one in found]) for key in found[0]}
    joined["indices"] = np.arange(len(joined["labels"]))
    files.write_arrays(getattr(to, name), **(joined | more))


def _pool_mistakes(folders: Sequence[RunFolder], to: RunFolder) -> None:
    """Put the folds' pictures of mistakes together, as sure as all answers tell."""
    tested = [len(files.read_arrays(one.predictions)["labels"]) for one in folders]
    found = [
        (begin, files.read_arrays(one.mistakes))
        for begin, one in zip(np.cumsum([0, *tested]), folders, strict=False)
        if one.mistakes.exists()
    ]
    to.mistakes.unlink(missing_ok=True)
    answers = outcomes.read(to)
    if not found or answers is None:
        return
    joined = {
        name: np.concatenate([one[name] for _, one in found])
        for name in found[0][1]
        if name not in ("temperature", "layer", "method", "cautions")
    }
    where = np.concatenate([begin + one["indices"] for begin, one in found])
    warmth = outcomes.fitted(answers) or 1.0
    shares = probabilities.softmax(answers.logits[where], warmth)
    joined |= {
        "indices": where,
        "probabilities": probabilities.of_class(shares, joined["targets"]),
        "temperature": np.array(warmth),
    }
    files.write_arrays(to.mistakes, **found[0][1] | joined)


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean over the folds of what each said of an epoch."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _record(
    records: Sequence[Record], folder: RunFolder, data: DataSummary, digest: str
) -> Record:
    """What the folds' runs are together; of counts and settings, the first one's."""
    answers = files.read_arrays(folder.predictions)
    predicted = answers["logits"].argmax(axis=1)
    busy = [r.train_cpu_seconds for r in records if r.train_cpu_seconds is not None]
    return records[0].model_copy(
        update={
            "digest": digest,
            "scores": scores.scores(answers["labels"], predicted, data.class_names),
            "best_epoch": round(float(np.median([r.best_epoch for r in records]))),
            "train_seconds": sum(r.train_seconds for r in records),
            "train_cpu_seconds": sum(busy) if len(busy) == len(records) else None,
            "images_per_second": float(np.mean([r.images_per_second for r in records])),
            "notes": told_once([r.notes for r in records]),
            "tuned": _mean([r.tuned for r in records]),
            "data": data,
            "finished_at": max(r.finished_at for r in records),
        }
    )


def told_once(notes: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Each fold's notes; what all of them say is said once."""
    shared = set.intersection(*map(set, notes))
    own = [
        f"Fold {number}: {note}"
        for number, one in enumerate(notes, 1)
        for note in one
        if note not in shared
    ]
    return (*(note for note in notes[0] if note in shared), *own)

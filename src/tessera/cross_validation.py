"""A study in which every image is tested: a study for each fold, their answers pooled.

Each image is answered by a model that learned from the other folds (Stone 1974). Scores
are those of all answers together, not means over folds: of a class with few images a
fold tests one or two, whose F1 says little (Forman and Scholz 2010).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tessera import beforehand, files, history, runtime, settings, starts, study
from tessera.data.dataset import Dataset
from tessera.evaluation import outcomes, probabilities, scores, study_record
from tessera.experiment import Experiment, Folder, Run
from tessera.record import DataSummary, Record, RunFolder, StudyFolder, StudyRecord


@dataclass(frozen=True)
class Part:
    """One fold's study."""

    experiment: Experiment
    folder: Path


def parts(experiment: Experiment, out: Path) -> tuple[Part, ...]:
    """The studies of all folds, in order; none where no folds are asked for.

    Args:
        experiment: What was asked for.
        out: The folder of the study that they are parts of.
    """
    data = experiment.data
    return tuple(
        Part(
            experiment.model_copy(
                update={"data": data.model_copy(update={"fold": number})}
            ),
            out / f"fold-{number}",
        )
        for number in range(1, experiment.pooled + 1)
    )


def divided(experiment: Experiment, folds: int, option: str = "folds") -> Experiment:
    """An experiment of so many folds.

    Raises:
        ExperimentError: Its data is no image folder.
    """
    data = experiment.data
    if not isinstance(data, Folder):
        raise settings.ExperimentError(
            f"{option}: expected an image folder, whose images are all tested in turn. "
            f"Received: {data.kind}, which has a test set."
        )
    divided = data.model_copy(update={"folds": folds, "fold": None})
    return experiment.model_copy(update={"data": divided})


def no_models(out: Path, folds: Sequence[Part]) -> str:
    """What to say to whoever asks the pooled study for a model."""
    return (
        f"{out}: expected a study with models. Received: what {len(folds)} folds "
        "answered together; each model lies in the study of its fold. Give one of "
        f"those, such as {folds[0].folder}"
    )


def whole(first: Dataset, folds: int) -> Dataset:
    """What all folds together are called and known by.

    Args:
        first: The first fold.
        folds: How many there are.
    """
    text = f"{folds} folds of {first.fingerprint}"
    mark = hashlib.sha256(text.encode()).hexdigest()
    return replace(first, fingerprint=mark)


def examine(
    folds: Sequence[Part], datasets: Sequence[Dataset], out: Path, option: str
) -> None:
    """Refuse what will not do in any fold, before the first is trained.

    Args:
        folds: With the regimes that suit the data; none: the study is whole.
        datasets: What each of them learns from and is tested on.
        out: The folder of the study.
        option: How the caller's user says the folder; a path is put behind it.

    Raises:
        StudyError: A folder holds a study of other data.
        ProfileError: A profile does not fit a fold.
        RemedyError: A remedy contradicts itself or a fold.
    """
    known = whole(datasets[0], len(folds)) if folds else datasets[0]
    study.refuse_other_data(known, out, option)
    for fold, dataset in zip(folds, datasets, strict=False):
        study.refuse_other_data(dataset, fold.folder, option, beside=out)
        beforehand.notes(fold.experiment, dataset)


def conclude(
    experiment: Experiment, datasets: Sequence[Dataset], out: Path, *, threads: int
) -> StudyRecord:
    """Pool what the folds' studies left, and write `study.json`.

    Args:
        experiment: What was asked for, with the regimes that suit the data.
        datasets: Of the folds.
        out: The folder of the study.
        threads: Of each training.

    Raises:
        StudyError: The study of a fold is not finished.
    """
    folds = parts(experiment, out)
    members = [_finished(part) for part in folds]
    data = _summary(experiment, datasets)
    names = [name for one in datasets for name in one.test.names or ()]
    pooled = [
        _pool(experiment, data, tuple(run), StudyFolder(out), names)
        for run in zip(*members, strict=True)
    ]
    record = study_record.study_record(
        experiment,
        [found for _, found in pooled],
        runtime.environment(threads),
        [str(folder.path.relative_to(out)) for folder, _ in pooled],
        root=out,
    )
    made = study_record.trained([found for runs in members for _, found in runs])
    record = record.model_copy(update={"trained": made})
    files.write_text(StudyFolder(out).study, record.model_dump_json(indent=2) + "\n")
    return record


_Run = tuple[RunFolder, Record]


def _finished(part: Part) -> list[_Run]:
    """The runs that the study of a fold covers."""
    place = StudyFolder(part.folder).study
    if not place.exists():
        raise study.StudyError(
            f"{part.folder}: expected the finished study of a fold. Received: no "
            "study.json. The same command does it."
        )
    record = StudyRecord.model_validate_json(place.read_bytes())
    folders = study.covered(record, part.folder)
    return list(zip(folders, study.read(folders), strict=True))


def _summary(experiment: Experiment, datasets: Sequence[Dataset]) -> DataSummary:
    """The data, of which every image is a test image."""
    first, folds = datasets[0], len(datasets)
    known = first.summary()
    counts = np.add(known.train_counts, known.test_counts)
    groups = [of for one in datasets if (of := one.summary().test_groups) is not None]
    apart = "" if first.validation is None else " outside val/"
    note = (
        f"Cross-validation in {folds} folds: each of the {counts.sum():,} images"
        f"{apart} is tested once, by a model that learned from the other folds. A run "
        f"stands for {folds} trainings, and its scores are of all their answers "
        "together; all seeds share the folds. Heatmaps and counts of training images "
        "are the first fold's; each fold has a report of its own, in fold-1 to "
        f"fold-{folds}."
    )
    notes = [(*one.notes[1:], *starts.notes(experiment, one)) for one in datasets]
    return known.model_copy(
        update={
            "fingerprint": whole(first, folds).fingerprint,
            "train_counts": tuple(counts.tolist()),
            "test_counts": tuple(counts.tolist()),
            "test_groups": tuple(np.sum(groups, axis=0).tolist()) if groups else None,
            "notes": (note, *told_once(notes)),
        }
    )


def _pool(
    experiment: Experiment,
    data: DataSummary,
    run: Sequence[_Run],
    out: StudyFolder,
    names: Sequence[str],
) -> _Run:
    """Leave the answers of a run's folds in a folder, as those of one run."""
    folders, records = zip(*run, strict=True)
    digest = hashlib.sha256("".join(r.digest for r in records).encode()).hexdigest()
    asked = _asked(experiment, records[0])
    folder = out.run(asked.cell, digest, asked.seed)
    folder.record.unlink(missing_ok=True)
    files.write_text(folder.experiment, settings.dumps(asked.experiment()))
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
    files.write_arrays(getattr(to, name), **joined, **more)


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

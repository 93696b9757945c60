"""A study in which every image is tested: a study for each fold, their answers pooled.

Each image is answered by a model that learned from the other folds (Stone 1974). Scores
are those of all answers together, not means over folds: of a class with few images a
fold tests one or two, whose F1 says little (Forman and Scholz 2010).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tessera import beforehand, files, pooling, runtime, settings, starts, study
from tessera.data.dataset import Dataset
from tessera.evaluation import study_record
from tessera.experiment import Experiment, Folder
from tessera.pooling import Finished
from tessera.record import DataSummary, RunFolder, StudyFolder, StudyRecord


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
        f"{out}: expected a study with one model for each run. Received: what "
        f"{len(folds)} folds answered, each by a model of its own. Give the study of "
        f"one, such as {folds[0].folder}"
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
        pooling.pool(experiment, data, tuple(run), StudyFolder(out), names)
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


def _finished(part: Part) -> list[Finished]:
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
            "notes": (note, *pooling.told_once(notes)),
        }
    )


def networks(
    experiment: Experiment, out: Path
) -> dict[tuple[str, int], tuple[RunFolder, ...]]:
    """The folds' runs that every pooled run stands for, in the order of the folds.

    Args:
        experiment: Of the study that pools them.
        out: Its folder.

    Returns:
        By the pooled run's digest and seed.

    Raises:
        StudyError: The study of a fold is not finished.
    """
    members = [_finished(part) for part in parts(experiment, out)]
    found = {}
    for run in zip(*members, strict=True):
        folders, records = zip(*run, strict=True)
        found[pooling.digest_of(records), records[0].seed] = folders
    return found

"""A run's or a study's folder -> the finished run that it means, or the runs.

A study's folder means its recommended run: of the cells that keep the most images,
what the report recommends, else the best on validation images; or all runs of that
cell, of all folds too, which answer together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tessera import cross_validation, files
from tessera.evaluation import scores
from tessera.evaluation.chosen import Chosen, chosen
from tessera.models import rebuild
from tessera.models.rebuild import RunError
from tessera.record import (
    SCHEMA_VERSION,
    RunFolder,
    StudyFolder,
    StudyRecord,
)
from tessera.study import StudyError


@dataclass(frozen=True)
class ChosenRun:
    """The run that a folder means, or the runs."""

    folder: RunFolder
    because: str = ""
    """Why this run stands for its study, in sentences; empty for a run itself."""
    together: tuple[RunFolder, ...] = ()
    """All that answer together, where they do; the first one is among them, or pools
    some of them."""
    pooled: tuple[RunFolder, ...] = ()
    """For each seed, what the folds answered; where the study has folds."""


def choose(path: Path, *, ensemble: bool = False) -> ChosenRun:
    """The run that a folder means: itself, or a study's recommended one.

    Args:
        path: The folder.
        ensemble: As in `load`.

    Raises:
        RunError: The folder is neither a finished run nor a finished study, or runs
            are to answer together and there is only one.
    """
    study = _study_at(path)
    if study is not None:
        return recommended(study, ensemble=ensemble)
    if ensemble:
        raise RunError(
            f"{path}: expected a study, of which all seeds' runs of a model answer "
            "together. Received: a run, which is one. Give the study's folder, or ask "
            "this run alone: leave --ensemble out (in Python `ensemble=True`)."
        )
    return ChosenRun(RunFolder(path))


def answered(path: Path) -> ChosenRun:
    """The runs whose answers to the test images are those of a folder.

    The run that it is, or all seeds' of the study's recommended cell; of a study in
    folds those that pool them. No model is needed.

    Raises:
        RunError: As of `choose`, where one run is enough and folds are welcome.
    """
    study = _study_at(path)
    if study is None:
        return ChosenRun(RunFolder(path), together=(RunFolder(path),))
    taken = _of_study(study, _study_record(study))
    runs = tuple(_finished(study, name) for name in taken.cell.folders)
    because = taken.together if len(runs) > 1 else taken.because
    return ChosenRun(RunFolder(study.path / taken.folder), because, runs)


def _study_at(path: Path) -> StudyFolder | None:
    """The finished study that a folder is; None: it is a finished run.

    Raises:
        RunError: It is neither.
    """
    run, study = RunFolder(path), StudyFolder(path)
    if not run.record.exists() and study.study.exists():
        return study
    if not run.record.exists() and (path / "runs").is_dir():
        raise RunError(
            f"{path}: expected a finished study. Received: one without study.json, "
            "which is written last. Give the same study command again, or name a "
            f"finished run below {path / 'runs'}."
        )
    rebuild.read_record(run, or_study=True)
    return None


def _of_study(study: StudyFolder, known: StudyRecord) -> Chosen:
    """The run that stands for a study, and its cell; see `evaluation.chosen`."""
    return chosen(
        known,
        record=lambda name: rebuild.read_record(_finished(study, name)),
        score=lambda name: _validation_score(_finished(study, name)),
    )


def recommended(study: StudyFolder, *, ensemble: bool = False) -> ChosenRun:
    """The run to use of a study, or the runs; see `chosen.chosen`.

    Raises:
        RunError: `study.json`, a run's record or its validation predictions cannot be
            read; or the study pools folds, which hold the models, and one is asked
            for; or runs are to answer together and there is only one.
    """
    known = _study_record(study)
    folds = cross_validation.parts(known.experiment, study.path)
    if folds and not ensemble:
        raise RunError(
            f"{cross_validation.no_models(study.path, folds)}. Or ask all of them "
            "together: `tessera predict` and `tessera export` do, with --ensemble (in "
            "Python `ensemble=True`)."
        )
    taken = _of_study(study, known)
    run = RunFolder(study.path / taken.folder)
    if not ensemble:
        return ChosenRun(run, taken.because)
    cell = taken.cell
    runs = tuple(_finished(study, name) for name in cell.folders)
    if folds:
        members = _of_folds(study, known, runs)
        return ChosenRun(run, taken.together, members, runs)
    if len(cell.seeds) == 1:
        raise RunError(
            f"{study.path}: expected runs of {cell.model}, {cell.regime} with two "
            f"seeds or more, to answer together. Received: one, of seed "
            f"{cell.seeds[0]}. Give the study's command again with more --seeds: "
            "finished runs are kept. Or ask this run alone: leave --ensemble out (in "
            "Python `ensemble=True`)."
        )
    return ChosenRun(run, taken.together, runs)


def _of_folds(
    study: StudyFolder, known: StudyRecord, pooled: Sequence[RunFolder]
) -> tuple[RunFolder, ...]:
    """The folds' runs that pooled ones stand for, seed by seed and fold by fold.

    Raises:
        RunError: A fold's study is gone, or its run was trained anew since.
    """
    try:
        networks = cross_validation.networks(known.experiment, study.path)
    except StudyError as error:
        raise RunError(str(error)) from error
    found: list[RunFolder] = []
    for run in pooled:
        record = rebuild.read_record(run)
        if (key := (record.digest, record.seed)) not in networks:
            raise RunError(
                f"{run.path}: expected what the folds' runs of this seed answered. "
                "Received: others; the folds were trained anew since, or not with this "
                "seed. Give the study's command again: finished runs are kept."
            )
        found += networks[key]
    return tuple(found)


def _study_record(study: StudyFolder) -> StudyRecord:
    """What a study's folder says of it.

    Raises:
        RunError: `study.json` is gone or damaged.
    """
    try:
        return StudyRecord.model_validate_json(study.study.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(
            f"{study.study}: expected a StudyRecord of Tessera. Received: "
            f"{files.unread(study.study, SCHEMA_VERSION)}"
        ) from error


def _finished(study: StudyFolder, name: str) -> RunFolder:
    """The folder of one of a study's runs.

    Raises:
        RunError: The run is gone.
    """
    run = RunFolder(study.path / name)
    if not run.record.exists():
        raise RunError(
            f"{run.path}: expected a finished run, as {study.study} has it. Received: "
            "no record.json in it. Give the study's command again: finished runs are "
            "kept."
        )
    return run


def _validation_score(run: RunFolder) -> float:
    return scores.balanced_accuracy(*rebuild.predictions(run.validation_predictions))

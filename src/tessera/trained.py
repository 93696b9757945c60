"""A run or a study on disk -> a model ready for use, its probabilities calibrated.

A study's folder means its recommended run: of the cells that keep the most images,
what the report recommends, else the best on validation images; or all runs of that
cell, which answer together (`ensembled`). The temperature comes from validation images
too, where these are enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tessera import cross_validation, files
from tessera.arrays import Images, Indices, Logits, Probabilities
from tessera.evaluation import probabilities, scores
from tessera.evaluation.chosen import chosen
from tessera.models import rebuild
from tessera.models.rebuild import Rebuilt, RunError
from tessera.record import (
    SCHEMA_VERSION,
    RunFolder,
    StudyFolder,
    StudyRecord,
)
from tessera.study import StudyError
from tessera.training import predict


@dataclass(frozen=True, eq=False)
class Trained(Rebuilt):
    """A finished run's model, and what its answers mean."""

    temperature: float
    """What logits are divided by before the softmax."""
    because: str = ""
    """Why this run stands for its study, in sentences; empty for a run itself."""
    uncalibrated: str = ""
    """Why the temperature is 1 and not fitted; see `probabilities.Temperature`."""

    @property
    def place(self) -> str:
        """Where it lies, in words."""
        return str(self.folder.path)

    @property
    def calibration(self) -> str:
        """Whether probabilities are calibrated and on what, a sentence."""
        if self.uncalibrated:
            return f"Probabilities are not calibrated: {self.uncalibrated}."
        images = f"{sum(self.record.validation_counts):,} validation images"
        warmth = f"temperature {self.temperature:.2f}"
        return f"Probabilities are calibrated on {images} ({warmth})."

    @property
    def again(self) -> str:
        """What to do where its files are not what they were, a sentence."""
        return files.again(self.folder.record)

    def logits(self, images: Images) -> Logits:
        """Unnormalised scores, float32 [N, K], of images uint8 [N, S, S, C]."""
        return predict.logits(self.net, images)

    def probabilities(self, images: Images) -> Probabilities:
        """Probabilities, float64 [N, K], of images uint8 [N, S, S, C].

        Calibrated as far as `calibration` says.
        """
        return probabilities.softmax(self.logits(images), self.temperature)

    def stored(self) -> Probabilities:
        """The probabilities of the test images as training left them, [N, K].

        Raises:
            RunError: There are none that can be read.
        """
        logits, _ = rebuild.predictions(self.folder.predictions)
        return probabilities.softmax(logits, self.temperature)

    def as_stored(
        self, shares: Probabilities, images: Images, positions: Indices
    ) -> Probabilities:
        """What `stored` holds of some test images, computed again, [n, K].

        Args:
            shares: What the whole model answers to them, [n, K].
            images: They themselves, uint8 [n, S, S, C].
            positions: Theirs among the test images, [n].
        """
        return shares


def load(path: Path, *, ensemble: bool = False) -> Trained:
    """The model of a run, or of a study's recommended run.

    Args:
        path: The folder of a finished run or of a finished study.
        ensemble: Whether all runs of the recommended cell, which differ in the seed
            and in the fold if there are folds, answer together: an
            `ensembled.Ensemble`. It takes a study.

    Raises:
        RunError: It is neither, or a file of the run is missing or damaged; or runs
            are to answer together and there is only one.
        ExperimentError: The run's `experiment.toml` is not valid.
    """
    taken = choose(path, ensemble=ensemble)
    if not ensemble:
        return of_run(taken.folder, taken.because)
    from tessera import ensembled, folded  # which know this module

    return folded.folded(taken) if taken.pooled else ensembled.ensemble(taken)


def of_run(folder: RunFolder, because: str = "") -> Trained:
    """The model of a run, as `load` gives it."""
    rebuilt = rebuild.rebuild(folder)
    held = rebuild.predictions(folder.validation_predictions)
    fitted = probabilities.temperature(*held)
    return Trained(
        rebuilt.folder,
        rebuilt.run,
        rebuilt.record,
        rebuilt.net,
        fitted.value,
        because,
        fitted.because,
    )


@dataclass(frozen=True)
class ChosenRun:
    """The run that a folder means, or the runs."""

    folder: RunFolder
    because: str = ""
    """See `Trained`."""
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
    run, study = RunFolder(path), StudyFolder(path)
    if not run.record.exists() and study.study.exists():
        return recommended(study, ensemble=ensemble)
    if not run.record.exists() and (path / "runs").is_dir():
        raise RunError(
            f"{path}: expected a finished study. Received: one without study.json, "
            "which is written last. Give the same study command again, or name a "
            f"finished run below {path / 'runs'}."
        )
    rebuild.read_record(run, or_study=True)
    if ensemble:
        raise RunError(
            f"{path}: expected a study, of which all seeds' runs of a model answer "
            "together. Received: a run, which is one. Give the study's folder, or ask "
            "this run alone: leave --ensemble out (in Python `ensemble=True`)."
        )
    return ChosenRun(run)


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
    taken = chosen(
        known,
        record=lambda name: rebuild.read_record(_finished(study, name)),
        score=lambda name: _validation_score(_finished(study, name)),
    )
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

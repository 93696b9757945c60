"""A run or a study on disk -> a model ready for use, its probabilities calibrated.

A study's folder means its recommended run: of the cell that its report recommends, the
best seed on validation images. The temperature comes from these images too.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from tessera.arrays import Images, Logits, Probabilities
from tessera.evaluation import scores
from tessera.evaluation.probabilities import fitted_temperature, softmax
from tessera.experiment import Run
from tessera.models import rebuild
from tessera.models.rebuild import RunError
from tessera.record import Record, RunFolder, StudyFolder, StudyRecord
from tessera.training import predict


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished run's model, and what its answers mean."""

    folder: RunFolder
    run: Run
    record: Record
    net: Any
    """A `keras.Model` from pixels 0..255 [B, S, S, C] to logits [B, K]."""
    temperature: float
    """What logits are divided by before the softmax."""
    because: str = ""
    """Why this run stands for its study, a sentence; empty for a run itself."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Label k is called `class_names[k]`."""
        return self.record.data.class_names

    @property
    def image_size(self) -> int:
        """Height and width the model takes, in pixels."""
        return self.record.data.image_shape[0]

    def logits(self, images: Images) -> Logits:
        """Unnormalised scores, float32 [N, K], of images uint8 [N, S, S, C]."""
        return predict.logits(self.net, images)

    def probabilities(self, images: Images) -> Probabilities:
        """Calibrated probabilities, float64 [N, K], of images uint8 [N, S, S, C]."""
        return softmax(self.logits(images), self.temperature)


def load(path: Path) -> Trained:
    """The model of a run, or of a study's recommended run.

    Args:
        path: The folder of a finished run or of a finished study.

    Raises:
        RunError: It is neither, or a file of the run is missing or damaged.
        ExperimentError: The run's `experiment.toml` is not valid.
    """
    chosen = choose(path)
    rebuilt = rebuild.rebuild(chosen.folder)
    logits, labels = rebuild.predictions(chosen.folder.validation_predictions)
    return Trained(
        chosen.folder,
        rebuilt.run,
        rebuilt.record,
        rebuilt.net,
        fitted_temperature(logits, labels),
        chosen.because,
    )


@dataclass(frozen=True)
class ChosenRun:
    """The run that a folder means."""

    folder: RunFolder
    because: str = ""
    """See `Trained`."""


def choose(path: Path) -> ChosenRun:
    """The run that a folder means: itself, or a study's recommended one.

    Raises:
        RunError: The folder is neither a finished run nor a finished study.
    """
    run, study = RunFolder(path), StudyFolder(path)
    if not run.record.exists() and study.study.exists():
        return recommended(study)
    if not run.record.exists() and (path / "runs").is_dir():
        raise RunError(
            f"{path}: expected a finished study. Received: one without study.json, "
            "which is written last. Give the same study command again, or name a "
            f"finished run below {path / 'runs'}."
        )
    rebuild.read_record(run, or_study=True)
    return ChosenRun(run)


def recommended(study: StudyFolder) -> ChosenRun:
    """The run to use of a study.

    Of the cells that the study's rankings pick, or of all where they pick none, the one
    with the highest validation balanced accuracy, averaged over its seeds, and in it
    the seed with the highest; the first of equals. Balanced accuracy, because regimes
    cut differently imbalanced validation sets and a mean recall is the score that does
    not follow class frequencies.

    Raises:
        RunError: `study.json` or a run's validation predictions cannot be read.
    """
    try:
        record = StudyRecord.model_validate_json(study.study.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(
            f"{study.study}: expected a StudyRecord of Tessera. Received a damaged "
            "file. Delete it and give the same study command again: finished runs are "
            "kept."
        ) from error
    picks = {(ranking.model, ranking.pick) for ranking in record.rankings}
    picked = [c for c in record.cells if (c.model, c.regime) in picks and c.folders]
    scored = [
        (cell, [_validation_score(study.path / folder) for folder in cell.folders])
        for cell in picked or [cell for cell in record.cells if cell.folders]
    ]
    cell, values = max(scored, key=lambda row: float(np.mean(row[1])))
    best = int(np.argmax(values))
    named = f"{cell.model}, {cell.regime}, seed {cell.seeds[best]}"
    return ChosenRun(
        RunFolder(study.path / cell.folders[best]), _why(named, len(picked))
    )


def _why(named: str, picked: int) -> str:
    if picked == 0:
        return (
            "The study's report recommends no remedy beyond doubt; the run used is "
            f"{named}, the best on validation images."
        )
    several = f", of its {picked} recommendations the best on validation images"
    return (
        f"The run used is {named}: what the study's report recommends"
        f"{several if picked > 1 else ''}; the seed is the best on validation images."
    )


def _validation_score(path: Path) -> float:
    return scores.balanced_accuracy(
        *rebuild.predictions(RunFolder(path).validation_predictions)
    )

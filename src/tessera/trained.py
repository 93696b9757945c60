"""A run or a study on disk -> a model ready for use, its probabilities calibrated.

A study's folder means its recommended run: of the cells that keep the most images,
what the report recommends, else the best on validation images. The temperature comes
from validation images too, where these are enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from tessera import files
from tessera.arrays import Images, Logits, Probabilities
from tessera.evaluation import probabilities, scores
from tessera.models import rebuild
from tessera.models.rebuild import Rebuilt, RunError
from tessera.record import (
    SCHEMA_VERSION,
    CellSummary,
    RunFolder,
    StudyFolder,
    StudyRecord,
)
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
    def calibration(self) -> str:
        """Whether probabilities are calibrated and on what, a sentence."""
        if self.uncalibrated:
            return f"Probabilities are not calibrated: {self.uncalibrated}."
        images = f"{sum(self.record.validation_counts):,} validation images"
        warmth = f"temperature {self.temperature:.2f}"
        return f"Probabilities are calibrated on {images} ({warmth})."

    def logits(self, images: Images) -> Logits:
        """Unnormalised scores, float32 [N, K], of images uint8 [N, S, S, C]."""
        return predict.logits(self.net, images)

    def probabilities(self, images: Images) -> Probabilities:
        """Probabilities, float64 [N, K], of images uint8 [N, S, S, C].

        Calibrated as far as `calibration` says.
        """
        return probabilities.softmax(self.logits(images), self.temperature)


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
    held = rebuild.predictions(chosen.folder.validation_predictions)
    fitted = probabilities.temperature(*held)
    return Trained(
        rebuilt.folder,
        rebuilt.run,
        rebuilt.record,
        rebuilt.net,
        fitted.value,
        chosen.because,
        fitted.because,
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

    Only cells whose profile keeps the most images count: cells that keep fewer are
    validated on fewer images, or on others, so their scores say less and cannot be
    compared. Of those that the study's rankings pick, or of all where they pick none,
    the one with the highest validation balanced accuracy, averaged over its seeds,
    and in it the seed with the highest; the first of equals.

    Raises:
        RunError: `study.json`, a run's record or its validation predictions cannot be
            read.
    """
    record = _study_record(study)
    cells = [cell for cell in record.cells if cell.folders]
    most = _keeping_most(study, cells)
    picks = {(ranking.model, ranking.pick) for ranking in record.rankings}
    picked = [cell for cell in most if (cell.model, cell.regime) in picks]
    scored = [
        (cell, [_validation_score(study.path / folder) for folder in cell.folders])
        for cell in picked or most
    ]
    cell, values = max(scored, key=lambda row: float(np.mean(row[1])))
    best = int(np.argmax(values))
    folder = RunFolder(study.path / cell.folders[best])
    choice = _Choice(
        named=f"{cell.model}, {cell.regime}, seed {cell.seeds[best]}",
        validated=sum(rebuild.read_record(folder).validation_counts),
        picked=len(picked),
        fewer=len(most) < len(cells),
        elsewhere=any(ranking.pick for ranking in record.rankings) and not picked,
    )
    return ChosenRun(folder, _why(choice))


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


def _keeping_most(
    study: StudyFolder, cells: Sequence[CellSummary]
) -> list[CellSummary]:
    """The cells with the most training and validation images together."""
    records = [rebuild.read_record(RunFolder(study.path / c.folders[0])) for c in cells]
    kept = [sum(r.train_counts) + sum(r.validation_counts) for r in records]
    return [c for c, images in zip(cells, kept, strict=True) if images == max(kept)]


@dataclass(frozen=True)
class _Choice:
    """What there is to say of the run that stands for a study."""

    named: str
    validated: int
    """Its validation images."""
    picked: int
    """Cells that the report recommends, of those that keep the most images."""
    fewer: bool
    """Whether other cells keep fewer images."""
    elsewhere: bool
    """Whether the report recommends only such cells."""


def _why(choice: _Choice) -> str:
    images = f"{choice.validated:,} validation images"
    if choice.picked == 1:
        return (
            f"The run used is {choice.named}: what the study's report recommends. Of "
            f"its seeds it is the best on {images}."
        )
    if choice.picked:
        return (
            f"The run used is {choice.named}: of the {choice.picked} that the study's "
            f"report recommends, the best on {images}."
        )
    among = ", of the regimes that keep the most images" if choice.fewer else ""
    told = (
        "What the study's report recommends is for regimes that keep fewer images."
        if choice.elsewhere
        else "The study's report recommends no remedy beyond doubt."
    )
    return f"{told} The run used is {choice.named}: the best on {images}{among}."


def _validation_score(path: Path) -> float:
    return scores.balanced_accuracy(
        *rebuild.predictions(RunFolder(path).validation_predictions)
    )

"""A run or a study on disk -> a model ready for use, its probabilities calibrated.

A study's folder means its recommended run. The recommendation and the temperature come
from validation predictions alone: test scores stay an honest forecast.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from scipy import special

from tessera import files
from tessera.arrays import Images, Labels, Logits, Probabilities
from tessera.evaluation import scores
from tessera.experiment import Run
from tessera.models import rebuild
from tessera.models.rebuild import RunError
from tessera.record import Record, RunFolder, StudyFolder, StudyRecord
from tessera.training import after, predict


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
        return calibrated(self.logits(images), self.temperature)


def load(path: Path) -> Trained:
    """The model of a run, or of a study's recommended run.

    Args:
        path: The folder of a finished run or of a finished study.

    Raises:
        RunError: It is neither, or a file of the run is missing or damaged.
        ExperimentError: The run's `experiment.toml` is not valid.
    """
    folder = locate(path)
    rebuilt = rebuild.rebuild(folder)
    logits, labels = validation(folder)
    return Trained(
        folder, rebuilt.run, rebuilt.record, rebuilt.net, temperature(logits, labels)
    )


def locate(path: Path) -> RunFolder:
    """The run that a folder means: itself, or a study's recommended one.

    Raises:
        RunError: The folder is neither a finished run nor a finished study.
    """
    run, study = RunFolder(path), StudyFolder(path)
    if run.record.exists() or not study.study.exists():
        rebuild.read_record(run)
        return run
    return recommended(study)


def recommended(study: StudyFolder) -> RunFolder:
    """The run to use: of the best cell on validation, its best seed.

    The cell with the highest validation balanced accuracy, averaged over its seeds, and
    in it the seed with the highest; the first of equals. Balanced accuracy, because
    regimes cut differently imbalanced validation sets and a mean recall is the score
    that does not follow class frequencies.

    Raises:
        RunError: `study.json` or a run's validation predictions cannot be read.
    """
    try:
        record = StudyRecord.model_validate_json(study.study.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(
            f"{study.study}: expected a StudyRecord of Tessera. Received a damaged "
            "file. Give the same study command again: finished runs are kept."
        ) from error
    cells = [
        [(_validation_score(run), run) for run in map(RunFolder, paths)]
        for cell in record.cells
        if (paths := [study.path / folder for folder in cell.folders])
    ]
    best = max(cells, key=lambda runs: float(np.mean([score for score, _ in runs])))
    return max(best, key=lambda scored: scored[0])[1]


def validation(folder: RunFolder) -> tuple[Logits, Labels]:
    """A run's stored validation predictions: logits [N, K] and labels [N].

    Raises:
        RunError: They are missing or damaged.
    """
    try:
        stored = files.read_arrays(folder.validation_predictions)
        return stored["logits"], stored["labels"]
    except files.CannotRead as error:
        raise RunError(str(error)) from error
    except (OSError, KeyError) as error:
        raise RunError(
            f"{folder.validation_predictions}: expected a run's validation "
            f"predictions. Received: {error}. Train the run again."
        ) from error


def _validation_score(folder: RunFolder) -> float:
    logits, labels = validation(folder)
    names = [str(k) for k in range(logits.shape[1])]
    return scores.scores(labels, logits.argmax(axis=1), names).balanced_accuracy


def temperature(logits: Logits, labels: Labels) -> float:
    """The temperature T that minimises the mean of -log softmax(z / T)_y.

    Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599,
    section 4.2. Where every answer is right, smaller is always better and nothing can
    be learned about T: it stays 1.

    Args:
        logits: Of validation images, float [N, K].
        labels: Their classes, int [N].
    """
    if (logits.argmax(axis=1) == labels).all():
        return 1.0
    return after.temperature(logits, labels)


def calibrated(logits: Logits, temperature: float) -> Probabilities:
    """Softmax of logits / temperature, float64 [N, K]."""
    scaled = logits.astype(np.float64) / temperature
    shares: Probabilities = special.softmax(scaled, axis=1)
    return shares

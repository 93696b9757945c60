"""A run or a study on disk -> a model ready for use, its probabilities calibrated.

Which run a study's folder means `meant` says; or all runs of a cell answer together
(`ensembled`). The temperature comes from validation images, where these are enough.
"""

from dataclasses import dataclass
from pathlib import Path

from tessera import files, meant
from tessera.arrays import Images, Indices, Logits, Probabilities
from tessera.evaluation import probabilities
from tessera.models import rebuild
from tessera.models.rebuild import Rebuilt
from tessera.record import RunFolder
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
    taken = meant.choose(path, ensemble=ensemble)
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

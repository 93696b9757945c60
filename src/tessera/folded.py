"""A study in folds -> one model: all folds' networks of a cell, of all its seeds.

Every image of the study was tested, by the networks that had not learned from it. Their
answers are all that is known of the whole, which has learned from every image.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tessera import cross_validation, ensembled
from tessera.arrays import Images, Indices, Probabilities
from tessera.data import source
from tessera.data.dataset import Dataset
from tessera.ensembled import Ensemble
from tessera.evaluation import probabilities
from tessera.evaluation.ensemble import mean_probabilities
from tessera.experiment import Folder
from tessera.meant import ChosenRun
from tessera.models import rebuild
from tessera.record import RunFolder
from tessera.trained import Trained, of_run


@dataclass(frozen=True)
class Pooled:
    """What the folds of one seed answered, and how that is calibrated."""

    folder: RunFolder
    temperature: probabilities.Temperature
    """Fitted on the validation images of all folds: each alone has few."""


@dataclass(frozen=True, eq=False)
class Folded(Ensemble):
    """The networks of all folds and seeds; `members` are in the order of the seeds."""

    pooled: tuple[Pooled, ...] = ()
    """Of each seed."""

    @property
    def folds(self) -> int:
        """How many there are."""
        return len(self.members) // len(self.pooled)

    @property
    def seeds(self) -> str:
        """`5 folds of seeds 0, 1 and 2`."""
        return f"{self.folds} folds of {super().seeds}"

    @property
    def calibration(self) -> str:
        """Which seeds are calibrated and on what, and that their mean is not."""
        if self.uncalibrated:
            return super(Ensemble, self).calibration
        return (
            "Each seed is calibrated for itself, on the validation images of all "
            f"folds: {ensembled.calibrated_each(self.members[:: self.folds])}"
        )

    def stored(self) -> Probabilities:
        """What the networks that had not learned from an image answered to it, [N, K].

        Raises:
            RunError: There are no such answers that can be read.
        """
        return _stored(self.pooled)

    def as_stored(
        self, shares: Probabilities, images: Images, positions: Indices
    ) -> Probabilities:
        """The same of some images, computed again; see `Trained.as_stored`."""
        found = np.full_like(shares, np.nan)
        for fold, (begin, end) in enumerate(self._tested()):
            own = (begin <= positions) & (positions < end)
            if own.any():
                asked = self.members[fold :: self.folds]
                found[own] = np.mean([m.probabilities(images[own]) for m in asked], 0)
        return found

    def _tested(self) -> Iterator[tuple[int, int]]:
        """Which of all test images each fold tested: the first, and that after them."""
        begin = 0
        for member in self.members[: self.folds]:
            _, labels = rebuild.predictions(member.folder.predictions)
            yield begin, begin + len(labels)
            begin += len(labels)


def folded(taken: ChosenRun) -> Folded:
    """The model that the runs `taken.together` are.

    Raises:
        RunError: A file of one is missing or damaged.
        ExperimentError: An `experiment.toml` is not valid.
    """
    pooled = tuple(map(_pooled, taken.pooled))
    members = tuple(_members(taken, pooled))
    best, shares = rebuild.read_record(taken.folder), _stored(pooled)
    _, labels = rebuild.predictions(taken.folder.predictions)
    told = _told(members, pooled)
    return Folded(
        taken.folder,
        rebuild.asked(taken.folder),
        ensembled.record(best, members, labels, shares, told),
        ensembled.together(members),
        temperature=1.0,
        because=taken.because,
        uncalibrated=ensembled.uncalibrated(members),
        members=members,
        pooled=pooled,
    )


def _told(members: Sequence[Trained], pooled: Sequence[Pooled]) -> str:
    """What they are, and what their scores are of."""
    folds, seeds = len(members) // len(pooled), len(pooled)
    tested = "one that has" if seeds == 1 else f"{seeds} that have"
    return (
        f"These are {len(members)} trainings, {folds} folds of "
        f"{ensembled.seeds(members)}, asked together. Scores are of each image's "
        f"answer by the {tested} not learned from it. How all of them together answer "
        "was not tested, for they have learned from every image; as a rule they err "
        "less often."
    )


def _pooled(folder: RunFolder) -> Pooled:
    held = rebuild.predictions(folder.validation_predictions)
    return Pooled(folder, probabilities.temperature(*held))


def _members(taken: ChosenRun, pooled: tuple[Pooled, ...]) -> Iterator[Trained]:
    """Every fold's run, as calibrated as its seed."""
    folds = len(taken.together) // len(pooled)
    for number, folder in enumerate(taken.together):
        fitted = pooled[number // folds].temperature
        yield replace(
            of_run(folder), temperature=fitted.value, uncalibrated=fitted.because
        )


def _stored(pooled: tuple[Pooled, ...]) -> Probabilities:
    logits = [rebuild.predictions(one.folder.predictions)[0] for one in pooled]
    return mean_probabilities(logits, [one.temperature.value for one in pooled])


def data(asked: Folder) -> Dataset:
    """The images of a study in folds, every one a training and a test image.

    Args:
        asked: The settings, of all folds together.

    Raises:
        DataError: They cannot be read.
    """
    settings = asked.model_copy(update={"fold": None})
    folds = [
        source.load(settings.model_copy(update={"fold": number}))
        for number in range(1, (asked.folds or 0) + 1)
    ]
    tests = [one.test for one in folds]
    whole = replace(
        tests[0],
        images=np.concatenate([one.images for one in tests]),
        labels=np.concatenate([one.labels for one in tests]),
        names=None,
        groups=None,
    )
    known = cross_validation.whole(folds[0], len(folds))
    return replace(known, train=whole, test=whole)

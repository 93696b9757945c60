"""Models that start from a finished run: whether they can, and whether that is honest.

Weights bring with them what they have learned from. Where that holds images which the
study tests on, its scores would flatter; so the images are compared, as far as they are
still there.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tessera import settings
from tessera.data import cache, near, source
from tessera.data.dataset import DataError, Dataset, Split
from tessera.experiment import Experiment, Model, Run, Start
from tessera.models import rebuild
from tessera.phrases import plural
from tessera.record import RunFolder
from tessera.settings import ExperimentError

VERSION = 2
"""Raised whenever what is cached of shared images changes its form."""


def notes(experiment: Experiment, dataset: Dataset) -> tuple[str, ...]:
    """What to know of the weights that an experiment's models start from.

    Raises:
        ExperimentError: They are another model's, or of images of another size.
        RunError: Their run is gone, or has others now.
        DataError: They have learned from images that this data tests on.
    """
    started = [(model, model.start) for model in experiment.models if model.start]
    return tuple(
        note for model, start in started for note in _looked_at(model, start, dataset)
    )


def _run(folder: RunFolder) -> Run:
    """A finished run's settings."""
    (run,) = settings.read(folder.experiment).runs()
    return run


def _looked_at(model: Model, start: Start, dataset: Dataset) -> Iterator[str]:
    """The notes on one model's start.

    Raises:
        RunError, ExperimentError, DataError: See `notes`.
    """
    folder = rebuild.begun(start)
    record, run = rebuild.read_record(folder), _run(folder)
    shape, expected = record.data.image_shape, dataset.image_shape
    if run.model.network != model.network:
        raise ExperimentError(
            f"{folder.path}: expected a run of the model that {model.label} is, with "
            f"its settings. Received: one of {run.model.kind}, or with other settings."
        )
    if shape != expected:
        raise ExperimentError(
            f"{folder.path}: expected a run on images of {list(expected)}, as here. "
            f"Received: of {list(shape)}. `--set data.image_size={shape[0]}` brings "
            "these to the same size."
        )
    yield from _known(model, start, dataset)


def _known(model: Model, start: Start, dataset: Dataset) -> Iterator[str]:
    """Look for this data's images among those that the weights have learned from.

    Raises:
        DataError: Some are tested on.
    """
    for folder in _line(start):
        try:
            found = _shared(folder, dataset)
        except (DataError, rebuild.RunError) as error:
            yield (
                f"{model.label}: whether {folder.path} has learned from images that "
                f"are tested on here could not be looked at. {error}"
            )
            continue
        if found.tested:
            raise DataError(
                f"{model.label}: expected to be tested on images that it does not know."
                f" Received: {folder.path}, among whose training images are "
                f"{found.tested:,} of the {plural(len(dataset.test), 'test image')}. "
                "Start from a run on other images, or test on others."
            )
        if found.nearly:
            yield (
                f"{model.label}: {found.nearly:,} of the "
                f"{plural(len(dataset.test), 'test image')} are nearly the same as "
                f"images that {folder.path} has learned from. Where both show one "
                "picture, scores flatter."
            )
        if found.trained:
            yield (
                f"{model.label}: among the training images of {folder.path} are "
                f"{found.trained:,} that are trained and validated on here, so what "
                "validation says of it flatters; what the test images say does not."
            )


def _line(start: Start | None) -> Iterator[RunFolder]:
    """The run that weights are from, the one that it started from, and so on."""
    seen = set()
    while start is not None and start.run not in seen:
        seen.add(start.run)
        folder = RunFolder(Path(start.run))
        yield folder
        if not folder.experiment.is_file():
            return  # what came before is not known; that was told of this one
        start = _run(folder).model.start


@dataclass(frozen=True)
class _Shared:
    """How many of these images a run has learned from."""

    trained: int
    """Of those that are trained or validated on here."""
    tested: int
    """Of those that are tested on."""
    nearly: int
    """Of those too: it has learned from one that is nearly the same, see `near`."""


def _shared(folder: RunFolder, dataset: Dataset) -> _Shared:
    """Count them.

    Raises:
        DataError: The run's images are not there any more.
        RunError: The run is not.
    """
    then = rebuild.read_record(folder).data.fingerprint
    files = dataset.test.names is not None  # drawn digits are as alike without copies
    key = cache.key("shared", VERSION, then, dataset.fingerprint, files)
    if (found := cache.find(key)) is not None:
        return _Shared(**found.facts)
    learned = dataset if then == dataset.fingerprint else source.load(_run(folder).data)
    if learned.fingerprint != then:
        raise DataError(f"{learned.name} is not what it was when that run was trained.")
    known = set(_learned(learned))
    shared = _Shared(
        trained=sum(mark in known for mark in _learned(dataset)),
        tested=sum(mark in known for mark in _marks(dataset.test)),
        nearly=_nearly(dataset.test, learned) if files else 0,
    )
    cache.store(key, {}, asdict(shared))
    return shared


def _nearly(test: Split, learned: Dataset) -> int:
    """Test images that are nearly the same as one that was learned from."""
    places = np.arange(len(test))
    return len(
        {
            one
            for split in _splits(learned)
            for one, _ in near.pairs(
                test.images, places, np.arange(len(split)), split.images
            )
        }
    )


def _learned(dataset: Dataset) -> Iterator[bytes]:
    """A hash of every image that may be trained or validated on."""
    for split in _splits(dataset):
        yield from _marks(split)


def _splits(dataset: Dataset) -> Iterator[Split]:
    """What may be trained or validated on."""
    yield dataset.train
    if dataset.validation is not None:
        yield dataset.validation


def _marks(split: Split) -> Iterator[bytes]:
    """A hash of each image's pixels."""
    for image in split.images:
        yield hashlib.sha256(image.tobytes()).digest()

"""Models that start from a finished run: whether they can, and whether that is honest.

Weights bring with them what they have learned from. Where that holds images which the
study tests on, its scores would flatter; so the images are compared, as far as they are
still there.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tessera import settings
from tessera.data import cache, source
from tessera.data.dataset import DataError, Dataset, Split
from tessera.experiment import Experiment, Model, Run, Start
from tessera.models import rebuild
from tessera.phrases import plural
from tessera.record import RunFolder
from tessera.settings import ExperimentError


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
            trained, tested = _shared(folder, dataset)
        except (DataError, rebuild.RunError) as error:
            yield (
                f"{model.label}: whether {folder.path} has learned from images that "
                f"are tested on here could not be looked at. {error}"
            )
            continue
        if tested:
            raise DataError(
                f"{model.label}: expected to be tested on images that it does not know."
                f" Received: {folder.path}, among whose training images are "
                f"{tested:,} of the {plural(len(dataset.test), 'test image')}. Start "
                "from a run on other images, or test on others."
            )
        if trained:
            yield (
                f"{model.label}: among the training images of {folder.path} are "
                f"{trained:,} that are trained and validated on here, so what "
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


def _shared(folder: RunFolder, dataset: Dataset) -> tuple[int, int]:
    """How many of these images a run has learned from: not tested on here, and tested.

    Raises:
        DataError: The run's images are not there any more.
        RunError: The run is not.
    """
    then = rebuild.read_record(folder).data.fingerprint
    key = cache.key("shared", then, dataset.fingerprint)
    if (found := cache.find(key)) is not None:
        return found.facts["trained"], found.facts["tested"]
    learned = dataset if then == dataset.fingerprint else source.load(_run(folder).data)
    if learned.fingerprint != then:
        raise DataError(f"{learned.name} is not what it was when that run was trained.")
    known = set(_learned(learned))
    trained = sum(mark in known for mark in _learned(dataset))
    tested = sum(mark in known for mark in _marks(dataset.test))
    cache.store(key, {}, {"trained": trained, "tested": tested})
    return trained, tested


def _learned(dataset: Dataset) -> Iterator[bytes]:
    """A hash of every image that may be trained or validated on."""
    yield from _marks(dataset.train)
    if dataset.validation is not None:
        yield from _marks(dataset.validation)


def _marks(split: Split) -> Iterator[bytes]:
    """A hash of each image's pixels."""
    for image in split.images:
        yield hashlib.sha256(image.tobytes()).digest()

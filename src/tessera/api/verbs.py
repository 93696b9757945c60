"""`tessera.study`, `train`, `evaluate`, `predict`, `explain` for Python and notebooks.

They do what the commands of the same names do, in the same folders, so that work begun
in one place is finished in the other. Trainings run one after another in this process.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tomli_w
from numpy.typing import NDArray

from tessera import answers as answering
from tessera import pipeline, runtime, settings
from tessera import study as studies
from tessera import trained as loading
from tessera.answers import Answer, Refused
from tessera.api.results import Data, Evaluation, Explained, Model, Predictions, Study
from tessera.arrays import Images
from tessera.data import decode, source
from tessera.data.dataset import DataError
from tessera.evaluation import scores
from tessera.experiment import Experiment, Run
from tessera.explain import maps
from tessera.explain.methods import Method
from tessera.explain.targets import Target
from tessera.record import StudyFolder
from tessera.report import page

Where: TypeAlias = Data | str | Path
"""Loaded data, `digits`, `cifar10`, or a path."""

Trainable: TypeAlias = Model | str | Path
"""A model, or the folder of a run or a study."""

Pictures: TypeAlias = str | Path | Sequence[str | Path] | NDArray[Any]
"""Files and folders, or pixels 0..255, uint8 [N, H, W, 3]."""

Changes: TypeAlias = Mapping[str, Any]
"""Settings by dotted name, such as {"training.batch_size": 32}."""


def load_data(where: Where = "digits", *, image_size: int = 32) -> Data:
    """Load a dataset.

    Args:
        where: `digits` (embedded), `cifar10` (downloaded), or the path of an image
            folder or a CIFAR-10 archive.
        image_size: Height and width that images are brought to.

    Raises:
        DataError: The data cannot be used; the message says what to do about it.
    """
    if isinstance(where, Data):
        return where
    chosen = source.from_argument(str(where))
    chosen = chosen.model_copy(update={"image_size": image_size})
    return Data(chosen, source.load(chosen))


def experiment(
    data: Data, *, epochs: int, seeds: Sequence[int], changes: Changes
) -> Experiment:
    """The seed study's experiment on some data, with changes.

    Raises:
        ExperimentError: A setting is wrong.
    """
    chosen = {"training.epochs": epochs, "seeds": list(seeds), **changes}
    texts = [f"{name}={_toml(value)}" for name, value in chosen.items()]
    table = data.settings.model_dump(mode="json", exclude_none=True)
    return settings.read(None, texts, data=table)


def _toml(value: Any) -> str:
    return tomli_w.dumps({"value": value}).removeprefix("value = ").strip()


def study(
    data: Where = "digits",
    *,
    epochs: int = 8,
    seeds: int | Sequence[int] = 2,
    out: str | Path = "runs/study",
    changes: Changes | None = None,
) -> Study:
    """Train and compare every model under every regime; write the report.

    What `out` already holds is kept; the same call continues an interrupted study. To
    use several cores, give `tessera study` the same folder.

    Args:
        data: What to train on.
        epochs: Of every training.
        seeds: How many, or which.
        out: The study's folder.
        changes: Any other setting.

    Raises:
        ExperimentError, DataError, StudyError, ProfileError: As the command.
    """
    runtime.prepare()
    loaded = load_data(data)
    chosen = range(seeds) if isinstance(seeds, int) else seeds
    asked = experiment(loaded, epochs=epochs, seeds=chosen, changes=changes or {})
    folder = Path(out)
    with studies.held(folder):
        asked = studies.adapted(asked, loaded.dataset)
        for task in studies.survey(asked, loaded.dataset, folder).missing:
            pipeline.execute(task.run, loaded.dataset, task.folder)
        record = studies.conclude(asked, loaded.dataset, folder, threads=_threads())
        page.write_report(folder)
    return Study(folder, record)


def train(
    data: Where = "digits",
    *,
    model: str = "hybrid",
    regime: str = "weighted",
    epochs: int = 8,
    seed: int = 0,
    out: str | Path = "runs/study",
    changes: Changes | None = None,
) -> Model:
    """Train one cell of the study, unless `out` holds it already.

    Args:
        data: What to train on.
        model: `cnn`, `transformer` or `hybrid`.
        regime: `balanced`, `imbalanced` (`as-is` for data of unequal classes) or
            `weighted`.
        epochs: Of the training.
        seed: Decides weights, order and which images are kept.
        out: The study's folder.
        changes: Any other setting.

    Raises:
        ExperimentError, DataError, ProfileError: As the command.
    """
    runtime.prepare()
    loaded = load_data(data)
    asked = experiment(loaded, epochs=epochs, seeds=[seed], changes=changes or {})
    asked = studies.adapted(asked, loaded.dataset)
    run = _cell(asked, model, regime)
    folder = studies.run_folder(StudyFolder(Path(out)), run, loaded.dataset)
    with studies.held(folder.path):
        only = run.experiment()
        if studies.survey(only, loaded.dataset, Path(out)).missing:
            pipeline.execute(run, loaded.dataset, folder)
    return Model(loading.load(folder.path))


def _cell(asked: Experiment, model: str, regime: str) -> Run:
    for run in asked.runs():
        if (run.model.label, run.regime.name) == (model, regime):
            return run
    cells = ", ".join(dict.fromkeys(run.cell for run in asked.runs()))
    raise settings.ExperimentError(
        f"model, regime: expected a pair of {cells}. Received: {model!r}, {regime!r}."
    )


def _threads() -> int:
    return studies.share_of_machine(1, 1)[1]


def load_model(model: Trainable) -> Model:
    """A model from the folder of a run, or of a study: its recommended run.

    Raises:
        RunError: The folder holds no usable run.
    """
    if isinstance(model, Model):
        return model
    runtime.prepare()
    return Model(loading.load(Path(model)))


def evaluate(model: Trainable, data: Where | None = None) -> Evaluation:
    """Score a model on test images.

    Args:
        model: A model or a folder.
        data: Other data with the same classes; None: the run's own.

    Raises:
        RunError: The folder holds no usable run.
        DataError: The data cannot be read or has other classes.
    """
    chosen = load_model(model).trained
    own = chosen.run.data
    if data is None:
        loaded = Data(own, source.load(own))
    else:
        loaded = load_data(data, image_size=chosen.image_size)
    names = chosen.class_names
    if loaded.dataset.class_names != names:
        raise DataError(
            f"data: expected the model's classes, {', '.join(names)}. Received: "
            f"{', '.join(loaded.dataset.class_names)}."
        )
    test = loaded.dataset.test
    predicted = chosen.logits(test.images).argmax(axis=1).astype(np.int32)
    found = scores.scores(test.labels, predicted, names)
    return Evaluation(found, len(test), loaded.dataset.name)


def predict(model: Trainable, images: Pictures) -> Predictions:
    """Class, calibrated probability and runner-up of every image.

    Args:
        model: A model or a folder.
        images: Files and folders, or pixels.

    Raises:
        RunError: The folder holds no usable run.
        DataError: Pixels of the wrong shape or type.
    """
    chosen = load_model(model).trained
    names = chosen.class_names
    if isinstance(images, np.ndarray):
        shares = chosen.probabilities(fitted(images, chosen.image_size))
        rows: list[Answer | Refused] = [
            answering.answer(Path(f"image {i}"), row, names)
            for i, row in enumerate(shares)
        ]
        return Predictions(tuple(rows), names)
    return Predictions(tuple(answering.answers(chosen, _paths(images))), names)


def explain(
    model: Trainable,
    images: Pictures,
    *,
    target: str | None = None,
    method: Method | None = None,
) -> Explained:
    """A heatmap of every image that can be read.

    Args:
        model: A model or a folder.
        images: Files and folders, or pixels.
        target: The class to explain; None: each image's answer.
        method: One of `tessera.explain.methods`; None: Grad-CAM.

    Raises:
        RunError: The folder holds no usable run.
        DataError: No image can be read; there is no such class.
    """
    chosen = load_model(model).trained
    pixels = _pixels(images, chosen.image_size)
    names = chosen.class_names
    if target is not None and target not in names:
        known = ", ".join(names)
        raise DataError(f"target: expected one of {known}. Received: {target!r}.")
    asked: Target = "predicted" if target is None else names.index(target)
    found = maps.compute(chosen.net, pixels, method=method, target=asked)
    return Explained(pixels, found, chosen.class_names)


def _pixels(images: Pictures, size: int) -> Images:
    if isinstance(images, np.ndarray):
        return fitted(images, size)
    read, reasons = [], []
    for path in answering.files_of(_paths(images)):
        try:
            if isinstance(path, Refused):
                raise decode.Unreadable(path.reason)
            read.append(decode.read(path, size))
        except decode.Unreadable as error:
            reasons.append(str(error))
    if not read:
        raise DataError(
            f"images: expected at least one. Received: {reasons or 'none'}."
        )
    return np.stack(read)


def _paths(images: str | Path | Sequence[str | Path]) -> list[Path]:
    several = [images] if isinstance(images, str | Path) else images
    return [Path(path) for path in several]


def fitted(images: NDArray[Any], size: int) -> Images:
    """Pixels uint8 [N, H, W, 3] brought to the model's size.

    Raises:
        DataError: They have another shape or type.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise DataError(
            "images: expected pixels 0..255, uint8 [N, H, W, 3]. Received: "
            f"{images.dtype} {list(images.shape)}."
        )
    return decode.resized(images, size)

"""From a trained model and images to scores, answers and heatmaps."""

from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tessera import doubts, meant, runtime, trained
from tessera.api import pictures
from tessera.api.pictures import Source
from tessera.data.dataset import DataError
from tessera.evaluation import scores
from tessera.models import rebuild
from tessera.models.rebuild import RunError
from tessera.notebook.answers import Heatmaps, Predictions
from tessera.notebook.data import Data
from tessera.notebook.labels import DoubtfulLabels
from tessera.notebook.results import Evaluation, ExportedModel, FinishedRun, Study
from tessera.phrases import in_row
from tessera.trained import Trained

Model: TypeAlias = Study | FinishedRun | str | Path
"""A run or its folder, or a study or its folder: its recommended run."""


def evaluate(
    model: Model, data: Data | None = None, *, ensemble: bool = False
) -> Evaluation:
    """Score a trained model on test images.

    Args:
        model: The run.
        data: Whose test images to predict; None: the run's own, whose predictions are
            stored.
        ensemble: As for `predict`: all seeds' runs answer together.

    Raises:
        RunError: The folder holds no usable run, or one where several are wanted.
        DataError: The data's classes or image size are not the model's.
    """
    if data is None and ensemble:
        together = _load(model, ensemble=True)
        where = f"{together.place} on their own test images"
        return Evaluation(together.record.scores, where)
    if data is None:
        folder = meant.choose(folder_of(model)).folder
        names = rebuild.read_record(folder).data.class_names
        logits, labels = rebuild.predictions(folder.predictions)
        found = scores.scores(labels, logits.argmax(axis=1), names)
        return Evaluation(found, f"{folder.path} on its own test images")
    if not isinstance(data, Data):
        raise DataError(
            "data: expected what `load_data` returns, or None for the run's own. "
            f"Received: {type(data).__name__}."
        )
    net, test = _load(model, ensemble=ensemble), data.dataset.test
    _check_fit(net, data)
    predicted = net.logits(test.images).argmax(axis=1).astype(np.int32)
    found = scores.scores(test.labels, predicted, net.class_names)
    where = f"{net.place} on the test images of {data.dataset.name}"
    return Evaluation(found, where)


def predict(model: Model, images: Source, *, ensemble: bool = False) -> Predictions:
    """Say what images show, with probabilities, calibrated where images allow it.

    Args:
        model: The run.
        images: Files, folders, Pillow images or an array; a file that cannot be read
            is listed in the result's `refused`.
        ensemble: Whether all seeds' runs of a study's recommended model are asked, and
            the answer is the mean of their probabilities. As a rule it errs less often
            than one run, and takes as many times the work.

    Raises:
        RunError: The folder holds no usable run, or one where several are wanted.
        DataError: There are no images that can be read.
    """
    net = _load(model, ensemble=ensemble)
    seen = pictures.read(images, net.image_size)
    shares = net.probabilities(seen.pixels)
    return Predictions(
        seen.names,
        seen.pixels,
        shares,
        net.class_names,
        seen.refused,
        net.because,
        net.calibration,
    )


def labels(model: Model) -> DoubtfulLabels:
    """List images whose label may be wrong, and what they may be instead.

    By confident learning, from what the models answered to images that they had not
    learned from: the test images, or every image of a study in folds. No model is
    loaded.

    Args:
        model: A study, of which all seeds of the recommended model are asked; or a run.

    Raises:
        RunError: The folder holds no finished run or study.
    """
    return DoubtfulLabels(doubts.doubts(folder_of(model)))


def explain(
    model: Model, images: Source, *, target: str | None = None, layer: str = "features"
) -> Heatmaps:
    """Show what a model looks at: a Grad-CAM map of every image.

    Args:
        model: The run.
        images: Files, folders, Pillow images or an array, see `predict`.
        target: The class to explain, by name; None: what the model predicts.
        layer: The layer whose map is used.

    Raises:
        RunError: The folder holds no usable run.
        DataError: There are no images that can be read, or there is no such class.
        ExplainError: The model cannot be explained at this layer.
    """
    net = _load(model)
    from tessera.explain import gradcam

    if target is not None and target not in net.class_names:
        raise DataError(
            f"target: expected one of {in_row(net.class_names)}. Received: {target!r}."
        )
    seen = pictures.read(images, net.image_size)
    targets = None
    if target is not None:
        targets = np.full(len(seen.names), net.class_names.index(target), np.int32)
    found = gradcam.explain(net.net, seen.pixels, targets=targets, layer=layer)
    return Heatmaps(
        seen.names,
        seen.pixels,
        replace(found, temperature=net.temperature),
        net.class_names,
        seen.refused,
        net.because,
    )


def export(
    model: Model,
    to: str,
    *,
    out: str | Path | None = None,
    data: str | Path | None = None,
    licence: str | None = None,
    ensemble: bool = False,
) -> ExportedModel:
    """Hand a model over: a folder with it, its labels and its card.

    Preprocessing and calibration are inside. It is compared with the original on 1,000
    images, test images first, and appears only where it is equal; `onnx-int8` rounds,
    and its card says what that costs.

    Args:
        model: The run.
        to: One of `keras`, `onnx`, `onnx-int8`, `litert` and `saved-model`.
        out: A folder that is not there yet; None: named after the run.
        data: Where the run's images lie now, if not where they lay in training.
        licence: Of the weights, in words, for the card.
        ensemble: As for `predict`: all seeds' runs as one model.

    Raises:
        ExportError: There is no such format, the folder is taken, something that the
            format needs is missing, or the exported model is not the original.
        RunError: The folder holds no usable run, or one where several are wanted.
        DataError: The run's images cannot be read, or `out` lies among them.
    """
    runtime.prepare()
    runtime.load_backend()
    from tessera.export import command

    done = command.export(
        folder_of(model),
        to,
        out=None if out is None else Path(out),
        data=None if data is None else str(data),
        licence=licence,
        ensemble=ensemble,
    )
    return ExportedModel(
        done.folder, done.model, done.card, done.check.summary, done.because
    )


def _check_fit(net: Trained, data: Data) -> None:
    """Refuse images that the model was not made for."""
    asked, given = net.record.data, data.dataset.summary()
    expected = (asked.class_names, asked.image_shape)
    if (given.class_names, given.image_shape) != expected:
        raise DataError(
            f"data: expected images of {list(asked.image_shape)} of the classes "
            f"{in_row(asked.class_names)}. Received: {list(given.image_shape)} of "
            f"{in_row(given.class_names)}."
        )


def folder_of(model: Model, argument: str = "model") -> Path:
    """Where a run or a study lies.

    Raises:
        RunError: It is of another type.
    """
    if isinstance(model, Study | FinishedRun):
        return model.folder
    if not isinstance(model, str | Path):
        raise RunError(
            f"{argument}: expected what `study` or `train` returns, or the folder of "
            f"one, as text or Path. Received: {type(model).__name__}. What a model of "
            "Keras looks at, `tessera.explain.explain` shows."
        )
    return Path(model)


def _load(model: Model, *, ensemble: bool = False) -> Trained:
    runtime.prepare()
    runtime.load_backend()
    return trained.load(folder_of(model), ensemble=ensemble)

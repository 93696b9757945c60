"""Run and study folders, most on the embedded digits, without any training.

A network with its initial weights answers badly but definitely: its last layer is made
steep, so that answers differ from image to image.
"""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tessera import cross_validation, files, history, runtime, settings
from tessera.data import source
from tessera.data.dataset import Dataset
from tessera.evaluation import scores, study_record
from tessera.experiment import Digits, Experiment, Model, Run, Training
from tessera.record import Record, RunFolder
from tessera.training import fit, predict

SIZE = 16
STEEPNESS = 20.0


def experiment(models: Sequence[Model], seeds: tuple[int, ...] = (0,)) -> Experiment:
    """One regime, balanced, on digits of 16 x 16 pixels."""
    return Experiment(
        name="toy",
        data=Digits(image_size=SIZE),
        models=tuple(models),
        regimes=Experiment().regimes[:1],
        training=Training(epochs=1, flip=False),
        seeds=seeds,
    )


def digits() -> Dataset:
    """The data of every toy run."""
    return source.load(Digits(image_size=SIZE))


def write_run(folder: RunFolder, run: Run, data: Dataset | None = None) -> Record:
    """Leave what a finished run leaves, but for training; without data, of digits."""
    runtime.prepare()
    from tessera.models import build

    data = data or digits()
    drawn = run.seed + 10 * (getattr(run.data, "fold", None) or 0)
    net = build.build(run.model, data.image_shape, len(data.class_names), seed=drawn)
    head = net.get_layer("logits")
    head.set_weights([STEEPNESS * weights for weights in head.get_weights()])
    held = np.arange(min(100, len(data.train)))
    logits = predict.logits(net, data.test.images)
    files.write_text(folder.experiment, settings.dumps(run.experiment()))
    net.save_weights(folder.weights)
    files.write_arrays(
        folder.predictions,
        logits=logits,
        labels=data.test.labels,
        indices=np.arange(len(data.test)),
    )
    history.write(folder, [dict.fromkeys(fit.COLUMNS, 0.0)])
    files.write_arrays(
        folder.validation_predictions,
        logits=predict.logits(net, data.train.images[held]),
        labels=data.train.labels[held],
        indices=held,
    )
    record = _record(run, data, net.count_params(), logits)
    files.write_text(folder.record, record.model_dump_json(indent=2))
    return record


def _record(run: Run, data: Dataset, parameters: int, logits: np.ndarray) -> Record:
    return Record(
        digest=run.digest(data.fingerprint),
        model=run.model.label,
        regime=run.regime.name,
        seed=run.seed,
        scores=scores.scores(data.test.labels, logits.argmax(axis=1), data.class_names),
        parameters=parameters,
        multiply_adds=1,
        train_counts=(100,) * len(data.class_names),
        validation_counts=(10,) * len(data.class_names),
        reduced_classes=(),
        best_epoch=1,
        train_seconds=1.0,
        images_per_second=1.0,
        data=data.summary(),
        provenance=runtime.environment(1),
        finished_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).isoformat(),
    )


def write_study(path: Path, asked: Experiment, data: Dataset | None = None) -> Path:
    """A study of toy runs with its `study.json`."""
    runs = asked.runs()
    names = [f"runs/{run.cell}/seed-{run.seed}" for run in runs]
    records = [
        write_run(RunFolder(path / name), run, data)
        for name, run in zip(names, runs, strict=True)
    ]
    record = study_record.study_record(asked, records, runtime.environment(1), names)
    files.write_text(path / "study.json", record.model_dump_json(indent=2))
    return path


def write_folds(path: Path, asked: Experiment) -> Path:
    """A study of toy runs for every fold, and what pools them."""
    folds = cross_validation.parts(asked, path)
    datasets = [source.load(fold.experiment.data) for fold in folds]
    for fold, dataset in zip(folds, datasets, strict=True):
        write_study(fold.folder, fold.experiment, dataset)
    cross_validation.conclude(asked, datasets, path, threads=1)
    return path


def write_images(root: Path, sizes: Mapping[str, int]) -> Path:
    """A folder of noisy pictures of 16 x 16 pixels, each class of another colour."""
    random = np.random.default_rng(0)
    for channel, (name, size) in enumerate(sizes.items()):
        (root / name).mkdir(parents=True)
        for number in range(size):
            pixels = random.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
            pixels[..., channel] |= 128
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root

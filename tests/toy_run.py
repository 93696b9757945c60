"""Run and study folders on the embedded digits, without any training.

A network with its initial weights answers badly but definitely: its last layer is made
steep, so that answers differ from image to image.
"""

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tessera import files, runtime, settings
from tessera.data import source
from tessera.data.dataset import Dataset
from tessera.evaluation import scores, study_record
from tessera.experiment import Digits, Experiment, Model, Run, Training
from tessera.record import Record, RunFolder
from tessera.training import predict

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


def write_run(folder: RunFolder, run: Run) -> Record:
    """Leave what a finished run leaves, but for training."""
    runtime.prepare()
    from tessera.models import build

    data = digits()
    net = build.build(run.model, data.image_shape, 10, seed=run.seed)
    head = net.get_layer("logits")
    head.set_weights([STEEPNESS * weights for weights in head.get_weights()])
    held = np.arange(100)
    logits = predict.logits(net, data.test.images)
    files.write_text(folder.experiment, settings.dumps(run.experiment()))
    net.save_weights(folder.weights)
    files.write_arrays(
        folder.predictions,
        logits=logits,
        labels=data.test.labels,
        indices=np.arange(len(data.test)),
    )
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
        train_counts=(100,) * 10,
        validation_counts=(10,) * 10,
        reduced_classes=(),
        best_epoch=1,
        train_seconds=1.0,
        images_per_second=1.0,
        data=data.summary(),
        provenance=runtime.environment(1),
        finished_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).isoformat(),
    )


def write_study(path: Path, asked: Experiment) -> Path:
    """A study of toy runs with its `study.json`."""
    runs = asked.runs()
    names = [f"runs/{run.cell}/seed-{run.seed}" for run in runs]
    records = [
        write_run(RunFolder(path / name), run)
        for name, run in zip(names, runs, strict=True)
    ]
    record = study_record.study_record(asked, records, runtime.environment(1), names)
    files.write_text(path / "study.json", record.model_dump_json(indent=2))
    return path

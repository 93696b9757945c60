"""Synthetic study folders: the files a study leaves, without any training."""

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from evaluation.studies import ENVIRONMENT, NAMES, Recalls, confusion, folders, records

from tessera import files
from tessera.evaluation.mistakes import mistakes
from tessera.evaluation.study_record import study_record
from tessera.experiment import Experiment
from tessera.record import Record, RunFolder, StudyRecord
from tessera.report.load import Study
from tessera.results import Spread

COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "val_balanced_accuracy",
    "val_macro_f1",
    "learning_rate",
    "seconds",
)


def write_study(
    path: Path,
    experiment: Experiment,
    recalls: Recalls,
    change: Callable[[Record], Record] = lambda record: record,
) -> Path:
    """Write `study.json` and every run's files, each record changed, into `path`."""
    found = [change(record) for record in records(experiment, recalls)]
    places = folders(experiment)
    for record, place in zip(found, places, strict=True):
        write_run(RunFolder(path / place), record, experiment.training.epochs)
    study = study_record(experiment, found, ENVIRONMENT, places, path)
    files.write_text(path / "study.json", study.model_dump_json(indent=2))
    return path


def write_run(run: RunFolder, record: Record, epochs: int) -> None:
    rng = np.random.default_rng(record.seed)
    files.write_text(run.record, record.model_dump_json(indent=2))
    files.write_text(run.experiment, 'name = "x"\n[data]\nkind = "digits"\n')
    files.write_json(
        run.manifest, {"recipe": "x", "indices": [1, 2], "path": str(run.path)}
    )
    write_history(run.history, record.scores.accuracy, epochs, rng)
    files.write_arrays(run.heatmaps, **heatmaps(rng))
    matrix = confusion([c.recall for c in record.scores.per_class], 20)
    labels, predicted = np.nonzero(np.ones_like(matrix))
    labels = np.repeat(labels, matrix.ravel()).astype(np.int32)
    predicted = np.repeat(predicted, matrix.ravel())
    logits = np.eye(len(NAMES), dtype=np.float32)[predicted]
    indices = np.arange(len(labels))
    files.write_arrays(run.predictions, logits=logits, labels=labels, indices=indices)
    held = {"logits": 2 * logits[::9], "labels": labels[::9], "indices": indices[::9]}
    files.write_arrays(run.validation_predictions, **held)
    files.write_arrays(run.mistakes, **mistaken(logits, labels, rng))


def write_history(
    path: Path, end: float, epochs: int, rng: np.random.Generator
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for epoch in range(1, epochs + 1):
            level = end * (1 - 0.6 * np.exp(-epoch / 2)) + rng.normal(0, 0.01)
            low = level - 0.02
            row = [2.3 * (1 - low), low, 2.3 * (1 - level), level, level, level]
            writer.writerow([epoch, *row, 0.001, 12.5])


def heatmaps(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One correct and one wrong image per class; the last map is blank."""
    labels = np.repeat(np.arange(len(NAMES)), 2).astype(np.int32)
    predicted = labels.copy()
    predicted[1::2] = (predicted[1::2] + 1) % len(NAMES)
    raw = rng.normal(0, 1, (len(labels), 8, 8)).astype(np.float32)
    raw[-1] = -1
    reasons = np.array([""] * (len(labels) - 1) + ["no positive evidence"])
    return {
        "images": rng.integers(0, 256, (len(labels), 32, 32, 3), np.uint8),
        "indices": np.arange(len(labels)),
        "labels": labels,
        "predicted": predicted,
        "targets": predicted,
        "probabilities": rng.uniform(0.4, 1, len(labels)),
        "raw": raw,
        "reasons": reasons,
        "layer": np.array("features"),
        "method": np.array("Grad-CAM"),
        "cautions": np.array(["Few cells."]),
    }


def mistaken(
    logits: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The images that `evaluation.mistakes` chooses; every map has evidence."""
    indices = mistakes(logits, labels).all()
    size = len(indices)
    raw = rng.normal(0, 1, (size, 8, 8)).astype(np.float32)
    raw[:, 0, 0] = 3
    return heatmaps(rng) | {
        "images": rng.integers(0, 256, (size, 32, 32, 3), np.uint8),
        "indices": indices,
        "labels": labels[indices],
        "predicted": logits[indices].argmax(axis=1),
        "targets": logits[indices].argmax(axis=1),
        "probabilities": np.full(size, 0.5),
        "raw": raw,
        "reasons": np.array([""] * size),
    }


def with_temperatures(study: Study, *temperatures: float) -> Study:
    """The study, its first cells' seeds with these temperatures, all others with 2."""
    every = (*temperatures, *[2.0] * (len(study.record.cells) - len(temperatures)))
    cells = [
        cell.model_copy(
            update={"temperature": Spread(mean=t, deviation=None, values=(t,))}
        )
        for cell, t in zip(study.record.cells, every, strict=True)
    ]
    record = study.record.model_copy(update={"cells": tuple(cells)})
    return dataclasses.replace(study, record=record)


def without_test_images(study: Study, *classes: int) -> Study:
    """The study, as though the test set held no image of these classes."""
    data = study.record.data
    counts = (0 if i in classes else n for i, n in enumerate(data.test_counts))
    data = data.model_copy(update={"test_counts": tuple(counts)})
    record = study.record.model_copy(update={"data": data})
    return dataclasses.replace(study, record=record)


def ranked_by_one_seed(record: StudyRecord) -> StudyRecord:
    """The record, as though every remedy had its first seed alone."""
    rankings = tuple(
        ranking.model_copy(
            update={
                "remedies": tuple(
                    row.model_copy(update={"seeds": row.seeds[:1]})
                    for row in ranking.remedies
                )
            }
        )
        for ranking in record.rankings
    )
    return record.model_copy(update={"rankings": rankings})

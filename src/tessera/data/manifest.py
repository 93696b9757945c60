"""Which images a run used, so that two people can prove they used the same."""

import hashlib
from typing import Any

import numpy as np

from tessera import experiment
from tessera.arrays import Indices
from tessera.data import splits
from tessera.data.dataset import Dataset

SCHEMA_VERSION = 1


def manifest(
    data: experiment.Data,
    profile: experiment.Profile,
    dataset: Dataset,
    *,
    seed: int,
    train: Indices,
    validation: Indices,
) -> dict[str, Any]:
    """The recipe and the outcome of choosing a run's images, as plain data for JSON.

    Args:
        data: The experiment's data settings.
        profile: The regime's imbalance profile.
        dataset: What `data` was loaded to.
        seed: Of the run.
        train: Positions in the dataset's training images that are trained on.
        validation: Positions in the dataset's training images; where the data brings
            a validation split of its own, positions in that.

    Returns:
        `dataset`, `recipe`, `counts` (per class), `indices`, and `sha256` of the
        indices (little-endian int64, in the order given).
    """
    own = dataset.validation is not None
    held = dataset.train if dataset.validation is None else dataset.validation
    parts = {"train": (dataset.train, train), "validation": (held, validation)}
    classes = len(dataset.class_names)
    return {
        "schema_version": SCHEMA_VERSION,
        "dataset": dataset.summary().model_dump(mode="json"),
        "recipe": {
            "data": data.model_dump(mode="json"),
            "profile": profile.model_dump(mode="json"),
            "seed": seed,
            "order": "profile first, then validation is held from what it keeps",
            "validation": "the data's own" if own else data.validation,
            "validation_rule": "as given" if own else _rule(dataset),
            "test": "all test images of the dataset, used once",
        },
        "counts": {
            name: np.bincount(split.labels[at], minlength=classes).tolist()
            for name, (split, at) in parts.items()
        },
        "indices": {name: at.tolist() for name, (_, at) in parts.items()},
        "sha256": {name: indices_hash(at) for name, (_, at) in parts.items()},
    }


def _rule(dataset: Dataset) -> str:
    return splits.RULE if dataset.train.groups is None else splits.GROUPED


def indices_hash(indices: Indices) -> str:
    """SHA-256 of positions as little-endian int64, in their order."""
    return hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest()

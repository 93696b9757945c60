"""A finished run's folder -> its model, what its answers mean, and its data.

The model is built again from the run's own `experiment.toml` and given its best
weights; nothing stored is executed.
"""

import json
from typing import assert_never

import numpy as np

from tessera.data import source
from tessera.data.dataset import Dataset, Split
from tessera.evaluation.probabilities import fitted_temperature
from tessera.experiment import Cnn, Data, Hybrid, HybridPlus, Transformer
from tessera.explain.graph import ExplainError
from tessera.explain.places import Grid
from tessera.models import rebuild
from tessera.models.rebuild import Rebuilt
from tessera.record import RunFolder


def load(run: RunFolder) -> Rebuilt:
    """Build a finished run's model again and give it its best weights.

    Raises:
        ExplainError: The folder holds no finished run.
        ExperimentError: Its `experiment.toml` was changed into something invalid.
    """
    try:
        return rebuild.rebuild(run)
    except rebuild.RunError as error:
        raise ExplainError(str(error)) from error


def temperature(run: RunFolder) -> float:
    """What divides the run's logits, as where `tessera predict` answers.

    Raises:
        ExplainError: Its validation predictions are missing or damaged.
    """
    try:
        return fitted_temperature(*rebuild.predictions(run.validation_predictions))
    except rebuild.RunError as error:
        raise ExplainError(str(error)) from error


def data(
    trained: Rebuilt,
    place: Data | None = None,
    *,
    way_out: str = "Put those images back where they were.",
) -> Dataset:
    """The data that the run was trained and tested on.

    Args:
        trained: The run.
        place: Where the images are now; None: where the run found them.
        way_out: What to do where they are others, a sentence.

    Raises:
        ExplainError: They are other images.
        DataError: They cannot be read.
    """
    dataset = source.load(place or trained.run.data)
    expected = trained.record.data.fingerprint
    if dataset.fingerprint != expected:
        raise ExplainError(
            f"{trained.folder.path}: expected the images it was trained on, SHA-256 "
            f"{expected[:12]}. Received: {dataset.fingerprint[:12]} ({dataset.name}). "
            f"{way_out}"
        )
    return dataset


def validation(run: RunFolder, dataset: Dataset) -> Split:
    """The images that the run was validated on, as its manifest says.

    Raises:
        ExplainError: The manifest is missing or damaged.
    """
    held = dataset.train if dataset.validation is None else dataset.validation
    try:
        listed = json.loads(run.manifest.read_bytes())["indices"]["validation"]
        at = np.array(listed, np.int64)
        return Split(held.images[at], held.labels[at])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ExplainError(
            f"{run.manifest}: expected the manifest of a finished run. Received: "
            f"{type(error).__name__}: {error}."
        ) from error


def token_grid(trained: Rebuilt) -> Grid | None:
    """The grid of the model's tokens, as its settings say; None where it has none."""
    match trained.run.model:
        case Cnn() | HybridPlus(depth=0):
            return None
        case Transformer() | HybridPlus():
            patch = 1
        case Hybrid(patch=patch):
            pass
        case _:
            assert_never(trained.run.model)
    _, height, width, _ = trained.net.get_layer("features").output.shape
    return -(-height // patch), -(-width // patch)


def readout(trained: Rebuilt) -> str:
    """How the model reads its tokens, for attention rollout."""
    pools = isinstance(trained.run.model, Transformer | HybridPlus)
    return "pool_weights" if pools else "mean"

"""An exported model against the original, on 1,000 images: equal, or not exported."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images, Indices, Probabilities
from tessera.data.dataset import Dataset
from tessera.evaluation.probabilities import softmax
from tessera.explain import gradcam
from tessera.export.errors import ExportError
from tessera.export.formats import Output, Reader
from tessera.trained import Trained
from tessera.training import predict

IMAGES = 1000
"""Compared: test images first, then others, see `others`."""

TOLERANCE = 1e-4
"""Of a probability, and of a heatmap relative to the largest value of all maps."""

BATCH = 250


@dataclass(frozen=True)
class Parity:
    """How far apart the two are at most."""

    images: int
    tested: int
    """Of the images, test images."""
    probability: float
    """Largest difference of a probability."""
    heatmap: float | None
    """Largest difference of a heatmap's cell, relative to the largest of all cells."""
    same_answers: int
    """Images with the same class, ties within the tolerance counted as the same."""

    @property
    def summary(self) -> str:
        """One sentence for the command line."""
        return (
            f"Checked on {self.images:,} images, {self.tested:,} of them test images: "
            f"probabilities within {self.probability:.1e} of the original's."
        )

    @property
    def details(self) -> str:
        """A paragraph for the card."""
        heatmap = (
            ""
            if self.heatmap is None
            else " Heatmaps differ by at most "
            f"{self.heatmap:.1e} of the largest value of all maps."
        )
        return (
            f"On {self.images:,} images, {self.tested:,} of them test images, read "
            "back with the format's own runtime, a probability differs from the "
            f"original model's by at most {self.probability:.1e} (allowed: "
            f"{TOLERANCE:.0e}), and {self.same_answers:,} answers are the "
            f"same.{heatmap}"
        )


def check(trained: Trained, reader: Reader, dataset: Dataset) -> Parity:
    """Compare an exported model with the original.

    The original is held to the run's stored test predictions first, so that the model
    that was evaluated is the one that leaves.

    Args:
        trained: The original.
        reader: The exported model.
        dataset: The run's data.

    Raises:
        ExportError: They differ by more than the tolerance, or the data is not the
            run's.
    """
    hold_data(trained, dataset)
    chosen = sample(trained, dataset)
    rest = others(dataset, IMAGES - len(chosen), seed=trained.run.seed)
    images = np.concatenate([dataset.test.images[chosen], rest])
    logits = trained.logits(images)
    expected = softmax(logits, trained.temperature)
    tested = slice(len(chosen))
    hold_to_stored(trained, chosen, expected[tested], images[tested])
    output = answered(reader, images)
    found = Parity(
        images=len(images),
        tested=len(chosen),
        probability=float(np.abs(output.probabilities - expected).max()),
        heatmap=_heatmap_difference(trained, images, output),
        same_answers=int(_same(output.probabilities, expected).sum()),
    )
    _hold(found)
    return found


def hold_data(trained: Trained, dataset: Dataset) -> None:
    """Refuse data that the run was not trained on.

    Raises:
        ExportError: The fingerprints differ.
    """
    if dataset.fingerprint != trained.record.data.fingerprint:
        raise ExportError(
            f"export: expected the run's data as it was in training, fingerprint "
            f"{trained.record.data.fingerprint[:12]}. Received: {dataset.name}, "
            f"fingerprint {dataset.fingerprint[:12]}: its images or classes are not "
            "the same. Put them back, say with --data where the run's data lies, or "
            "train anew and export that run."
        )


def sample(trained: Trained, dataset: Dataset) -> Indices:
    """The test images compared: drawn by the run's seed, int64 [min(N, 1000)]."""
    generator = np.random.default_rng(trained.run.seed)
    order = generator.permutation(len(dataset.test))
    return np.sort(order[:IMAGES])


def others(dataset: Dataset, count: int, *, seed: int) -> Images:
    """What takes the place of test images that there are not.

    Args:
        dataset: Where they come from.
        count: Images asked for.
        seed: Decides which.

    Returns:
        uint8 [count, H, W, C]: training images that are no test images, each at most
        once, and where these run out, means of two of them.
    """
    generator = np.random.default_rng([seed, 1])
    images = dataset.train.images
    most = 0 if dataset.train is dataset.test else count
    single = images[np.sort(generator.permutation(len(images))[:most])]
    pairs = generator.integers(len(images), size=(2, count - len(single)))
    first, second = (images[indices].astype(np.uint16) for indices in pairs)
    return np.concatenate([single, ((first + second) // 2).astype(np.uint8)])


def answered(reader: Reader, images: Images) -> Output:
    """The exported model's answers, a few images alone and the rest in batches."""
    size = predict.at_once(images, most=BATCH)
    starts = [0, 1, 2, *range(3, len(images), size), len(images)]
    starts = sorted({min(start, len(images)) for start in starts})
    pieces = [
        reader(images[a:b].astype(np.float32)) for a, b in itertools.pairwise(starts)
    ]
    maps = [piece.heatmaps for piece in pieces if piece.heatmaps is not None]
    shares = np.concatenate([piece.probabilities for piece in pieces])
    return Output(shares, np.concatenate(maps) if maps else None)


def hold_to_stored(
    trained: Trained, chosen: Indices, expected: Probabilities, images: Images
) -> None:
    """Hold the original to the test predictions that its run stored, or its runs.

    Args:
        trained: The original.
        chosen: Positions of test images.
        expected: Its calibrated probabilities for them, [len(chosen), K].
        images: They themselves, uint8 [len(chosen), H, W, C].

    Raises:
        ExportError: They differ by more than the tolerance.
        RunError: There are none that can be read.
    """
    again = trained.as_stored(expected, images, chosen)
    difference = float(np.abs(trained.stored()[chosen] - again).max())
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{trained.place}: expected the model to give the run's stored test "
            f"predictions within {TOLERANCE:g}. Received: a difference of "
            f"{difference:.2g}, so the weights or the settings were changed since, or "
            "its answers are not those of the network alone. "
            f"{trained.again}"
        )


def _same(shares: NDArray[np.float32], expected: Probabilities) -> NDArray[np.bool_]:
    """Whether the exported answer is a best one of the original, within tolerance."""
    chosen = np.take_along_axis(expected, shares.argmax(axis=1)[:, None], axis=1)[:, 0]
    same: NDArray[np.bool_] = chosen >= expected.max(axis=1) - 2 * TOLERANCE
    return same


def _heatmap_difference(
    trained: Trained, images: Images, output: Output
) -> float | None:
    """Against `explain.gradcam`, each image explained for the exported answer."""
    if output.heatmaps is None:
        return None
    answers = output.probabilities.argmax(axis=1).astype(np.int32)
    raw = gradcam.explain(trained.net, images, targets=answers).raw
    largest = float(np.maximum(np.abs(raw).max(), np.finfo(np.float32).tiny))
    return float(np.abs(output.heatmaps - raw).max()) / largest


def _hold(found: Parity) -> None:
    differences = {"a probability": found.probability, "a heatmap": found.heatmap}
    for what, difference in differences.items():
        if difference is not None and not difference <= TOLERANCE:
            raise ExportError(
                f"parity: expected {what} of the exported model within {TOLERANCE:g} "
                f"of the original's on {found.images:,} images. Received: a difference "
                f"of {difference:.2g}. Nothing was exported."
            )

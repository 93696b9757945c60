"""A rounded model against the original: how many answers stay, and what that costs.

Rounding changes a function, so equality is not to be had. What rounding changes falls
on few images, and may fall on the rare classes most (Hooker et al. 2019,
arXiv:1911.05248): every class is held for itself, and the scores are told anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Labels, Logits
from tessera.data.dataset import Dataset
from tessera.evaluation import scores
from tessera.evaluation.probabilities import softmax
from tessera.evaluation.significance import McNemar, mcnemar
from tessera.export import parity
from tessera.export.errors import ExportError
from tessera.export.formats import Reader
from tessera.export.words import escaped, percent
from tessera.record import Scores
from tessera.trained import Trained

SAME = 0.95
"""Of all answers at least as many are the original's."""

SAME_OF_CLASS = 0.8
"""And of the answers that name one class, where there are `ENOUGH`."""

ENOUGH = 20


@dataclass(frozen=True)
class Fidelity:
    """How much of the original is left."""

    images: int
    """Compared: all test images, and others where these are few."""
    same_answers: int
    original: Scores
    """Of the original on all test images."""
    scores: Scores
    """Of the exported model on all test images."""
    test: McNemar
    """Test images that only the original, and that only the exported one gets right."""

    heatmap = None
    """Rounded models give none."""

    @property
    def summary(self) -> str:
        """Two sentences for the command line."""
        now, then = self.scores.balanced_accuracy, self.original.balanced_accuracy
        return (
            f"Checked on {self.images:,} images: {self.same_answers:,} answers "
            f"({percent(self.same_answers / self.images)}) are the original's. "
            f"Balanced accuracy on the test images: {percent(now)} (original: "
            f"{percent(then)})."
        )

    @property
    def details(self) -> str:
        """A paragraph for the card."""
        return (
            "The model computes in whole numbers of 8 bits and is not the original's "
            f"equal: of {self.images:,} images, test images first, "
            f"{self.same_answers:,} answers are the same. On the test images "
            f"it reaches {self._score('balanced_accuracy')} balanced accuracy and "
            f"{self._score('macro_f1')} macro-F1; {self.test.first_only:,} are "
            f"answered rightly by the original alone and {self.test.second_only:,} by "
            f"this model alone (McNemar's test: p = {self.test.p:.2g}). "
            f"{self._hardest()} "
            "All scores above are this model's own."
        )

    def _score(self, name: str) -> str:
        now, then = getattr(self.scores, name), getattr(self.original, name)
        return f"{percent(now)} (the original {percent(then)})"

    def _hardest(self) -> str:
        pairs = zip(self.original.per_class, self.scores.per_class, strict=True)
        then, now = max(pairs, key=lambda pair: pair[0].recall - pair[1].recall)
        if then.recall <= now.recall:
            return "No class loses recall."
        return (
            f"The recall that falls most is that of {escaped(now.name)}: from "
            f"{percent(then.recall)} to {percent(now.recall)}."
        )


def check(trained: Trained, reader: Reader, dataset: Dataset) -> Fidelity:
    """Compare a rounded model with the original.

    On every test image, and where these are fewer than `parity.IMAGES` on training
    images and means of two of them as well. The original is held to the run's stored
    test predictions first.

    Raises:
        ExportError: Too many answers are others, of all or of those that name one
            class, or the data is not the run's.
    """
    parity.hold_data(trained, dataset)
    test, names = dataset.test, trained.class_names
    rest = parity.others(
        dataset, max(0, parity.IMAGES - len(test)), seed=trained.run.seed
    )
    logits = trained.logits(test.images)
    shares = softmax(logits, trained.temperature)
    parity.hold_to_stored(trained, np.arange(len(test)), shares, test.images)
    expected = _best(logits, trained.logits(rest) if len(rest) else logits[:0])
    found = np.concatenate(
        [
            parity.answered(reader, images).probabilities.argmax(axis=1)
            for images in (test.images, rest)
            if len(images)
        ]
    )
    hold(expected, found, names)
    before, now = expected[: len(test)], found[: len(test)]
    return Fidelity(
        images=len(expected),
        same_answers=int((found == expected).sum()),
        original=scores.scores(test.labels, before, names),
        scores=scores.scores(test.labels, now, names),
        test=mcnemar(before == test.labels, now == test.labels),
    )


def _best(*logits: Logits) -> Labels:
    best: Labels = np.concatenate(logits).argmax(axis=1).astype(np.int32)
    return best


def hold(expected: Labels, found: Labels, names: tuple[str, ...]) -> None:
    """Hold answers to the original's: of all enough stay, and of every class's.

    Args:
        expected: The original's, int [N].
        found: The exported model's, int [N].
        names: Of the K classes.

    Raises:
        ExportError: Too many are others.
    """
    same = found == expected
    _at_least(SAME, same, "the answers")
    for label, name in enumerate(names):
        said = expected == label
        if said.sum() >= ENOUGH:
            _at_least(SAME_OF_CLASS, same[said], f"the answers that name {name!r}")


def _at_least(bound: float, same: NDArray[np.bool_], which: str) -> None:
    if same.mean() < bound:
        raise ExportError(
            f"onnx-int8: expected at least {percent(bound)} of {which} "
            f"to stay the original's. Received: {percent(float(same.mean()))} of "
            f"{len(same):,}, so this model does not bear rounding. Nothing was "
            "exported. Export to onnx."
        )

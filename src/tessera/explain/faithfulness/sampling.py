"""A test set and a model's answers -> the fixed sample on which maps are measured."""

from dataclasses import dataclass

import numpy as np

from tessera.arrays import Images, Indices, Labels, Logits
from tessera.explain.faithfulness.answers import Predict
from tessera.explain.faithfulness.fills import Pixels


@dataclass(frozen=True, eq=False)
class Sample:
    """Images with what the model says of them."""

    images: Pixels
    labels: Labels
    """True classes, int32 [N]."""
    logits: Logits
    indices: Indices
    """Positions in the set that they were drawn from: by class, ascending within it."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def targets(self) -> Labels:
        """The class explained: the one predicted, int32 [N]."""
        answers: Labels = self.logits.argmax(axis=1).astype(np.int32)
        return answers

    def first(self, count: int) -> "Sample":
        """About `count` of them, evenly spread over the sample and so over classes."""
        where = np.unique(
            np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)
        )
        return Sample(
            self.images[where],
            self.labels[where],
            self.logits[where],
            self.indices[where],
        )


def stratified(labels: Labels, *, count: int, seed: int) -> Indices:
    """Equally many images of every class, drawn at random; fewer where it has fewer.

    Args:
        labels: int [N].
        count: Images in all, shared equally by the classes that have any; at least
            one of each.
        seed: Decides the draw, class by class: the same for every model.

    Returns:
        Positions, by class and ascending within it, int64 [n].
    """
    present = np.unique(labels)
    each = max(1, count // len(present))
    chosen = []
    for k in present:
        order = np.random.default_rng((seed, int(k))).permutation(
            np.flatnonzero(labels == k)
        )
        chosen.append(np.sort(order[:each]))
    return np.concatenate(chosen)


def draw(
    predict: Predict, images: Images, labels: Labels, *, count: int, seed: int
) -> Sample:
    """Draw a stratified sample and ask the model about it."""
    where = stratified(labels, count=count, seed=seed)
    pixels = images[where].astype(np.float32)
    return Sample(pixels, labels[where], predict(pixels), where)

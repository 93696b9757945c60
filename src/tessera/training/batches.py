"""One epoch's images, in order, augmented and mixed -> batches for a training step."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tessera import remedies
from tessera.arrays import Counts, Images, Indices, Labels
from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.imbalance import sampling
from tessera.imbalance.plan import Phase
from tessera.training import mixing, order
from tessera.training.steps import Batch


@dataclass(frozen=True, eq=False)
class Material:
    """The images of one training."""

    train: Split
    """The dataset's training images, before any profile."""
    indices: Indices
    """Those to train on."""
    validation: Split

    @property
    def labels(self) -> Labels:
        """Labels of the images to train on, int32 [N]."""
        return self.train.labels[self.indices]


class Epoch:
    """The batches of one epoch: a pure function of (material, phase, seed, epoch)."""

    def __init__(
        self,
        material: Material,
        training: Training,
        phase: Phase,
        counts: Counts,
        *,
        seed: int,
        epoch: int,
    ) -> None:
        """Fix the epoch's order and draws; images stay where they are until needed.

        Args:
            material: The images.
            training: Batch size and augmentation.
            phase: How classes are drawn and images mixed.
            counts: Images per class that the optimiser sees, int64 [K].
            seed: The run's.
            epoch: Counted from 0.
        """
        self._split = material.train
        self._training = training
        self._mixing = phase.mixing
        self._material = material
        self._counts = counts
        self._key = {"seed": seed, "epoch": epoch}
        chosen = positions(material.labels, training, phase, counts, **self._key)
        self._indices = material.indices[chosen]
        size = len(material.train.labels)
        self._draws = order.draws_for(self._indices, size, training, **self._key)

    def __len__(self) -> int:
        """Batches in the epoch; the last may be smaller."""
        return -(-len(self._indices) // self._training.batch_size)

    @property
    def drawn(self) -> tuple[Indices, Indices]:
        """Positions in the split, [N], and the draws of each, [N, 3], int64."""
        return self._indices, self._draws

    def __iter__(self) -> Iterator[Batch]:
        """Pixels [B, H, W, C] in 0..255 and targets, see `steps.Batch`."""
        return map(self._batch, range(len(self)))

    def _batch(self, index: int) -> Batch:
        size = self._training.batch_size
        rows = slice(index * size, (index + 1) * size)
        chosen = self._indices[rows]
        images, labels = self._images(chosen, self._draws[rows])
        if self._training.cutout:
            images = order.cut(images, self._training.cutout, batch=index, **self._key)
        if self._mixing is None:
            return images, labels
        rng = mixing.generator(batch=index, **self._key)
        mixed = self._mix(self._mixing, images, labels, rng)
        return mixed.pixels, mixed.targets

    def _mix(
        self,
        chosen: remedies.Mixing,
        images: Images,
        labels: Labels,
        rng: np.random.Generator,
    ) -> mixing.Mixed:
        if isinstance(chosen, remedies.TailOnHead):
            if rng.random() >= chosen.probability:
                return mixing.unmixed(images, labels)
            others = self._rare(len(labels), chosen.power, rng)
        else:
            partners = rng.permutation(len(labels))
            others = images[partners], labels[partners]
        return mixing.mix(chosen, images, labels, others, self._counts, rng)

    def _rare(
        self, size: int, power: float, rng: np.random.Generator
    ) -> tuple[Images, Labels]:
        """Images to paste, augmented by draws of their own."""
        material = self._material
        found = mixing.pasted(material.labels, self._counts, size, power, rng)
        shifts = 2 * self._training.crop_padding + 1
        sides = 2 if self._training.flip else 1
        rows = rng.integers([shifts, shifts, sides], size=(size, 3))
        return self._images(material.indices[found], rows)

    def _images(self, chosen: Indices, rows: Indices) -> tuple[Images, Labels]:
        images = order.augment(
            self._split.images[chosen],
            rows,
            padding=self._training.crop_padding,
            fill=self._training.crop_fill,
        )
        return images, self._split.labels[chosen]


def positions(
    labels: Labels,
    training: Training,
    phase: Phase,
    counts: Counts,
    *,
    seed: int,
    epoch: int,
) -> Indices:
    """Which of the images to train on come when in an epoch: positions, int64 [N].

    A sampler draws as many images as there are, so that an epoch costs the same.
    """
    if phase.sampling is None:
        return order.order(len(labels), seed=seed, epoch=epoch)
    progress = epoch / max(training.epochs - 1, 1)
    shares = sampling.shares(phase.sampling, counts, progress=progress)
    draws = sampling.draws_per_class(shares, len(labels))
    return order.sampled(labels, draws, seed=seed, epoch=epoch)

"""One epoch's images, in order, augmented and mixed -> batches for a training step."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tessera import remedies
from tessera.arrays import Counts, Images, Indices, Labels
from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.imbalance import sampling
from tessera.imbalance.plan import Phase
from tessera.training import mixing, order, variation
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


@dataclass(frozen=True, eq=False)
class Look:
    """Images, and what is done to each: a row of every array."""

    chosen: Indices
    """Positions in the split, [B]."""
    rows: Indices
    """The draws of each, see `order.draws`, [B, 3]."""
    holes: Indices | None = None
    """Where each has a grey square, see `order.holes`, [B, 2]."""
    changes: NDArray[np.int32] | None = None
    """How each is turned, zoomed and recoloured, see `variation.changes`."""

    def __getitem__(self, wanted: slice | Indices) -> "Look":
        """Some of them."""
        holes = None if self.holes is None else self.holes[wanted]
        changes = None if self.changes is None else self.changes[wanted]
        return Look(self.chosen[wanted], self.rows[wanted], holes, changes)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Everything that is random in a batch."""

    images: Look
    mix: mixing.Mix | None = None
    others: Look | None = None
    """The images that are mixed in, place for place."""
    partners: Indices | None = None
    """Where those are among the batch's own images, if they are, [B]."""


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
            phase: How classes are drawn, and images mixed and varied.
            counts: Images per class that the optimiser sees, int64 [K].
            seed: The run's.
            epoch: Counted from 0.
        """
        self._split = material.train
        self._training = training
        self._mixing = phase.mixing
        self._material = material
        self._counts = counts
        self._reach = variation.ranges(training, phase.variation, counts)
        self._key = {"seed": seed, "epoch": epoch}
        chosen = positions(material.labels, training, phase, counts, **self._key)
        indices = material.indices[chosen]
        size = len(material.train.labels)
        rows = order.draws_for(indices, size, training, **self._key)
        self._look = Look(indices, rows, changes=self._varied(indices))

    def __len__(self) -> int:
        """Batches in the epoch; the last may be smaller."""
        return -(-len(self._look.chosen) // self._training.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Pixels [B, H, W, C] in 0..255 and targets, see `steps.Batch`."""
        return map(self._batch, range(len(self)))

    def drawn(self, index: int) -> Drawn:
        """What is random in a batch, counted from 0."""
        size = self._training.batch_size
        look = self._look[index * size : (index + 1) * size]
        if side := self._training.cutout:
            count = len(look.chosen)
            holes = order.holes(count, self._size, side, batch=index, **self._key)
            look = replace(look, holes=holes)
        if self._mixing is None:
            return Drawn(look)
        rng = mixing.generator(batch=index, **self._key)
        return self._with_others(self._mixing, look, rng)

    @property
    def _size(self) -> tuple[int, int]:
        _, height, width, _ = self._split.images.shape
        return height, width

    def _with_others(
        self, chosen: remedies.Mixing, look: Look, rng: np.random.Generator
    ) -> Drawn:
        size = len(look.chosen)
        partners = None
        if not isinstance(chosen, remedies.TailOnHead):
            partners = rng.permutation(size)
            others = look[partners]
        elif rng.random() < chosen.probability:
            others = self._rare(size, chosen.power, rng)
        else:
            unseen = replace(look, holes=None)  # as the pasted have none
            return Drawn(look, mixing.unmixed(size), unseen, np.arange(size))
        labels, second = (self._split.labels[one.chosen] for one in (look, others))
        mix = mixing.mix(chosen, labels, second, self._counts, self._size, rng)
        return Drawn(look, mix, others, partners)

    def _rare(self, size: int, power: float, rng: np.random.Generator) -> Look:
        """Images to paste, augmented by draws of their own."""
        material = self._material
        found = mixing.pasted(material.labels, self._counts, size, power, rng)
        shifts = 2 * self._training.crop_padding + 1
        sides = 2 if self._training.flip else 1
        rows = rng.integers([shifts, shifts, sides], size=(size, 3))
        indices, changes = material.indices[found], None
        if self._reach.any():
            uniform = rng.uniform(-1, 1, (size, variation.DRAWS))
            changes = self._changes(indices, uniform)
        return Look(indices, rows, changes=changes)

    def _varied(self, indices: Indices) -> NDArray[np.int32] | None:
        """How images vary in this epoch; None: not at all."""
        if not self._reach.any():
            return None
        size = len(self._split.labels)
        return self._changes(
            indices,
            order.showings(
                indices, lambda n: variation.draws(size, **self._key, again=n)
            ),
        )

    def _changes(
        self, indices: Indices, uniform: NDArray[np.float64]
    ) -> NDArray[np.int32]:
        reach = self._reach[self._split.labels[indices]]
        return variation.changes(uniform, reach, self._split.images.shape[-1])

    def _batch(self, index: int) -> Batch:
        drawn = self.drawn(index)
        images, labels = self._images(drawn.images)
        if drawn.mix is None or drawn.others is None:
            return images, labels
        if drawn.partners is not None:
            others = images[drawn.partners], labels[drawn.partners]
        else:
            others = self._images(drawn.others)
        pixels = mixing.mixed(drawn.mix, images, others[0])
        return pixels, mixing.targets(drawn.mix, labels, others[1])

    def _images(self, look: Look) -> tuple[Images, Labels]:
        images = order.augment(
            self._split.images[look.chosen],
            look.rows,
            padding=self._training.crop_padding,
            fill=self._training.crop_fill,
        )
        if look.changes is not None:
            images = variation.applied(images, look.changes)
        if look.holes is not None:
            images = order.cut(images, look.holes, self._training.cutout)
        return images, self._split.labels[look.chosen]


def positions(
    labels: Labels,
    training: Training,
    phase: Phase,
    counts: Counts,
    *,
    seed: int,
    epoch: int,
) -> Indices:
    """Which of the images to train on come when in an epoch: positions, int64 [M].

    M is `sampling.length`: N images without a sampler.
    """
    if phase.sampling is None:
        return order.order(len(labels), seed=seed, epoch=epoch)
    progress = epoch / max(training.epochs - 1, 1)
    draws = sampling.draws(phase.sampling, counts, progress=progress)
    return order.sampled(labels, draws, seed=seed, epoch=epoch)

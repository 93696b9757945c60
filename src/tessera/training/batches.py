"""One epoch's images, in order and augmented -> batches for Keras on any backend."""

from typing import Any

import keras
import numpy as np

from tessera.arrays import Images, Indices, Labels
from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.training import order


class Epoch(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """The batches of one epoch: a pure function of (split, indices, seed, epoch)."""

    def __init__(
        self,
        split: Split,
        indices: Indices,
        training: Training,
        *,
        seed: int,
        epoch: int,
    ) -> None:
        """Fix the epoch's order and draws; images stay where they are until needed.

        Args:
            split: The dataset's training images, before any profile.
            indices: Which of them to train on, int64 [N].
            training: Batch size and augmentation.
            seed: The run's.
            epoch: Counted from 0.
        """
        super().__init__()
        self._split = split
        self._size = training.batch_size
        self._padding = training.crop_padding
        shuffled = order.order(len(indices), seed=seed, epoch=epoch)
        self._indices = indices[shuffled]
        self._draws = order.draws(len(split.labels), training, seed=seed, epoch=epoch)

    def __len__(self) -> int:
        """Batches in the epoch; the last may be smaller."""
        return int(np.ceil(len(self._indices) / self._size))

    def __getitem__(self, batch: int) -> tuple[Any, Labels]:
        """The images, float32 [B, H, W, C] in 0..255, and labels of one batch."""
        chosen = self._indices[batch * self._size : (batch + 1) * self._size]
        return self._images(chosen).astype(np.float32), self._split.labels[chosen]

    def _images(self, chosen: Indices) -> Images:
        images = self._split.images[chosen]
        return order.augment(images, self._draws[chosen], padding=self._padding)

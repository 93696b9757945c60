"""Loaded images as a value that shows itself: counts per class and examples."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tessera import experiment, overlay
from tessera.data.dataset import Dataset
from tessera.imbalance import profiles
from tessera.notebook import html

SIDE = 64
"""Least pixels per side of an example."""

MOST = 12
"""Classes of which an example is shown."""


@dataclass(frozen=True, eq=False)
class Data:
    """A dataset in memory, and the settings from which workers load it again."""

    settings: experiment.Data
    dataset: Dataset

    def __repr__(self) -> str:
        """Name, sizes and the counts per class."""
        rows = "\n".join(
            f"  {name}: {train} training, {test} test images"
            for name, train, test in self._counts()
        )
        return f"{self._title()}\n{rows}"

    def _repr_html_(self) -> str:
        return html.page(self._parts())

    def _parts(self) -> Iterator[str]:
        rows = [
            (name, f"{train:,}", f"{test:,}") for name, train, test in self._counts()
        ]
        yield html.table(self._title(), ("class", "training", "test"), rows)
        train = self.dataset.train
        magnification = overlay.magnified(train.images[0], SIDE)
        for label, name in enumerate(self.dataset.class_names[:MOST]):
            first = int(np.flatnonzero(train.labels == label)[0])
            pixels = overlay.enlarge(train.images[first], magnification=magnification)
            yield html.figure(pixels, name, alternative=f"an image of {name}")

    def _title(self) -> str:
        data, counts = self.dataset, self.dataset.summary().train_counts
        height, width, _ = data.image_shape
        factor = profiles.imbalance_factor(np.asarray(counts))
        return (
            f"{data.name}: {len(data.train):,} training and {len(data.test):,} test "
            f"images of {height}x{width} pixels, {len(data.class_names)} classes, "
            f"imbalance factor {factor:.1f}"
        )

    def _counts(self) -> list[tuple[str, int, int]]:
        found = self.dataset.summary()
        columns = (found.class_names, found.train_counts, found.test_counts)
        return list(zip(*columns, strict=True))

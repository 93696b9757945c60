"""A dataset in memory: splits of images and labels, checked, named, fingerprinted."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from tessera.arrays import Counts, Images, Labels
from tessera.phrases import in_row
from tessera.record import DataSummary

CHUNK = 4096
"""Images hashed at a time, so that a memory-mapped set is never read whole."""


class DataError(Exception):
    """The data cannot be used; the message says what to do about it."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels."""

    images: Images
    """uint8 [N, H, W, C], 0..255."""
    labels: Labels
    """int32 [N]."""
    names: tuple[str, ...] | None = None
    """N: each image's file, relative to the dataset's folder; None: not files."""
    groups: tuple[str, ...] | None = None
    """N: what each image belongs to and is never parted from, such as a patient; None:
    every image stands alone."""

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise DataError(
                "Split.images: expected uint8 [N, H, W, C]. "
                f"Received: {self.images.dtype} {list(self.images.shape)}."
            )
        if self.labels.dtype != np.int32 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"Split.labels: expected int32 [{len(self.images)}], one per image. "
                f"Received: {self.labels.dtype} {list(self.labels.shape)}."
            )
        for name, of in (("names", self.names), ("groups", self.groups)):
            if of is not None and len(of) != len(self.images):
                raise DataError(
                    f"Split.{name}: expected {len(self.images)}, one per image. "
                    f"Received: {len(of)}."
                )

    def __len__(self) -> int:
        return len(self.labels)

    def counts(self, classes: int) -> Counts:
        """Images per class, int64 [K]."""
        return np.bincount(self.labels, minlength=classes).astype(np.int64)

    def groups_of_classes(self, classes: int) -> tuple[int, ...] | None:
        """How many groups each class's images are of, [K]; None: they stand alone."""
        if self.groups is None:
            return None
        known = set(zip(self.labels.tolist(), self.groups, strict=True))
        labels = np.array([label for label, _ in known], np.int32)
        return tuple(np.bincount(labels, minlength=classes).tolist())


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images of one classification task.

    Raises:
        DataError: The parts do not fit together.
    """

    name: str
    """As results must call it, say `CIFAR-10`."""
    class_names: tuple[str, ...]
    """Label k is called `class_names[k]`."""
    train: Split
    test: Split
    validation: Split | None
    """Only where the data brings its own; otherwise cut from `train` later."""
    fingerprint: str
    """SHA-256 of the decoded pixels, labels, class names and groups."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how it was loaded, in sentences."""

    def __post_init__(self) -> None:
        names = self.class_names
        if len(names) < 2 or len(set(names)) < len(names):
            raise DataError(
                f"{self.name}: expected at least two classes with distinct names. "
                f"Received: {list(names)}."
            )
        for split, part in self.splits().items():
            self._check(split, part)
        self._check_every_class()

    def _check(self, name: str, split: Split) -> None:
        shape, expected = split.images.shape[1:], self.train.images.shape[1:]
        if shape != expected:
            raise DataError(
                f"{self.name}: expected {name} images of shape {list(expected)}, as "
                f"in the training split. Received: {list(shape)}."
            )
        labels = split.labels
        if (
            len(labels) == 0
            or labels.min() < 0
            or labels.max() >= len(self.class_names)
        ):
            received = f"{labels.min()}..{labels.max()}" if len(labels) else "no images"
            raise DataError(
                f"{self.name}: expected {name} labels from 0 to "
                f"{len(self.class_names) - 1}. Received: {received}."
            )

    def _check_every_class(self) -> None:
        empty = np.flatnonzero(self.train.counts(len(self.class_names)) == 0)
        if len(empty):
            raise DataError(
                f"{self.name}: expected train images of every class. Received none "
                f"of: {in_row(self.class_names[k] for k in empty)}."
            )

    def splits(self) -> dict[str, Split]:
        """The splits there are, by name: train, test, and perhaps validation."""
        found = {"train": self.train, "test": self.test}
        return found if self.validation is None else found | {"val": self.validation}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    def summary(self) -> DataSummary:
        """What a record keeps of the dataset."""
        classes = len(self.class_names)
        return DataSummary(
            name=self.name,
            fingerprint=self.fingerprint,
            class_names=self.class_names,
            train_counts=tuple(self.train.counts(classes).tolist()),
            test_counts=tuple(self.test.counts(classes).tolist()),
            test_groups=self.test.groups_of_classes(classes),
            image_shape=self.image_shape,
            notes=self.notes,
        )


def fingerprint(
    class_names: tuple[str, ...], train: Split, test: Split, validation: Split | None
) -> str:
    """SHA-256 of class names, and of each split's shape, labels, pixels and groups."""
    digest = hashlib.sha256(json.dumps(list(class_names)).encode())
    for name, split in (("train", train), ("test", test), ("val", validation)):
        if split is None:
            continue
        digest.update(json.dumps([name, list(split.images.shape)]).encode())
        digest.update(split.labels.astype("<i4").tobytes())
        for start in range(0, len(split), CHUNK):
            digest.update(split.images[start : start + CHUNK].tobytes())
        if split.groups is not None:
            digest.update(json.dumps(split.groups).encode())
    return digest.hexdigest()


def assemble(
    name: str,
    class_names: tuple[str, ...],
    *,
    train: Split,
    test: Split,
    validation: Split | None = None,
) -> Dataset:
    """A dataset with its fingerprint computed.

    Raises:
        DataError: The parts do not fit together.
    """
    mark = fingerprint(class_names, train, test, validation)
    return Dataset(name, class_names, train, test, validation, mark)

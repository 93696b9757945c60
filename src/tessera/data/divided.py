"""An image folder, read and divided: what is trained on, and what is tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tessera.arrays import Indices, Labels
from tessera.data import decoded, grouped, splits
from tessera.data.dataset import DataError
from tessera.data.decoded import Decoded, Progress
from tessera.data.scan import File, Listing
from tessera.experiment import Folder

TEST_SEED = 0
"""The test set cut from a folder without `test/` is the same for every run."""


@dataclass(frozen=True, eq=False)
class Divided:
    """A folder's images, and the split that each is in."""

    data: Folder
    """What was asked for."""
    listing: Listing
    pixels: Decoded
    parts: dict[str, Indices]
    """Positions of each split's images: train, test and, where there is one, val."""

    @property
    def groups(self) -> tuple[str, ...] | None:
        """The group of each image, see `grouped.names`."""
        return grouped.names(self.pixels.files)


def read(data: Folder, *, progress: Progress | None = None) -> Divided:
    """Read an image folder; while no file in it changes it is decoded once.

    A folder without `test/` has its test set cut, class by class, from the training
    images (or from all, where there is no `train/` either), always the same.

    Args:
        data: The path is that of `train/ test/ [val/]` with a folder per class, of a
            folder per class, or of a CSV file that lists images.
        progress: Told how far the decoding is.

    Raises:
        DataError: There is no known layout; a fold is asked for without a number, or
            of a folder that has a `test/`; no image is of a group; or a class has too
            few images, or groups of them, to be divided.
    """
    _check_fold(data)
    listing = grouped.listed(Path(data.path), data.groups, data.columns)
    pixels = decoded.read(listing, data.image_size, progress=progress)
    return Divided(data, listing, pixels, _parts(data, listing, pixels))


def _check_fold(data: Folder) -> None:
    if data.folds is not None and data.fold is None:
        raise DataError(
            f"data.fold: expected a number from 1 to {data.folds}, the part to test "
            f"on, with data.folds = {data.folds}. Received: none. (`tessera study` "
            "takes each in turn.)"
        )


def _parts(data: Folder, listing: Listing, pixels: Decoded) -> dict[str, Indices]:
    of = np.array([file.split for file in pixels.files], dtype=str)
    parts = {split: np.flatnonzero(of == split) for split in listing.classes}
    if "all" in parts:
        parts["train"] = parts.pop("all")
    if "test" not in parts:
        whole = parts["train"]
        files = [pixels.files[at] for at in whole]
        kept, held = _cut(data, listing, pixels.labels[whole], files)
        parts |= {"train": whole[kept], "test": whole[held]}
    elif data.folds is not None:
        raise DataError(
            "folds: expected images without a test set, which are all tested in turn. "
            f"Received: {listing.place}, which has one."
        )
    return parts


def _cut(
    data: Folder, listing: Listing, labels: Labels, files: Sequence[File]
) -> tuple[Indices, Indices]:
    """Positions kept and positions held for testing."""
    groups = grouped.names(files)
    counts = splits.units(labels, groups, len(listing.class_names))
    fewest = f"{listing.class_names[counts.argmin()]}, with {counts.min()}"
    if data.folds is None:
        if groups is not None and counts.min() < 2:
            raise DataError(
                "groups: expected at least two of every class, to learn from one and "
                f"to be tested on the other. Received fewer of: {fewest}."
            )
        return splits.stratified(labels, data.test, seed=TEST_SEED, groups=groups)
    if counts.min() < data.folds:
        of = "images" if groups is None else "groups"
        raise DataError(
            f"folds: expected at most as many as the smallest class has {of}, so "
            f"that each tests every class ({fewest}). Received: {data.folds}."
        )
    folds = splits.folds(labels, data.folds, seed=TEST_SEED, groups=groups)
    tested = folds + 1 == data.fold
    return np.flatnonzero(~tested), np.flatnonzero(tested)

"""A folder of images into a dataset: listed, decoded once, checked, split."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tessera import experiment
from tessera.arrays import Images, Indices, Labels
from tessera.data import cache, decoded, safety, splits
from tessera.data.dataset import DataError, Dataset, Split, fingerprint
from tessera.data.decoded import Decoded, Progress
from tessera.data.entries import shown
from tessera.data.scan import Listing, scan

FORMAT = 3
"""Raised whenever what is cached of checked data changes its form."""

TEST_SEED = 0
"""The test set cut from a folder without `test/` is the same for every run."""


@dataclass(frozen=True)
class Fold:
    """A part of the images that is the test set."""

    number: int
    """From 1."""
    of: int


def load(
    root: Path,
    *,
    image_size: int,
    test: float,
    fold: Fold | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load an image folder; files that have not changed are not decoded again.

    Args:
        root: `train/ test/ [val/]` with a folder per class, or a folder per class.
        image_size: Height and width that images are brought to.
        test: Share held for testing where there is no `test/`.
        fold: Of a cross-validation, in the place of that share.
        name: What results call the data; None: the folder's own name.
        progress: Told how far the decoding is.

    Raises:
        DataError: There is no known layout, or `safety.problems` finds any; the folder
            has a `test/` of its own, or a class too few images, for a fold.
    """
    listing = scan(root)
    pixels = decoded.read(listing, image_size, progress=progress)
    parts = assign(listing, pixels, test=test, fold=fold)
    key = _key(listing, pixels, parts, fold)
    known = cache.find(key)
    if known is None:
        warnings = _checked(listing, pixels, parts)
        known = _remember(key, listing.class_names, pixels, parts, warnings)
    cut = known.arrays
    found = {name: part(pixels, at, cut.get(name)) for name, at in parts.items()}
    return Dataset(
        name or shown(listing.root.name),
        listing.class_names,
        found["train"],
        found["test"],
        found.get("val"),
        str(known.facts["fingerprint"]),
        (*_cut_test(listing, parts, fold), *known.facts["warnings"]),
    )


def fold_of(data: experiment.Folder) -> Fold | None:
    """The fold that settings ask for.

    Raises:
        DataError: They ask for folds, and do not say which.
    """
    if data.folds is None:
        return None
    if data.fold is None:
        raise DataError(
            f"data.fold: expected a number from 1 to {data.folds}, the part to test "
            f"on, with data.folds = {data.folds}. Received: none. (`tessera study` "
            "takes each in turn.)"
        )
    return Fold(data.fold, data.folds)


def assign(
    listing: Listing, pixels: Decoded, *, test: float, fold: Fold | None = None
) -> dict[str, Indices]:
    """Positions of each split's images: train, test and, where there is one, val.

    A folder without `test/` has its test set cut, class by class, from the training
    images (or from all, where there is no `train/` either), always the same.

    Raises:
        DataError: A fold is asked for, and the folder has a `test/` of its own or a
            class with too few images.
    """
    of = np.array([file.split for file in pixels.files], dtype=str)
    parts = {split: np.flatnonzero(of == split) for split in listing.classes}
    if "all" in parts:
        parts["train"] = parts.pop("all")
    if "test" not in parts:
        whole = parts["train"]
        kept, held = _cut(listing, pixels.labels[whole], test, fold)
        parts |= {"train": whole[kept], "test": whole[held]}
    elif fold is not None:
        raise DataError(
            f"folds: expected a folder without test/, whose images are all tested in "
            f"turn. Received: {listing.root}, which has one."
        )
    return parts


def _cut(
    listing: Listing, labels: Labels, test: float, fold: Fold | None
) -> tuple[Indices, Indices]:
    """Positions kept and positions held for testing."""
    if fold is None:
        return splits.stratified(labels, test, seed=TEST_SEED)
    counts = np.bincount(labels, minlength=len(listing.class_names))
    if counts.min() < fold.of:
        few = f"{listing.class_names[counts.argmin()]}, with {counts.min()}"
        raise DataError(
            f"folds: expected at most as many as the smallest class has images, so "
            f"that each tests every class ({few}). Received: {fold.of}."
        )
    tested = splits.folds(labels, fold.of, seed=TEST_SEED) == fold.number - 1
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def part(pixels: Decoded, positions: Indices, cut: Images | None = None) -> Split:
    """The images at ascending positions; neighbours are a view, never a copy.

    Args:
        pixels: All images.
        positions: Those of the part.
        cut: The part's images, where they were cut out before.
    """
    names = tuple(pixels.files[at].path for at in positions)
    if cut is None and _neighbours(positions):
        first = int(positions[0]) if len(positions) else 0
        run = slice(first, first + len(positions))
        return Split(pixels.images[run], pixels.labels[run], names)
    images = pixels.images[positions] if cut is None else cut
    return Split(images, pixels.labels[positions], names)


def _neighbours(positions: Indices) -> bool:
    return len(positions) == 0 or positions[-1] - positions[0] + 1 == len(positions)


def _remember(
    key: str,
    names: tuple[str, ...],
    pixels: Decoded,
    parts: dict[str, Indices],
    warnings: tuple[str, ...],
) -> cache.Entry:
    """Keep what was found, and what was cut: as a file, which all processes map."""
    found = {name: part(pixels, at) for name, at in parts.items()}
    mark = fingerprint(names, found["train"], found["test"], found.get("val"))
    facts = {"fingerprint": mark, "warnings": warnings}
    cut = {
        name: split.images
        for name, split in found.items()
        if not _neighbours(parts[name])
    }
    cache.store(key, cut, facts)
    return cache.find(key) or cache.Entry(cut, facts)


def _key(
    listing: Listing, pixels: Decoded, parts: dict[str, Indices], fold: Fold | None
) -> str:
    """Of the fingerprint and the warnings of data that was found safe."""
    return cache.key(
        "checked",
        FORMAT,
        *([fold.number, fold.of] if fold else []),
        safety.VERSION,
        pixels.key,
        listing.classes,
        [refused.path for refused in listing.refused],
        safety.left_alone(listing),
        {split: len(positions) for split, positions in parts.items()},
    )


def _checked(
    listing: Listing, pixels: Decoded, parts: dict[str, Indices]
) -> tuple[str, ...]:
    """Warnings about data that is safe to train on; other data is refused."""
    twins, size = safety.find_twins(pixels, parts), pixels.images.shape[1]
    found = safety.problems(listing, pixels, parts, twins)
    if found:
        raise DataError(
            f"{listing.root}: expected data that is safe to train on. Received:\n"
            + "\n".join(f"- {problem}" for problem in found)
            + f"\n`tessera data {listing.root} --image-size {size}` shows all of it."
        )
    return safety.warnings(listing, pixels, parts, twins)


def _cut_test(
    listing: Listing, parts: dict[str, Indices], fold: Fold | None
) -> Iterator[str]:
    tested, kept = len(parts["test"]), len(parts["train"])
    if fold is not None:
        yield (
            f"Fold {fold.number} of {fold.of}: {tested} of the {kept + tested} images "
            "are the test set, class by class; each of the others is that of another "
            "fold."
        )
    elif "test" not in listing.classes:
        yield (
            f"The folder has no test/ with a folder per class: {tested} of "
            f"the {kept + tested} images to learn from are "
            "held out as the test set, class by class, the same ones for every run."
        )

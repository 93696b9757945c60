"""A folder of images into a dataset: listed, decoded once, checked, split."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tessera import experiment
from tessera.arrays import Images, Indices, Labels
from tessera.columns import Columns
from tessera.data import cache, decoded, grouped, leaks, safety, splits
from tessera.data.dataset import DataError, Dataset, Split, fingerprint
from tessera.data.decoded import Decoded, Progress
from tessera.data.entries import shown
from tessera.data.scan import File, Listing

FORMAT = 4
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
    groups: str | None = None,
    columns: Columns | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load an image folder; files that have not changed are not decoded again.

    Args:
        root: `train/ test/ [val/]` with a folder per class, or a folder per class; or
            a CSV file that lists images.
        image_size: Height and width that images are brought to.
        test: Share held for testing where there is no `test/`.
        fold: Of a cross-validation, in the place of that share.
        groups: The rule by which images belong together, see `tessera.grouping`.
        columns: Of a list: what its columns are called.
        name: What results call the data; None: the folder's own name.
        progress: Told how far the decoding is.

    Raises:
        DataError: There is no known layout, or `safety.problems` finds any; the folder
            has a `test/` of its own, or a class too few images, for a fold; no image
            is of a group, or a class has too few of them.
    """
    listing = grouped.listed(root, groups, columns)
    pixels = decoded.read(listing, image_size, progress=progress)
    parts = assign(listing, pixels, test=test, fold=fold)
    key = _key(listing, pixels, parts, [fold and asdict(fold), groups])
    known = cache.find(key)
    if known is None:
        look = _look(listing, image_size, test, fold, groups, columns or Columns())
        warnings = _checked(listing, pixels, parts, look)
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
        (
            *_cut_test(listing, parts, fold),
            *grouped.told(listing, groups, columns),
            *known.facts["warnings"],
        ),
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
        DataError: A fold is asked for, and the folder has a `test/` of its own; or a
            class has too few images, or groups of them, to be divided.
    """
    of = np.array([file.split for file in pixels.files], dtype=str)
    parts = {split: np.flatnonzero(of == split) for split in listing.classes}
    if "all" in parts:
        parts["train"] = parts.pop("all")
    if "test" not in parts:
        whole = parts["train"]
        files = [pixels.files[at] for at in whole]
        kept, held = _cut(listing, pixels.labels[whole], files, test, fold)
        parts |= {"train": whole[kept], "test": whole[held]}
    elif fold is not None:
        raise DataError(
            "folds: expected images without a test set, which are all tested in turn. "
            f"Received: {listing.root / (listing.source or '')}, which has one."
        )
    return parts


def _cut(
    listing: Listing,
    labels: Labels,
    files: Sequence[File],
    test: float,
    fold: Fold | None,
) -> tuple[Indices, Indices]:
    """Positions kept and positions held for testing."""
    groups = grouped.names(files)
    counts = splits.units(labels, groups, len(listing.class_names))
    fewest = f"{listing.class_names[counts.argmin()]}, with {counts.min()}"
    if fold is None:
        if groups is not None and counts.min() < 2:
            raise DataError(
                "groups: expected at least two of every class, to learn from one and "
                f"to be tested on the other. Received fewer of: {fewest}."
            )
        return splits.stratified(labels, test, seed=TEST_SEED, groups=groups)
    if counts.min() < fold.of:
        of = "images" if groups is None else "groups"
        raise DataError(
            f"folds: expected at most as many as the smallest class has {of}, so "
            f"that each tests every class ({fewest}). Received: {fold.of}."
        )
    folds = splits.folds(labels, fold.of, seed=TEST_SEED, groups=groups)
    tested = folds == fold.number - 1
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def part(pixels: Decoded, positions: Indices, cut: Images | None = None) -> Split:
    """The images at ascending positions; neighbours are a view, never a copy.

    Args:
        pixels: All images.
        positions: Those of the part.
        cut: The part's images, where they were cut out before.
    """
    names = tuple(pixels.files[at].path for at in positions)
    known = grouped.names(pixels.files)
    groups = known and tuple(known[at] for at in positions)
    if cut is None and _neighbours(positions):
        first = int(positions[0]) if len(positions) else 0
        run = slice(first, first + len(positions))
        return Split(pixels.images[run], pixels.labels[run], names, groups)
    images = pixels.images[positions] if cut is None else cut
    return Split(images, pixels.labels[positions], names, groups)


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
    listing: Listing, pixels: Decoded, parts: dict[str, Indices], rules: list[Any]
) -> str:
    """Of the fingerprint and the warnings of data that was found safe."""
    return cache.key(
        "checked",
        FORMAT,
        rules,
        safety.VERSION,
        pixels.key,
        listing.classes,
        [refused.path for refused in listing.refused],
        safety.left_alone(listing),
        {split: positions.tolist() for split, positions in parts.items()},
        [[file.label, file.group] for file in pixels.files],
    )


def _checked(
    listing: Listing, pixels: Decoded, parts: dict[str, Indices], look: str
) -> tuple[str, ...]:
    """Warnings about data that is safe to train on; other data is refused."""
    twins = leaks.find_twins(pixels, parts)
    found = safety.problems(listing, pixels, parts, twins)
    if found:
        raise DataError(
            f"{_place(listing)}: expected data that is safe to train on. Received:\n"
            + "\n".join(f"- {problem}" for problem in found)
            + f"\n`{look}` shows all of it."
        )
    return safety.warnings(listing, pixels, parts, twins)


def _place(listing: Listing) -> Path:
    return listing.root / (listing.source or "")


def _look(
    listing: Listing,
    image_size: int,
    test: float,
    fold: Fold | None,
    groups: str | None,
    columns: Columns,
) -> str:
    """The command that looks at the same images, divided in the same way."""
    called = columns.model_dump(exclude_defaults=True)
    changed: dict[str, Any] = {f"columns.{name}": told for name, told in called.items()}
    if fold is not None:
        changed |= {"folds": fold.of, "fold": fold.number}
    elif test != experiment.Folder(path="").test:
        changed["test"] = test
    words = ["tessera", "data", str(_place(listing)), "--image-size", str(image_size)]
    words += [] if groups is None else ["--groups", groups]
    for name, value in changed.items():
        words += ["--set", f"data.{name}={value}"]
    return shlex.join(words)


def _no_test(listing: Listing) -> str:
    if listing.source:
        return f"{listing.source} names no test images"
    return "The folder has no test/ with a folder per class"


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
            f"{_no_test(listing)}: {tested} of the {kept + tested} images to learn "
            "from are held out as the test set, class by class, the same ones for "
            "every run."
        )

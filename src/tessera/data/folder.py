"""A folder of images into a dataset: read and divided, checked, its splits cut out."""

import shlex
from collections.abc import Iterator
from typing import Any

from tessera.arrays import Images, Indices
from tessera.data import cache, divided, grouped, leaks, safety
from tessera.data.dataset import DataError, Dataset, Split, fingerprint
from tessera.data.decoded import Progress
from tessera.data.divided import Divided
from tessera.data.entries import shown
from tessera.experiment import Folder

FORMAT = 4
"""Raised whenever what is cached of checked data changes its form."""


def load(data: Folder, *, progress: Progress | None = None) -> Dataset:
    """Load an image folder; while no file in it changes it is decoded once.

    Args:
        data: As for `divided.read`.
        progress: Told how far the decoding is.

    Raises:
        DataError: As `divided.read` and `dataset` say.
    """
    return dataset(divided.read(data, progress=progress))


def dataset(found: Divided) -> Dataset:
    """The dataset of a folder that was read and divided.

    Raises:
        DataError: `safety.problems` finds any.
    """
    key = _key(found)
    known = cache.find(key) or _remember(key, found, _checked(found))
    cut = known.arrays
    splits = {name: part(found, name, cut.get(name)) for name in found.parts}
    return Dataset(
        found.data.name or shown(found.listing.root.name),
        found.listing.class_names,
        splits["train"],
        splits["test"],
        splits.get("val"),
        str(known.facts["fingerprint"]),
        (
            *_cut_test(found),
            *grouped.told(found.listing, found.data.groups, found.data.columns),
            *known.facts["warnings"],
        ),
    )


def part(found: Divided, name: str, cut: Images | None = None) -> Split:
    """The images of a split; neighbours are a view, never a copy.

    Args:
        found: All images.
        name: Of the split.
        cut: Its images, where they were cut out before.
    """
    pixels, positions = found.pixels, found.parts[name]
    names = tuple(pixels.files[at].path for at in positions)
    known = found.groups
    groups = known and tuple(known[at] for at in positions)
    if cut is None and _neighbours(positions):
        first = int(positions[0]) if len(positions) else 0
        run = slice(first, first + len(positions))
        return Split(pixels.images[run], pixels.labels[run], names, groups)
    images = pixels.images[positions] if cut is None else cut
    return Split(images, pixels.labels[positions], names, groups)


def _neighbours(positions: Indices) -> bool:
    return len(positions) == 0 or positions[-1] - positions[0] + 1 == len(positions)


def _remember(key: str, found: Divided, warnings: tuple[str, ...]) -> cache.Entry:
    """Keep what was found, and what was cut: as a file, which all processes map."""
    splits = {name: part(found, name) for name in found.parts}
    mark = fingerprint(
        found.listing.class_names, splits["train"], splits["test"], splits.get("val")
    )
    facts = {"fingerprint": mark, "warnings": warnings}
    cut = {
        name: split.images
        for name, split in splits.items()
        if not _neighbours(found.parts[name])
    }
    cache.store(key, cut, facts)
    return cache.find(key) or cache.Entry(cut, facts)


def _key(found: Divided) -> str:
    """Of the fingerprint and the warnings of data that was found safe."""
    return cache.key(
        "checked",
        FORMAT,
        [found.data.folds, found.data.fold, found.data.groups],
        safety.VERSION,
        found.pixels.key,
        found.listing.classes,
        [[refused.path, refused.reason] for refused in found.listing.refused],
        found.listing.source is not None,
        safety.left_alone(found.listing),
        {split: positions.tolist() for split, positions in found.parts.items()},
        [[file.label, file.group] for file in found.pixels.files],
    )


def _checked(found: Divided) -> tuple[str, ...]:
    """Warnings about data that is safe to train on; other data is refused."""
    listing, pixels, parts = found.listing, found.pixels, found.parts
    twins = leaks.find_twins(pixels, parts)
    problems = safety.problems(listing, pixels, parts, twins)
    if problems:
        raise DataError(
            f"{listing.place}: expected data that is safe to train on. Received:\n"
            + "\n".join(f"- {problem}" for problem in problems)
            + f"\n`{_look(found)}` shows all of it."
        )
    return safety.warnings(listing, pixels, parts, twins)


def _look(found: Divided) -> str:
    """The command that looks at the same images, divided in the same way."""
    data = found.data
    called = data.columns.model_dump(exclude_defaults=True)
    changed: dict[str, Any] = {f"columns.{name}": told for name, told in called.items()}
    if data.folds is not None:
        changed |= {"folds": data.folds, "fold": data.fold}
    elif data.test != Folder(path="").test:
        changed["test"] = data.test
    words = [
        "tessera",
        "data",
        str(found.listing.place),
        "--image-size",
        str(data.image_size),
    ]
    words += [] if data.groups is None else ["--groups", data.groups]
    for name, value in changed.items():
        words += ["--set", f"data.{name}={value}"]
    return shlex.join(words)


def _no_test(found: Divided) -> str:
    if found.listing.source:
        return f"{found.listing.source} names no test images"
    return "The folder has no test/ with a folder per class"


def _cut_test(found: Divided) -> Iterator[str]:
    data, tested, kept = found.data, len(found.parts["test"]), len(found.parts["train"])
    if data.folds is not None:
        yield (
            f"Fold {data.fold} of {data.folds}: {tested} of the {kept + tested} images "
            "are the test set, class by class; each of the others is that of another "
            "fold."
        )
    elif "test" not in found.listing.classes:
        yield (
            f"{_no_test(found)}: {tested} of the {kept + tested} images to learn "
            "from are held out as the test set, class by class, the same ones for "
            "every run."
        )

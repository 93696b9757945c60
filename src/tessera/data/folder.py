"""A folder of images into a dataset: listed, decoded once, checked, split."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tessera.arrays import Images, Indices
from tessera.data import cache, decoded, safety, splits
from tessera.data.dataset import DataError, Dataset, Split, fingerprint
from tessera.data.decoded import Decoded, Progress
from tessera.data.entries import shown
from tessera.data.scan import Listing, scan

FORMAT = 3
"""Raised whenever what is cached of checked data changes its form."""

TEST_SEED = 0
"""The test set cut from a folder without `test/` is the same for every run."""


def load(
    root: Path,
    *,
    image_size: int,
    test: float,
    name: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load an image folder; files that have not changed are not decoded again.

    Args:
        root: `train/ test/ [val/]` with a folder per class, or a folder per class.
        image_size: Height and width that images are brought to.
        test: Share held for testing where there is no `test/`.
        name: What results call the data; None: the folder's own name.
        progress: Told how far the decoding is.

    Raises:
        DataError: There is no known layout, or `safety.problems` finds any.
    """
    listing = scan(root)
    pixels = decoded.read(listing, image_size, progress=progress)
    parts = assign(listing, pixels, test=test)
    key = _key(listing, pixels, parts)
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
        (*_cut_test(listing, parts), *known.facts["warnings"]),
    )


def assign(listing: Listing, pixels: Decoded, *, test: float) -> dict[str, Indices]:
    """Positions of each split's images: train, test and, where there is one, val.

    A folder without `test/` has its test set cut, class by class, from the training
    images (or from all, where there is no `train/` either), always the same.
    """
    of = np.array([file.split for file in pixels.files], dtype=str)
    parts = {split: np.flatnonzero(of == split) for split in listing.classes}
    if "all" in parts:
        parts["train"] = parts.pop("all")
    if "test" not in parts:
        whole = parts["train"]
        kept, held = splits.stratified(pixels.labels[whole], test, seed=TEST_SEED)
        parts |= {"train": whole[kept], "test": whole[held]}
    return parts


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


def _key(listing: Listing, pixels: Decoded, parts: dict[str, Indices]) -> str:
    """Of the fingerprint and the warnings of data that was found safe."""
    return cache.key(
        "checked",
        FORMAT,
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


def _cut_test(listing: Listing, parts: dict[str, Indices]) -> Iterator[str]:
    if "test" not in listing.classes:
        yield (
            f"The folder has no test/ with a folder per class: {len(parts['test'])} of "
            f"the {len(parts['train']) + len(parts['test'])} images to learn from are "
            "held out as the test set, class by class, the same ones for every run."
        )

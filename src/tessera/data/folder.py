"""A folder of images into a dataset: listed, decoded once, checked, split."""

from pathlib import Path

import numpy as np

from tessera.arrays import Indices
from tessera.data import cache, decoded, safety, splits
from tessera.data.dataset import DataError, Dataset, Split, fingerprint
from tessera.data.decoded import Decoded, Progress
from tessera.data.scan import Listing, scan, shown

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
        _refuse_unsafe(listing, pixels, parts)
    train, held = take(pixels, parts["train"]), take(pixels, parts["test"])
    validation = take(pixels, parts["val"]) if "val" in parts else None
    names = listing.class_names
    if known is None:
        mark = fingerprint(names, train, held, validation)
        cache.store(key, {}, {"fingerprint": mark})
    else:
        mark = str(known.facts["fingerprint"])
    name = name or shown(listing.root.name)
    return Dataset(name, names, train, held, validation, mark)


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


def take(pixels: Decoded, positions: Indices) -> Split:
    """The images at ascending positions; neighbours are a view, never a copy."""
    first = int(positions[0]) if len(positions) else 0
    if len(positions) and positions[-1] - first + 1 == len(positions):
        run = slice(first, first + len(positions))
        return Split(pixels.images[run], pixels.labels[run])
    return Split(pixels.images[positions], pixels.labels[positions])


def _key(listing: Listing, pixels: Decoded, parts: dict[str, Indices]) -> str:
    """Of the fingerprint of data that was found safe."""
    return cache.key(
        "checked",
        safety.VERSION,
        pixels.key,
        listing.classes,
        [refused.path for refused in listing.refused],
        {split: len(positions) for split, positions in parts.items()},
    )


def _refuse_unsafe(
    listing: Listing, pixels: Decoded, parts: dict[str, Indices]
) -> None:
    found = safety.problems(listing, pixels, parts)
    if found:
        raise DataError(
            f"{listing.root}: expected data that is safe to train on. Received:\n"
            + "\n".join(f"- {problem}" for problem in found)
            + f"\n`tessera data {listing.root}` shows all of it."
        )

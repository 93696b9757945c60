"""A folder of images into a dataset, decoded once and cached by content."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tessera.arrays import Images, Labels
from tessera.data import cache, decode, splits
from tessera.data.dataset import DataError, Dataset, Split, assemble
from tessera.data.scan import File, Listing, Refused, scan

Progress: TypeAlias = Callable[[int, int], None]
"""Called with files done and files in all."""

TOLERATED = 0.01
"""Share of unreadable files above which the folder is refused."""

TEST_SEED = 0
"""The test set cut from a folder without `test/` is the same for every run."""


@dataclass(frozen=True)
class Decoded:
    """A listing's readable files as arrays, in the listing's order."""

    images: Images
    labels: Labels
    files: tuple[File, ...]
    refused: tuple[Refused, ...]
    """Everything not used, with reasons: links and unreadable files."""


def load(
    root: Path,
    *,
    image_size: int,
    test: float,
    name: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load an image folder, from the cache where its files have not changed.

    Args:
        root: `train/ test/ [val/]` with a folder per class, or a folder per class.
        image_size: Height and width that images are brought to.
        test: Share held for testing where there is no `test/`.
        name: What results call the data; None: the folder's own name.
        progress: Told how far the decoding is.

    Raises:
        DataError: The layout is unknown, classes do not match between splits, or more
            than `TOLERATED` of the files cannot be read.
    """
    listing = scan(root)
    check_classes(listing)
    key = cache_key(listing, image_size, test)
    found = cache.find(key)
    if found is None:
        decoded = decode_files(listing, image_size, progress=progress)
        check_readable(listing, decoded.refused)
        dataset = to_dataset(listing, decoded, test=test)
        cache.store(key, dataset, {})
        found = cache.find(key) or cache.Cached(dataset, {})
    ready = found.dataset
    return Dataset(
        name or listing.root.name,
        ready.class_names,
        ready.train,
        ready.test,
        ready.validation,
        ready.fingerprint,
    )


def cache_key(listing: Listing, image_size: int, test: float) -> str:
    """Hash of what decides the decoded set: names, sizes, times, and the rules."""
    facts = [[f.path, f.size, f.modified] for f in listing.files]
    refused = [r.path for r in listing.refused]
    rules = [decode.VERSION, image_size, test, TEST_SEED, splits.RULE]
    canonical = json.dumps([rules, listing.classes, facts, refused])
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def decode_files(
    listing: Listing, image_size: int, *, progress: Progress | None = None
) -> Decoded:
    """Read every listed file; those that cannot be read are set aside with a reason."""
    total = len(listing.files)
    names = listing.class_names
    images = np.empty((total, image_size, image_size, 3), dtype=np.uint8)
    used: list[File] = []
    refused = list(listing.refused)
    for done, (file, pixels) in enumerate(_pixels(listing, image_size), start=1):
        if isinstance(pixels, str):
            refused.append(Refused(file.path, pixels))
        else:
            images[len(used)] = pixels
            used.append(file)
        if progress is not None:
            progress(done, total)
    labels = np.array([names.index(file.label) for file in used], dtype=np.int32)
    return Decoded(images[: len(used)], labels, tuple(used), tuple(refused))


def _pixels(
    listing: Listing, image_size: int
) -> Iterator[tuple[File, np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | str]]:
    """Each file with its pixels, or with the reason why it has none, in order."""

    def one(file: File) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | str:
        try:
            return decode.read(listing.root / file.path, image_size)
        except decode.Unreadable as reason:
            return str(reason)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        yield from zip(listing.files, pool.map(one, listing.files), strict=True)


def to_dataset(listing: Listing, decoded: Decoded, *, test: float) -> Dataset:
    """Sort decoded images into splits; cut a test set where the folder has none."""
    kinds = np.array([file.split for file in decoded.files])
    parts = {
        split: _part(decoded, np.flatnonzero(kinds == split))
        for split in listing.classes
    }
    train = parts.get("train") or parts["all"]
    if "test" not in parts:
        kept, held = splits.stratified(train.labels, test, seed=TEST_SEED)
        parts["test"] = Split(train.images[held], train.labels[held])
        train = Split(train.images[kept], train.labels[kept])
    dataset = assemble(
        listing.root.name,
        listing.class_names,
        train=train,
        test=parts["test"],
        validation=parts.get("val"),
    )
    _check_test_classes(dataset)
    return dataset


def _part(
    decoded: Decoded, positions: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Split:
    return Split(decoded.images[positions], decoded.labels[positions])


def check_classes(listing: Listing) -> None:
    """Refuse a split with a class that the training split does not have."""
    known = set(listing.class_names)
    for split, names in listing.classes.items():
        unknown = sorted(set(names) - known)
        if unknown:
            raise DataError(
                f"{listing.root}: expected in {split}/ the classes of train/: "
                f"{', '.join(listing.class_names)}. Received also: "
                f"{', '.join(unknown)}. Rename, move or remove these folders."
            )


def check_readable(listing: Listing, refused: tuple[Refused, ...]) -> None:
    """Refuse a folder of which more than `TOLERATED` cannot be read."""
    total = len(listing.files) + len(listing.refused)
    if len(refused) <= TOLERATED * total:
        return
    shown = "; ".join(f"{r.path}: {r.reason}" for r in refused[:3])
    raise DataError(
        f"{listing.root}: expected at most {TOLERATED:.0%} unreadable files. Received: "
        f"{len(refused)} of {total}, such as {shown}. Run `tessera data` on the folder "
        "for the whole list, then repair or remove these files."
    )


def _check_test_classes(dataset: Dataset) -> None:
    counts = dataset.test.counts(len(dataset.class_names))
    missing = [dataset.class_names[k] for k in np.flatnonzero(counts == 0)]
    if missing:
        raise DataError(
            f"{dataset.name}: expected test images of every class, or its score cannot "
            f"be measured. Received none of: {', '.join(missing)}. Add test images of "
            "these classes, at least two images in all, or remove the classes."
        )

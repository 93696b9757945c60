"""A listing into pixels: every file decoded once, the unreadable set aside."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images, Labels
from tessera.data import cache, decode
from tessera.data.decode import Picture
from tessera.data.scan import File, Listing, Refused

Progress: TypeAlias = Callable[[int, int], None]
"""Called with files done and files in all."""

FORMAT = 3
"""Raised whenever what is cached changes its form."""

WINDOW = 1024
"""Files in flight, so that results never pile up beside the array they go to."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A listing's readable files as arrays, in the listing's order."""

    images: Images
    """uint8 [N, S, S, 3]."""
    labels: Labels
    """Positions in the listing's class names, int32 [N]."""
    sizes: NDArray[np.int32]
    """Width and height of each file's picture, int32 [N, 2]."""
    files: tuple[File, ...]
    refused: tuple[Refused, ...]
    """All that is not used, with reasons: links and unreadable files."""
    key: str
    """Hash of what decided the pixels."""


def read(
    listing: Listing, image_size: int, *, progress: Progress | None = None
) -> Decoded:
    """Decode the listed files, or find them decoded in the cache.

    The cache knows a file by its path in the folder, its size and the times of its last
    changes, so that a folder that was moved is known too, and a file that was replaced
    is noticed although it has the size and the date of the one before.
    Files that the system withheld are asked for again each time: the end of a shortage
    changes none of these.
    """
    mark = key(listing, image_size)
    entry = cache.find(mark)
    if entry is None or not _still_withheld(listing, entry.facts["withheld"]):
        images, sizes, facts = decode_files(listing, image_size, progress=progress)
        arrays: dict[str, Any] = {"images": images, "sizes": sizes}
        cache.store(mark, arrays, facts)
        entry = cache.find(mark) or cache.Entry(arrays, facts)
    withheld = entry.facts["withheld"]
    return _from_entry(listing, entry, cache.key(mark, withheld) if withheld else mark)


def _still_withheld(listing: Listing, positions: Sequence[int]) -> bool:
    """Whether the system hands over none of these files, as when they were decoded."""
    for at in positions:
        try:
            decode.read(listing.root / listing.files[at].path, 1)
        except decode.Withheld:
            continue
        except decode.Unreadable:
            pass
        return False
    return True


def key(listing: Listing, image_size: int) -> str:
    """Hash of what decides the pixels: the files as the disk lists them, the rule."""
    facts = [[f.path, f.size, f.modified, f.changed] for f in listing.files]
    return cache.key("folder", FORMAT, decode.VERSION, image_size, facts)


def decode_files(
    listing: Listing, image_size: int, *, progress: Progress | None = None
) -> tuple[Images, NDArray[np.int32], dict[str, Any]]:
    """Read every file.

    Returns:
        Images uint8 [N, S, S, 3] and sizes int32 [N, 2] of the readable files, in the
        listing's order, and facts about the others: `refused`, the reason for each by
        its position, and `withheld`, the positions that the system refused.
    """
    total = len(listing.files)
    images = np.empty((total, image_size, image_size, 3), dtype=np.uint8)
    sizes = np.empty((total, 2), dtype=np.int32)
    unreadable: dict[str, str] = {}
    withheld: list[int] = []
    for done, picture in enumerate(_pictures(listing, image_size), start=1):
        if isinstance(picture, decode.Unreadable):
            unreadable[str(done - 1)] = str(picture)
            withheld += [done - 1] if isinstance(picture, decode.Withheld) else []
        else:
            at = done - 1 - len(unreadable)
            images[at], sizes[at] = picture.pixels, picture.size
        if progress is not None:
            progress(done, total)
    used = total - len(unreadable)
    facts = {"refused": unreadable, "withheld": withheld}
    return images[:used], sizes[:used], facts


def _pictures(
    listing: Listing, image_size: int
) -> Iterator[Picture | decode.Unreadable]:
    """Each file's picture, or the reason why it has none, in order."""

    def one(file: File) -> Picture | decode.Unreadable:
        try:
            return decode.picture(listing.root / file.path, image_size, alone=alone)
        except decode.Unreadable as reason:
            return reason

    # Pillow lets other threads run while it decodes; two a core hide the disk. Large
    # pictures get a thread of their own, because each thread keeps the memory it used.
    with (
        ThreadPoolExecutor(1) as alone,
        ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1))) as pool,
    ):
        files = iter(listing.files)
        while window := list(islice(files, WINDOW)):
            yield from pool.map(one, window)


def _from_entry(listing: Listing, entry: cache.Entry, mark: str) -> Decoded:
    reasons = {int(at): reason for at, reason in entry.facts["refused"].items()}
    unreadable = [Refused(listing.files[at].path, why) for at, why in reasons.items()]
    used = tuple(file for at, file in enumerate(listing.files) if at not in reasons)
    number = {name: k for k, name in enumerate(listing.class_names)}
    labels = np.array([number.get(file.label, -1) for file in used], dtype=np.int32)
    found: dict[str, Any] = entry.arrays
    return Decoded(
        images=found["images"],
        labels=labels,
        sizes=found["sizes"],
        files=used,
        refused=(*listing.refused, *unreadable),
        key=mark,
    )

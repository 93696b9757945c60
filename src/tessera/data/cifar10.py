"""CIFAR-10 (Krizhevsky 2009): the official archive, or a local copy, into a dataset.

60,000 photographs of 32x32 pixels in ten classes, 50,000 for training and 10,000 for
testing, in the order of the archive's batches.
"""

import gzip
import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tessera import runtime
from tessera.data import cache, decode, pickles
from tessera.data.dataset import DataError, Dataset, Split, fingerprint

NAME = "CIFAR-10"
BATCHES = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
"""As `keras.datasets.cifar10` checks it."""

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
META = "batches.meta"

OFFICIAL_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}
"""As torchvision checks the files; what else is read is not called CIFAR-10."""

LARGEST = 64 * 2**20
"""Bytes of a file; the official batches have 31 MB."""

LARGEST_ARCHIVE = 512 * 2**20
"""Bytes that an archive may unpack to; the official one has 186 MB."""

MOST_MEMBERS = 1000
"""Members that an archive may have; the official one has 9."""


def locate(path: Path) -> Path | None:
    """The archive or batches folder that `path` is or contains; None if neither."""
    for candidate in (path, path / BATCHES, path / ARCHIVE):
        if (candidate / TRAIN[0]).is_file():
            return candidate
        if candidate.is_file() and candidate.name.endswith((".tar.gz", ".tgz")):
            return candidate
    return None


def load(path: Path | None, *, image_size: int) -> Dataset:
    """Load CIFAR-10, from the cache where it was loaded before.

    Args:
        path: A local archive or batches folder, or a folder with one of them; None
            for the official archive, which Keras downloads and checks once.
        image_size: Height and width; other than 32, images are resized by the rule
            for image files.

    Raises:
        DataError: The copy is damaged, missing or out of reach.
    """
    if path is None:
        key = cache.key("cifar10", decode.VERSION, image_size, ARCHIVE_SHA256)
        return _cached(key) or _decode(download(), image_size, key)
    found = locate(path)
    if found is None:
        raise DataError(
            f"{path}: expected {ARCHIVE}, {BATCHES}, or a folder with one of them. "
            "Received: neither."
        )
    key = cache.key("cifar10", decode.VERSION, image_size, _state(found))
    return _cached(key) or _decode(found, image_size, key)


def download(*, origin: str = ORIGIN, cache_dir: Path | None = None) -> Path:
    """The batches folder that Keras keeps, downloaded and checked first if need be.

    It is the copy that `keras.datasets.cifar10` uses.

    Args:
        origin: Where the archive is fetched from.
        cache_dir: Keras' folder; None for the usual one.

    Raises:
        DataError: It is neither kept nor in reach, or its hash is another.
    """
    runtime.prepare()
    runtime.load_backend()
    import keras

    try:
        folder = keras.utils.get_file(
            fname=f"{BATCHES}-target",
            origin=origin,
            cache_dir=cache_dir,
            extract=True,
            file_hash=ARCHIVE_SHA256,
        )
    # Keras raises a bare Exception for network errors of every kind.
    except Exception as error:
        raise DataError(
            "cifar10: expected the official archive in Keras' cache or a way to "
            f"download it. Received: {error}. Ways on: `--data PATH` with a local "
            f"{ARCHIVE} or {BATCHES}; `--data FOLDER` with any folder of images, one "
            "folder per class; or `tessera demo`, which needs no download."
        ) from error
    return Path(folder) / BATCHES


def _state(found: Path) -> list[list[Any]]:
    """Name, size and time of the files that a local copy consists of."""
    files = (
        [found] if found.is_file() else sorted(found / name for name in OFFICIAL_MD5)
    )
    facts = [(file.name, file.stat()) for file in files if file.is_file()]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in facts]


def _decode(found: Path, image_size: int, key: str) -> Dataset:
    contents = dict(_contents(found))
    missing = [name for name in OFFICIAL_MD5 if name not in contents]
    if missing:
        raise DataError(
            f"{found}: expected the files {', '.join(OFFICIAL_MD5)}. Received none "
            f"called {', '.join(missing)}. Fetch it anew from {ORIGIN}."
        )
    md5 = {
        name: hashlib.md5(content, usedforsecurity=False).hexdigest()
        for name, content in contents.items()
    }
    parsed = {name: _read(found, name, content) for name, content in contents.items()}
    dataset = _assemble(found, parsed, image_size, official=md5 == OFFICIAL_MD5)
    _store(key, dataset)
    return _cached(key) or dataset


def _contents(found: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file needed; an archive is read in memory only."""
    if found.is_dir():
        for name in OFFICIAL_MD5:
            if (found / name).is_file():
                with (found / name).open("rb") as file:
                    yield name, _bounded(found, name, file.read(LARGEST + 1))
        return
    try:
        yield from _members(found)
    except DataError:
        raise
    # Damaged and hostile archives fail in as many ways as there are kinds of header.
    except Exception as error:
        raise DataError(
            f"{found}: expected a whole .tar.gz archive. Received: {error}. "
            f"Fetch it anew from {ORIGIN}."
        ) from error


def _members(found: Path) -> Iterator[tuple[str, bytes]]:
    """The members needed, read one after another; nothing is ever put on the disk."""
    with (
        _Metered(found) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r|") as archive,
    ):
        for number, member in enumerate(archive, start=1):
            if number > MOST_MEMBERS:
                raise tarfile.ReadError(f"more than {MOST_MEMBERS} members")
            folder, _, name = member.name.rpartition("/")
            if folder.removeprefix("./") == BATCHES and name in OFFICIAL_MD5:
                file = archive.extractfile(member) if member.isreg() else None
                if file is not None:
                    yield name, _bounded(found, name, file.read(LARGEST + 1))


class _Metered(gzip.GzipFile):
    """Reads up to a limit: a few bytes of an archive can stand for any number."""

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        if self.tell() > LARGEST_ARCHIVE:
            raise tarfile.ReadError(f"more than {LARGEST_ARCHIVE:,} bytes unpacked")
        return content


def _bounded(found: Path, name: str, content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise DataError(
            f"{found}: expected {name} with at most {LARGEST:,} bytes. Received more."
        )
    return content


def _read(found: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        return pickles.read(content)
    except pickles.RefusedPickle as reason:
        raise DataError(
            f"{found}: refused to read {name}: {reason}. Fetch it anew from {ORIGIN}."
        ) from reason


def _assemble(
    found: Path, parsed: dict[str, dict[str, Any]], image_size: int, *, official: bool
) -> Dataset:
    try:
        names = tuple(_text(name) for name in parsed[META]["label_names"])
        parts = [_split([parsed[name] for name in TRAIN]), _split([parsed[TEST]])]
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise DataError(
            f"{found}: expected batches with `data` [N, 3072] and `labels` [N], and "
            f"`label_names`. Received something else ({error!r})."
        ) from error
    train, test = (
        Split(decode.resized(part.images, image_size), part.labels) for part in parts
    )
    mark = fingerprint(names, train, test, None)
    name = NAME if official else f"{NAME} (local copy, not the official files)"
    return Dataset(name, names, train, test, None, mark)


def _split(batches: list[dict[str, Any]]) -> Split:
    """Batches of rows red, green, blue into images, in order."""
    rows = np.concatenate([batch["data"] for batch in batches])
    images = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    labels = [int(label) for batch in batches for label in batch["labels"]]
    return Split(np.ascontiguousarray(images), np.array(labels, dtype=np.int32))


def _text(name: object) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _store(key: str, dataset: Dataset) -> None:
    arrays = {
        f"{split}_{kind}": getattr(part, kind)
        for split, part in dataset.splits().items()
        for kind in ("images", "labels")
    }
    facts = {
        "name": dataset.name,
        "class_names": list(dataset.class_names),
        "fingerprint": dataset.fingerprint,
    }
    cache.store(key, arrays, facts)


def _cached(key: str) -> Dataset | None:
    entry = cache.find(key)
    if entry is None:
        return None
    arrays, facts = entry.arrays, entry.facts
    return Dataset(
        facts["name"],
        tuple(facts["class_names"]),
        Split(arrays["train_images"], arrays["train_labels"]),
        Split(arrays["test_images"], arrays["test_labels"]),
        None,
        facts["fingerprint"],
    )

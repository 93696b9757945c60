"""Arrays on disk: found by a key, stored under the hash of their content.

`index/<key>.json` says which arrays a key stands for and is written last;
`arrays/<sha256>.npy` holds each of them and is memory-mapped when it is read.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tessera import files, machine
from tessera.data.dataset import DataError

Array: TypeAlias = np.ndarray[Any, Any]

CHUNK = 4096
"""Rows hashed at a time, so that a memory-mapped array is never read whole."""


@dataclass(frozen=True)
class Entry:
    """What a key stands for."""

    arrays: dict[str, Array]
    """Read-only and memory-mapped."""
    facts: dict[str, Any]
    """Plain data."""


def key(*facts: Any) -> str:
    """SHA-256 of plain data, for use as a key."""
    return _sum(*facts)


def _sum(*facts: Any) -> str:
    canonical = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def store(key: str, arrays: Mapping[str, Array], facts: dict[str, Any]) -> None:
    """Keep arrays and facts under `key`, in place of what was there.

    Raises:
        DataError: The cache folder cannot be written to.
    """
    marks = {name: _content_hash(array) for name, array in arrays.items()}
    try:
        for name, mark in marks.items():
            if _load(mark) is None:
                _save(_array(mark), arrays[name])
        index = {"arrays": marks, "facts": facts, "sha256": _sum(key, marks, facts)}
        files.write_json(_index(key), index)
    except OSError as error:
        raise DataError(
            f"{machine.cache_folder()}: expected a folder to keep decoded images in. "
            f"Received: {error.__cause__ or error}. Set TESSERA_CACHE to a folder with "
            "room that can be written to."
        ) from error


def find(key: str) -> Entry | None:
    """What is kept under `key`; None where nothing is, or not all of it."""
    try:
        index = json.loads(_index(key).read_text(encoding="utf-8"))
        marks, facts = index["arrays"], index["facts"]
        if index["sha256"] != _sum(key, marks, facts):
            return None
        found = {name: _load(mark) for name, mark in marks.items()}
    # An index that is no longer ours can hold anything.
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    arrays = {name: array for name, array in found.items() if array is not None}
    return Entry(arrays, facts) if len(arrays) == len(marks) else None


def _load(mark: str) -> Array | None:
    """An array of the cache, memory-mapped; None where there is none whole."""
    try:
        array: Array = np.load(_array(mark), mmap_mode="r", allow_pickle=False)
        return array
    except (OSError, EOFError, ValueError):
        return None


def _save(path: Path, array: Array) -> None:
    with files.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _index(key: str) -> Path:
    return machine.cache_folder() / "index" / f"{key}.json"


def _array(mark: str) -> Path:
    return machine.cache_folder() / "arrays" / f"{mark}.npy"


def _content_hash(array: Array) -> str:
    digest = hashlib.sha256(json.dumps([str(array.dtype), array.shape]).encode())
    for start in range(0, len(array), CHUNK):
        digest.update(array[start : start + CHUNK].tobytes())
    return digest.hexdigest()

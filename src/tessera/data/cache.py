"""Decoded datasets on disk: found by a key, stored under their content's hash.

`index/<key>.json` says which content a key stands for and is written last;
`decoded/<fingerprint>-images.npy` and `-labels.npy` hold it, splits end to end.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tessera import files
from tessera.data.dataset import Dataset, Split


@dataclass(frozen=True)
class Cached:
    """A dataset and what else was learnt while it was decoded."""

    dataset: Dataset
    notes: dict[str, Any]
    """Plain data."""


def folder() -> Path:
    """The user's cache folder: `TESSERA_CACHE`, or the platform's usual place."""
    if chosen := os.environ.get("TESSERA_CACHE"):
        return Path(chosen)
    home = Path.home()
    match sys.platform:
        case "win32":
            base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        case "darwin":
            base = home / "Library" / "Caches"
        case _:
            base = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(base) / "tessera"


def store(key: str, dataset: Dataset, notes: dict[str, Any]) -> None:
    """Keep a decoded dataset under `key`."""
    splits = dataset.splits()
    images, labels = _paths(dataset.fingerprint)
    parts = splits.values()
    _save(images, np.concatenate([part.images for part in parts]))
    _save(labels, np.concatenate([part.labels for part in parts]))
    index = {
        "name": dataset.name,
        "class_names": list(dataset.class_names),
        "sizes": {name: len(part) for name, part in splits.items()},
        "fingerprint": dataset.fingerprint,
        "notes": notes,
    }
    files.write_json(_index(key), index)


def find(key: str) -> Cached | None:
    """The dataset kept under `key`, memory-mapped; None where there is none whole."""
    try:
        index = json.loads(_index(key).read_text(encoding="utf-8"))
        images, labels = _paths(index["fingerprint"])
        pixels = np.load(images, mmap_mode="r", allow_pickle=False)
        classes = np.load(labels, allow_pickle=False)
        sizes = index["sizes"]
        if not len(pixels) == len(classes) == sum(sizes.values()):
            return None
    except (OSError, ValueError, KeyError):
        return None
    splits, start = {}, 0
    for name, size in sizes.items():
        part = slice(start, start + size)
        splits[name] = Split(pixels[part], classes[part])
        start += size
    dataset = Dataset(
        name=index["name"],
        class_names=tuple(index["class_names"]),
        train=splits["train"],
        test=splits["test"],
        validation=splits.get("val"),
        fingerprint=index["fingerprint"],
    )
    return Cached(dataset, index["notes"])


def _index(key: str) -> Path:
    return folder() / "index" / f"{key}.json"


def _paths(fingerprint: str) -> tuple[Path, Path]:
    decoded = folder() / "decoded"
    return decoded / f"{fingerprint}-images.npy", decoded / f"{fingerprint}-labels.npy"


def _save(path: Path, array: np.ndarray[Any, Any]) -> None:
    if path.exists():
        return
    with files.replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)

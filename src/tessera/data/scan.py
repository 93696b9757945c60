"""An image folder into a listing: splits, classes, files; no image is opened."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tessera.data.dataset import DataError

VALIDATION_NAMES = ("val", "valid", "validation")
SIDE_FILES = frozenset(
    {".csv", ".db", ".html", ".ini", ".json", ".md"}
    | {".pdf", ".toml", ".txt", ".xml", ".yaml", ".yml"}
)
"""Suffixes of lists and notes that lie beside images; such files are left alone."""


@dataclass(frozen=True)
class File:
    """A file that may be an image."""

    path: str
    """Relative to the folder, with `/`."""
    split: str
    """`train`, `test`, `val`, or `all` where the folder only has classes."""
    label: str
    """Class name."""
    size: int
    """Bytes."""
    modified: int
    """Nanoseconds since 1970."""


@dataclass(frozen=True)
class Refused:
    """A file that is not used, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """What lies in an image folder."""

    root: Path
    """Resolved."""
    classes: dict[str, tuple[str, ...]]
    """Sorted class names of every split there is."""
    files: tuple[File, ...]
    """By split (train, test, val, or all), then class, then path."""
    refused: tuple[Refused, ...] = ()
    """Links that leave the folder, or that point at folders."""
    stray: tuple[str, ...] = field(default=())
    """Files outside any class folder, and lists and notes beside images."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The order of the labels: the training split's names, sorted."""
        return self.classes.get("train") or self.classes["all"]


@dataclass
class _Found:
    """What a walk has met so far."""

    root: Path
    files: list[File] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)


def scan(root: Path) -> Listing:
    """List the images below a folder.

    Hidden files and folders are passed over. Links to folders and links that leave the
    folder are refused, not followed.

    Raises:
        DataError: There is no such folder, or it has no known layout.
    """
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder of images. Received: no folder.")
    found = _Found(root.resolve())
    classes: dict[str, tuple[str, ...]] = {}
    for split, folder in _split_folders(found).items():
        classes[split] = tuple(sorted(_walk_split(folder, split, found)))
    listing = Listing(
        root=found.root,
        classes=classes,
        files=tuple(found.files),
        refused=tuple(found.refused),
        stray=tuple(sorted(found.stray)),
    )
    _check_layout(root, listing)
    return listing


def _split_folders(found: _Found) -> dict[str, Path]:
    """The folder of each split; `{"all": root}` where there are only classes."""
    root = found.root
    folders = {entry.name.lower(): Path(entry.path) for entry in _folders(root)}
    train = folders.get("train")
    if train is None or not any(True for _ in _folders(train)):
        return {"all": root}
    named = {"train": "train", "test": "test"}
    named |= dict.fromkeys(VALIDATION_NAMES, "val")
    present = [name for name in folders if name in named]
    if sum(name in VALIDATION_NAMES for name in present) > 1:
        raise DataError(
            f"{root}: expected one validation folder. Received: "
            f"{', '.join(name for name in present if name in VALIDATION_NAMES)}."
        )
    found.stray += [f"{name}/" for name in folders if name not in named]
    found.stray += [entry.name for entry in _entries(root) if entry.is_file()]
    return {
        split: folders[name]
        for split in ("train", "test", "val")
        for name in present
        if named[name] == split
    }


def _walk_split(folder: Path, split: str, found: _Found) -> Iterator[str]:
    """Collect a split's files, class after class; yield the class names."""
    for entry in _entries(folder):
        if entry.is_symlink():
            _refuse(entry, "a link in place of a class folder", found)
        elif entry.is_dir():
            yield entry.name
            _walk_class(Path(entry.path), split, entry.name, found)
        else:
            found.stray.append(_relative(entry, found))


def _walk_class(folder: Path, split: str, label: str, found: _Found) -> None:
    for entry in _entries(folder):
        if entry.is_symlink() and not _link_is_inside(entry, found.root):
            _refuse(entry, "a link to a folder, to nothing or out of the root", found)
        elif entry.is_dir(follow_symlinks=False):
            _walk_class(Path(entry.path), split, label, found)
        elif os.path.splitext(entry.name)[1].lower() in SIDE_FILES:
            found.stray.append(_relative(entry, found))
        else:
            facts = entry.stat()
            path = _relative(entry, found)
            found.files.append(
                File(path, split, label, facts.st_size, facts.st_mtime_ns)
            )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Visible entries by name: the order of files never depends on the disk."""
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted(visible, key=lambda entry: entry.name)


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    return [e for e in _entries(folder) if e.is_dir(follow_symlinks=False)]


def _link_is_inside(entry: os.DirEntry[str], root: Path) -> bool:
    target = Path(entry.path).resolve()
    return target.is_file() and target.is_relative_to(root)


def _refuse(entry: os.DirEntry[str], reason: str, found: _Found) -> None:
    found.refused.append(Refused(_relative(entry, found), reason))


def _relative(entry: os.DirEntry[str], found: _Found) -> str:
    return entry.path[len(str(found.root)) + 1 :].replace(os.sep, "/")


def _check_layout(root: Path, listing: Listing) -> None:
    if len(listing.class_names) >= 2 and listing.files:
        return
    inner = [e.name for e in _folders(root) if _looks_split(Path(e.path))]
    hint = f" Try {root / inner[0]}, which has train/." if inner else ""
    raise DataError(
        f"{root}: expected train/ and test/ with a folder per class, or a folder per "
        "class, at least two of them. Received: "
        f"{', '.join(e.name for e in _entries(root)[:10]) or 'an empty folder'}.{hint}"
    )


def _looks_split(folder: Path) -> bool:
    return any(entry.name.lower() == "train" for entry in _folders(folder))

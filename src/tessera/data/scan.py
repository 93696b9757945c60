"""An image folder into a listing: splits, classes, files; no image is opened."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tessera.data import apart, entries
from tessera.data.dataset import DataError

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
}
"""Folders that are a split, in any case, when they hold folders themselves."""


class File(NamedTuple):
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
    changed: int
    """The same, of the last change that no program can date back: its content, its
    name or its rights."""
    group: str = ""
    """What it belongs to and is never parted from; empty: it stands alone."""


@dataclass(frozen=True)
class Refused:
    """A file that is not used, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """What lies in an image folder, or what a list names in it."""

    root: Path
    """Resolved."""
    classes: dict[str, tuple[str, ...]]
    """Sorted class names of every split there is."""
    files: tuple[File, ...]
    """By split (train, test, val, or all), then class, then path."""
    refused: tuple[Refused, ...] = ()
    """Links out of the folder or to folders, what is no regular file, and names that
    are no text; such names are written with escapes."""
    stray: tuple[str, ...] = ()
    """What lies outside any class folder, Tessera's own results included, and lists
    and notes beside images."""
    source: str | None = None
    """The list that names the images; None: they lie in folders of classes."""

    @property
    def place(self) -> Path:
        """The folder, or the list that names its images."""
        return self.root / (self.source or "")

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
        DataError: There is no such folder, it has no known layout, or a split or a
            class is a link or has a name that is no text.
    """
    if not entries.is_folder(root):
        file = "a file with another suffix" if os.path.isfile(root) else "no such file"
        raise DataError(
            f"{root}: expected a folder of images, or a CSV file (.csv) that lists "
            f"some. Received: no folder, and {file}."
        )
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
    for entry in entries.visible(root):
        if entry.name.lower() in SPLIT_NAMES:
            entries.refuse_link(entry)
    folders = [Path(entry.path) for entry in entries.folders(root)]
    splits: dict[str, list[Path]] = {"train": [], "test": [], "val": []}
    for folder in folders:
        split = SPLIT_NAMES.get(folder.name.lower())
        if split is not None and entries.folders(folder):
            splits[split].append(folder)
    if not any(splits.values()):
        return {"all": root}
    _check_splits(root, splits)
    used = {split: paths[0] for split, paths in splits.items() if paths}
    found.stray += [f"{f.name}/" for f in folders if f not in used.values()]
    found.stray += [
        _relative(entry, found)
        for entry in entries.visible(root)
        if not entries.leads_to_folder(entry)
    ]
    return used


def _check_splits(root: Path, splits: dict[str, list[Path]]) -> None:
    twice = [path.name for paths in splits.values() if paths[1:] for path in paths]
    if twice:
        raise DataError(
            f"{root}: expected one folder for each split. Received: {', '.join(twice)}."
        )
    if not splits["train"]:
        present = [path.name for paths in splits.values() for path in paths]
        raise DataError(
            f"{root}: expected train/ with a folder per class beside "
            f"{', '.join(present)}/. Received none. A folder without train/ may hold "
            "only one folder per class."
        )


def _walk_split(folder: Path, split: str, found: _Found) -> Iterator[str]:
    """Collect a split's files, class after class; yield the class names."""
    for entry in entries.visible(folder):
        if entries.leads_to_folder(entry):
            entries.refuse_link(entry)
            if apart.is_results(Path(entry.path)):
                found.stray.append(f"{_relative(entry, found)}/ (results of Tessera)")
                continue
            entries.refuse_name(entry)
            yield entry.name
            _walk_class(entry, _relative(entry, found), split, entry.name, found)
        else:
            found.stray.append(_relative(entry, found))


def _walk_class(
    folder: os.DirEntry[str],
    within: str,
    split: str,
    label: str,
    found: _Found,
    *,
    depth: int = 1,
) -> None:
    """Collect the files of a class's folder, or of one in it; its path is `within`."""
    for entry in entries.visible(folder):
        path = f"{within}/{entry.name}"
        try:
            reason = entries.fault(entry, found.root, depth)
            if reason is not None:
                found.refused.append(Refused(entries.shown(path), reason))
            elif entry.is_dir(follow_symlinks=False):
                _walk_class(entry, path, split, label, found, depth=depth + 1)
            elif entries.is_note(entry):
                found.stray.append(path)
            else:
                facts = entry.stat()
                times = facts.st_mtime_ns, facts.st_ctime_ns
                found.files.append(File(path, split, label, facts.st_size, *times))
        except OSError as error:
            reason = error.strerror or str(error)
            found.refused.append(Refused(entries.shown(path), reason))


def _relative(entry: os.DirEntry[str], found: _Found) -> str:
    return entries.shown(entry.path[len(str(found.root)) + 1 :].replace(os.sep, "/"))


def _check_layout(root: Path, listing: Listing) -> None:
    if len(listing.class_names) >= 2 and listing.files:
        _check_classes(root, listing.classes.get("all", ()))
        return
    folders = entries.folders(root)
    inner = [e.name for e in folders if _looks_split(Path(e.path))]
    hint = f" Try {root / inner[0]}, which has train/." if inner else ""
    names = [entry.name for entry in entries.visible(root)]
    found = entries.shown(", ".join(names[:10])) or "an empty folder"
    end = "."
    if names and not folders:
        end = ", and no folder; is this a class, and the folder above it meant?"
    elif names and not listing.files:
        end = ", with no image in them."
    raise DataError(
        f"{root}: expected train/ and test/ with a folder per class, or a folder per "
        f"class, at least two of them. Received: {found}{end}{hint}"
    )


def _looks_split(folder: Path) -> bool:
    names = (entry.name.lower() for entry in entries.folders(folder))
    return any(SPLIT_NAMES.get(name) == "train" for name in names)


def _check_classes(root: Path, names: tuple[str, ...]) -> None:
    """Refuse splits that lie where classes do: they would be what is learnt."""
    if not names:
        return
    there = ", ".join(f"{name}/" for name in names[:10])
    if all(name.lower() in SPLIT_NAMES for name in names):
        raise DataError(
            f"{root}: expected a folder per class in every split, such as train/cat/ "
            f"and test/cat/. Received: {there} with images and no class. Put each "
            "class's images into a folder of its own; if these are the classes, rename "
            "them."
        )
    inner = {tuple(e.name for e in entries.folders(root / name)) for name in names}
    same = inner.pop()
    if not inner and len(same) >= 2:
        raise DataError(
            f"{root}: expected train/ and test/ with a folder per class, or a folder "
            f"per class. Received: {there} all with the same folders, "
            f"{entries.shown(', '.join(same[:10]))}, as splits have. If they are "
            "splits, call them train/, test/ and val/; if they are the classes, put "
            "their images into them without those folders, or, where those are "
            "patients, say, which `--groups folder` keeps whole, put the classes into "
            "train/."
        )

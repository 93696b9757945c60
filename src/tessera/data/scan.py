"""An image folder into a listing: splits, classes, files; no image is opened."""

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tessera.data.dataset import DataError

SPLIT_NAMES = {
    "train": "train",
    "test": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}
"""Folders that are a split, in any case, when they hold folders themselves."""

SIDE_FILES = (
    *(".csv", ".db", ".html", ".ini", ".json", ".md"),
    *(".pdf", ".toml", ".txt", ".xml", ".yaml", ".yml"),
)
"""Suffixes of lists and notes that lie beside images; such files are left alone."""

DEEPEST = 64
"""Folders within folders of one class that are walked."""


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
    """Links out of the folder or to folders, what is no regular file, and names that
    are no text; such names are written with escapes."""
    stray: tuple[str, ...] = ()
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
        DataError: There is no such folder, it has no known layout, or a split or a
            class is a link or has a name that is no text.
    """
    if not _is_folder(root):
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
    for entry in _entries(root):
        if entry.name.lower() in SPLIT_NAMES:
            _refuse_link(entry)
    folders = [Path(entry.path) for entry in _folders(root)]
    splits: dict[str, list[Path]] = {"train": [], "test": [], "val": []}
    for folder in folders:
        split = SPLIT_NAMES.get(folder.name.lower())
        if split is not None and _folders(folder):
            splits[split].append(folder)
    if not any(splits.values()):
        return {"all": root}
    _check_splits(root, splits)
    used = {split: paths[0] for split, paths in splits.items() if paths}
    found.stray += [f"{f.name}/" for f in folders if f not in used.values()]
    found.stray += [
        _relative(entry, found)
        for entry in _entries(root)
        if not _leads_to_folder(entry)
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
    for entry in _entries(folder):
        if _leads_to_folder(entry):
            _refuse_link(entry)
            _refuse_name(entry)
            yield entry.name
            _walk_class(Path(entry.path), split, entry.name, found)
        else:
            found.stray.append(_relative(entry, found))


def _walk_class(
    folder: Path, split: str, label: str, found: _Found, *, depth: int = 1
) -> None:
    for entry in _entries(folder):
        try:
            reason = _fault(entry, found.root, depth)
            if reason is not None:
                found.refused.append(Refused(_relative(entry, found), reason))
            elif entry.is_dir(follow_symlinks=False):
                _walk_class(Path(entry.path), split, label, found, depth=depth + 1)
            elif entry.name.lower().endswith(SIDE_FILES):
                found.stray.append(_relative(entry, found))
            else:
                found.files.append(_file(entry, split, label, found))
        except OSError as error:
            reason = error.strerror or str(error)
            found.refused.append(Refused(_relative(entry, found), reason))


def _fault(entry: os.DirEntry[str], root: Path, depth: int) -> str | None:
    """Why an entry of a class is not used; None where nothing speaks against it."""
    if not _is_text(entry.name):
        return "a name that is no text: bytes outside UTF-8, or control characters"
    if entry.is_symlink():
        inside = _link_is_inside(entry, root)
        return None if inside else "a link to a folder, to nothing or out of the root"
    if entry.is_dir(follow_symlinks=False):
        return f"more than {DEEPEST} folders deep" if depth > DEEPEST else None
    return None if entry.is_file(follow_symlinks=False) else "no regular file"


def _file(entry: os.DirEntry[str], split: str, label: str, found: _Found) -> File:
    facts = entry.stat()
    path = _relative(entry, found)
    return File(path, split, label, facts.st_size, facts.st_mtime_ns)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Visible entries by name: the order of files never depends on the disk."""
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(
            f"{shown(str(folder))}: expected a folder that can be listed. Received: "
            f"{error.strerror}."
        ) from error
    return sorted(visible, key=lambda entry: entry.name)


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    return [e for e in _entries(folder) if e.is_dir(follow_symlinks=False)]


def _refuse_link(entry: os.DirEntry[str]) -> None:
    """A split or a class that were passed over would be missed too late."""
    if entry.is_symlink():
        raise DataError(
            f"{entry.path}: expected a folder. Received: a link to one, which is not "
            "followed, so that nothing outside the folder is read. Put a copy in its "
            "place."
        )


def _refuse_name(entry: os.DirEntry[str]) -> None:
    """A class is called by its folder's name in tables, files and pages."""
    if not _is_text(entry.name):
        raise DataError(
            f"{shown(entry.path)}: expected a class whose name is text. Received: "
            "bytes outside UTF-8, or control characters. Rename the folder."
        )


def _link_is_inside(entry: os.DirEntry[str], root: Path) -> bool:
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):  # Python 3.11 and 3.12 call a loop a RuntimeError.
        return False
    return target.is_file() and target.is_relative_to(root)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one; a link in a circle is neither."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_text(name: str) -> bool:
    """Whether a name can be printed and stored: Unicode without control characters."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name)


def _relative(entry: os.DirEntry[str], found: _Found) -> str:
    return shown(entry.path[len(str(found.root)) + 1 :].replace(os.sep, "/"))


def shown(path: str) -> str:
    """A path as it is, or with escapes where it is no text."""
    return path if _is_text(path) else path.encode("unicode_escape").decode()


def _check_layout(root: Path, listing: Listing) -> None:
    if len(listing.class_names) >= 2 and listing.files:
        return
    inner = [e.name for e in _folders(root) if _looks_split(Path(e.path))]
    hint = f" Try {root / inner[0]}, which has train/." if inner else ""
    names = [entry.name for entry in _entries(root)]
    empty = ", with no image in them" if names and not listing.files else ""
    raise DataError(
        f"{root}: expected train/ and test/ with a folder per class, or a folder per "
        "class, at least two of them. Received: "
        f"{shown(', '.join(names[:10])) or 'an empty folder'}{empty}.{hint}"
    )


def _looks_split(folder: Path) -> bool:
    return any(entry.name.lower() == "train" for entry in _folders(folder))

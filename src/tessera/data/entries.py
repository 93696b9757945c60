"""What lies in a folder, in order; what may be followed and what may be said."""

import os
import unicodedata
from pathlib import Path

from tessera.data.dataset import DataError

SIDE_FILES = (
    *(".csv", ".db", ".html", ".ini", ".json", ".md"),
    *(".pdf", ".toml", ".txt", ".xml", ".yaml", ".yml"),
)
"""Suffixes of lists and notes that lie beside images; such files are left alone."""

IMAGE_FILES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
"""Suffixes by which images are known in places where no file is opened."""

OF_A_MAC = "__MACOSX"
"""A folder that a Mac packs beside files; in it are hidden ones."""

DEEPEST = 64
"""Folders within folders of images that are walked."""


def listed(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """Visible entries by name: the order of files never depends on the disk.

    Raises:
        OSError: The folder cannot be listed.
    """
    with os.scandir(folder) as found:
        entries = [
            e for e in found if not e.name.startswith(".") and e.name != OF_A_MAC
        ]
    return sorted(entries, key=lambda entry: entry.name)


def visible(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """The same of a folder that has to be listed.

    Raises:
        DataError: It cannot be.
    """
    try:
        return listed(folder)
    except OSError as error:
        raise DataError(
            f"{shown(os.fspath(folder))}: expected a folder that can be listed. "
            f"Received: {error.strerror}."
        ) from error


def folders(folder: Path) -> list[os.DirEntry[str]]:
    """Visible folders by name, links to one left out."""
    return [e for e in visible(folder) if e.is_dir(follow_symlinks=False)]


def refuse_link(entry: os.DirEntry[str]) -> None:
    """A split or a class that were passed over would be missed too late."""
    if entry.is_symlink():
        raise DataError(
            f"{entry.path}: expected a folder. Received: a link to one, which is not "
            "followed, so that nothing outside the folder is read. Put a copy in its "
            "place."
        )


def refuse_name(entry: os.DirEntry[str]) -> None:
    """A class is called by its folder's name in tables, files and pages."""
    if not is_text(entry.name):
        raise DataError(
            f"{shown(entry.path)}: expected a class whose name is text. Received: "
            "bytes outside UTF-8, or control characters. Rename the folder."
        )


def fault(entry: os.DirEntry[str], root: Path, depth: int) -> str | None:
    """Why an entry is neither followed nor read; None where nothing speaks against it.

    Args:
        entry: Of a folder of images.
        root: The outermost one, resolved; no link leads out of it.
        depth: 1 for what lies in that one, and 1 more for each folder between.
    """
    if not is_text(entry.name):
        return "a name that is no text: bytes outside UTF-8, or control characters"
    if entry.is_symlink():
        inside = is_inside(entry.path, root)
        return None if inside else "a link to a folder, to nothing or out of the root"
    if entry.is_dir(follow_symlinks=False):
        return f"more than {DEEPEST} folders deep" if depth > DEEPEST else None
    return None if entry.is_file(follow_symlinks=False) else "no regular file"


def is_note(entry: os.DirEntry[str]) -> bool:
    """Whether it is a list or a note that lies beside images, by its name."""
    named = entry.name.lower().endswith(SIDE_FILES)
    return named and not entry.is_dir(follow_symlinks=False)


def is_inside(link: str | Path, root: Path) -> bool:
    """Whether a link leads to a file below `root`, which is resolved."""
    try:
        target = Path(link).resolve(strict=True)
    except (OSError, RuntimeError):  # Python 3.11 and 3.12 call a loop a RuntimeError.
        return False
    return target.is_file() and target.is_relative_to(root)


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; a path that cannot be one is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one; a link in a circle is neither."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_text(name: str) -> bool:
    """Whether a name can be printed and stored: Unicode without control characters."""
    # Nearly every name can be printed, which takes no look at each letter.
    return name.isprintable() or not any(
        unicodedata.category(letter) in ("Cc", "Cs") for letter in name
    )


def shown(path: str) -> str:
    """A path as it is, or with escapes where it is no text."""
    return path if is_text(path) else path.encode("unicode_escape").decode()

"""A CSV file that names images into a listing; no image is opened."""

import csv
import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tessera.columns import Columns
from tessera.data import entries
from tessera.data.dataset import DataError
from tessera.data.scan import SPLIT_NAMES, File, Listing, Refused
from tessera.phrases import first, in_row, listed

MOST_BYTES = 2**26
"""Of a list; that of a million images has fewer."""

SEPARATORS = (",", ";", "\t")
"""What may stand between columns: the one of which the first line has most."""

DECLARED = re.compile(r'("?)sep=([,;|\t])\1(?=[\r\n]|\Z)', re.IGNORECASE)
"""A line before the first that says so, as Excel writes and reads it."""

ENDS = ("", *entries.IMAGE_FILES, *map(str.upper, entries.IMAGE_FILES))
"""Tried in this order behind a file's name, until there is such a file."""

LONGEST = 200
"""Letters of a name that a message repeats."""

DEFAULT = Columns().model_dump()
NEEDED = ("file", "label")
ORDER = ("train", "test", "val", "all")

Row = dict[str, str]
"""What a line says by the meaning of its columns: file, label, split, group."""


def is_list(path: Path) -> bool:
    """Whether a path is that of a list of images."""
    return path.suffix.lower() == ".csv" and os.path.isfile(path)


def scan(path: Path, columns: Columns) -> Listing:
    """List the images that a CSV file names, relative to the folder that it lies in.

    Args:
        path: Of the file: UTF-8, with the names of its columns in the first line, or
            below one such as `sep=;`.
        columns: What they are called.

    Raises:
        DataError: It cannot be read, lacks a column, names an unknown split, no
            training images or fewer than two classes.
    """
    root = path.resolve().parent
    places, said = _Places(root, path), dict[tuple[str, ...], int]()
    files, refused = list[File](), list[Refused]()
    for number, row in _rows(path, columns):
        before = said.setdefault(tuple(row.values()), number)
        one = _read(places, row, number, before)
        if isinstance(one, File):
            files.append(one)
        else:
            refused.append(one)
    classes = _classes(path, files, refused)
    files.sort(key=lambda file: (ORDER.index(file.split), file.label, file.path))
    return Listing(root, classes, tuple(files), tuple(refused), source=path.name)


def _rows(path: Path, columns: Columns) -> Iterator[tuple[int, Row]]:
    """The number of each line that is not empty, and what it says."""
    text = _text(path)
    declared = DECLARED.match(text)
    heading = text.partition("\n")[0]
    separator = declared[2] if declared else max(SEPARATORS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        if declared:
            next(reader)
        names = [name.strip() for name in next(reader, [])]
        places = _places(path, names, columns)
        for cells in reader:
            if any(map(str.strip, cells[len(names) :])):
                raise csv.Error(
                    f"{len(cells)} cells, and {len(names)} names of columns in the "
                    f"first; a text with {separator!r} in it stands in quotes"
                )
            said = dict(enumerate(cell.strip() for cell in cells))
            if any(said.values()):
                row = {meaning: said.get(at, "") for meaning, at in places.items()}
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(
            f"{path}: expected a CSV file. Received in line {reader.line_num}: {error}."
        ) from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise OSError(f"more than {MOST_BYTES:,} bytes")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        way_out = " Save it as UTF-8, in Excel `CSV UTF-8`."
        raise DataError(
            f"{path}: expected a readable CSV file in UTF-8. Received: {error}."
            f"{way_out if isinstance(error, UnicodeDecodeError) else ''}"
        ) from error


def _places(path: Path, names: Sequence[str], columns: Columns) -> dict[str, int]:
    """The position of each column that is there.

    Raises:
        DataError: One is missing that is needed, or that was asked for by name; or
            there are two of its name.
    """
    asked: dict[str, str] = columns.model_dump()
    missing = [
        meaning
        for meaning, name in asked.items()
        if name not in names and (meaning in NEEDED or name != DEFAULT[meaning])
    ]
    if missing:
        wanted = listed([f"`{asked[meaning]}`" for meaning in missing])
        raise DataError(
            f"{path}: expected columns with the names {wanted} in the first line. "
            f"Received: {entries.shown(first(names, 20)) or 'an empty line'}. "
            f"`--set data.columns.{missing[0]}=NAME` says which column is meant; in "
            f"Python `load_data({path.name!r}, columns={{{missing[0]!r}: 'NAME'}})`."
        )
    twice = [f"`{name}`" for name in asked.values() if names.count(name) > 1]
    if twice:
        raise DataError(
            f"{path}: expected one column of each name in the first line. Received "
            f"more of: {listed(twice)}."
        )
    return {meaning: names.index(n) for meaning, n in asked.items() if n in names}


def _read(places: "_Places", row: Row, number: int, before: int) -> File | Refused:
    """The image that a line names, or why that is not used.

    Args:
        places: Where files lie.
        row: What the line says.
        number: Of the line.
        before: Of the first line that says the same.

    Raises:
        DataError: The split is none.
    """
    name, label, split = row["file"], row["label"], row.get("split", "").lower()
    if split and split not in SPLIT_NAMES:
        raise DataError(
            f"{places.path}, line {number}: expected train, test or val as the split. "
            f"Received: "
            f"{entries.shown(row['split'][:LONGEST])}."
        )
    line = f"line {number}: {entries.shown(name[:LONGEST]) or 'no file'}"
    if before < number:
        return Refused(line, f"the same as line {before}")
    if not label or not entries.is_text(label):
        return Refused(line, "no class" if not label else "a class that is no text")
    found = places.of(name)
    if len(found) != 1:
        several = f"several files of that name: {first(found)}"
        none = "no such file in the list's folder"
        return Refused(line, several if found else none)
    try:
        facts = (places.root / found[0]).stat()
    except OSError as error:
        return Refused(line, error.strerror or str(error))
    return File(
        found[0],
        SPLIT_NAMES.get(split, "all"),
        label,
        facts.st_size,
        facts.st_mtime_ns,
        facts.st_ctime_ns,
        row.get("group", ""),
    )


@dataclass
class _Places:
    """Where the files lie that a list names."""

    root: Path
    """The list's folder, resolved."""
    path: Path
    """Of the list, as it was given."""
    _known: dict[str, bool] = field(default_factory=dict)
    """Whether a folder lies in it, whatever links say."""
    _real: dict[str, str] = field(default_factory=dict)
    """Folders of whole paths, resolved."""

    def of(self, name: str) -> list[str]:
        """The paths that a name may mean, relative to the folder, with `/`.

        It is a path, with its suffix or without, and with backslashes where Windows
        wrote it; or the mere name of a file that lies in a folder below.
        """
        if not name or not entries.is_text(name):
            return []
        for written in dict.fromkeys((name, name.replace("\\", "/"))):
            for end in ENDS:
                place = self._place(written + end)
                if self._is_file(place):
                    return [Path(place).relative_to(self.root).as_posix()]
        if "/" in name.replace("\\", "/"):
            return []
        below = (self._below.get(name + end) for end in ENDS)
        paths = next((paths for paths in below if paths), [])
        return self._pictures(paths) if len(paths) > 1 else paths

    def _pictures(self, paths: list[str]) -> list[str]:
        """Without those that `tessera explain` left; all, where it left each one."""
        own = [p for p in paths if not (self.root / p).with_suffix(".npz").is_file()]
        return own or paths

    def _place(self, name: str) -> str:
        """Where it leads; a whole path may come to the list's folder by a link."""
        place = os.path.normpath(self.root / name)
        if not os.path.isabs(name) or Path(place).is_relative_to(self.root):
            return place
        parent = os.path.dirname(place)
        if parent not in self._real:
            self._real[parent] = os.path.realpath(parent)
        return os.path.join(self._real[parent], os.path.basename(place))

    def _is_file(self, place: str) -> bool:
        """Whether it is a file in the folder; links in it may lead to such files."""
        try:
            mode = os.lstat(place).st_mode
        except OSError:
            return False
        if stat.S_ISLNK(mode) and not entries.is_inside(place, self.root):
            return False
        parent = os.path.dirname(place)
        if parent not in self._known:
            inside = Path(parent).is_relative_to(self.root)
            real = Path(os.path.realpath(parent))
            self._known[parent] = inside and real.is_relative_to(self.root)
        return self._known[parent] and (stat.S_ISLNK(mode) or stat.S_ISREG(mode))

    @cached_property
    def _below(self) -> dict[str, list[str]]:
        """The paths of all files below, by their names; hidden ones left out."""
        found: dict[str, list[str]] = {}
        for folder, inner, names in os.walk(self.root):
            inner[:] = sorted(one for one in inner if not one.startswith("."))
            for name in names:
                place = os.path.join(folder, name)
                if not name.startswith(".") and self._is_file(place):
                    path = Path(place).relative_to(self.root).as_posix()
                    found.setdefault(name, []).append(path)
        return found


def _classes(
    path: Path, files: Sequence[File], refused: Sequence[Refused]
) -> dict[str, tuple[str, ...]]:
    """Sorted class names of every split there is.

    Raises:
        DataError: There are no images to learn two classes from, or only some of them
            have a split.
    """
    splits = {file.split for file in files}
    classes = {
        split: tuple(sorted({file.label for file in files if file.split == split}))
        for split in ORDER
        if split in splits
    }
    if "all" in splits and len(splits) > 1:
        some = first([file.path for file in files if file.split == "all"])
        raise DataError(
            f"{path}: expected a split of every image, or of none. Received none of: "
            f"{some}."
        )
    names = classes.get("train", classes.get("all", ()))
    if len(names) < 2:
        why = first([f"{one.path} ({one.reason})" for one in refused])
        raise DataError(
            f"{path}: expected images of at least two classes to learn from. Received: "
            f"{in_row(names) or 'none'}{f'; not used: {why}' if why else ''}."
        )
    return classes

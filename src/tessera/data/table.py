"""A CSV file that names images into a listing; no image is opened."""

import csv
import io
import os
from collections.abc import Iterator, Sequence
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

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
"""Tried in this order behind a file's name, where there is no such file."""

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
        path: Of the file: UTF-8, with the names of its columns in the first line.
        columns: What they are called.

    Raises:
        DataError: It cannot be read, lacks a column, names an unknown split, no
            training images or fewer than two classes.
    """
    root = path.resolve().parent
    read = [_read(root, row, number) for number, row in _rows(path, columns)]
    files = [one for one in read if isinstance(one, File)]
    refused = [one for one in read if isinstance(one, Refused)]
    classes = _classes(path, files, refused)
    files.sort(key=lambda file: (ORDER.index(file.split), file.label, file.path))
    return Listing(root, classes, tuple(files), tuple(refused), source=path.name)


def _rows(path: Path, columns: Columns) -> Iterator[tuple[int, Row]]:
    """The number of each line that is not empty, and what it says."""
    text = _text(path)
    heading = text.partition("\n")[0]
    separator = max(SEPARATORS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        places = _places(path, [name.strip() for name in next(reader, [])], columns)
        for cells in reader:
            if any(cells):
                said = dict(enumerate(cell.strip() for cell in cells))
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
        raise DataError(
            f"{path}: expected a readable CSV file in UTF-8. Received: {error}."
        ) from error


def _places(path: Path, names: Sequence[str], columns: Columns) -> dict[str, int]:
    """The position of each column that is there.

    Raises:
        DataError: One is missing that is needed, or that was asked for by name.
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
            f"`--set data.columns.{missing[0]}=NAME` says which column is meant."
        )
    return {meaning: names.index(n) for meaning, n in asked.items() if n in names}


def _read(root: Path, row: Row, number: int) -> File | Refused:
    """The image that a line names, or why that is not used.

    Raises:
        DataError: The split is none.
    """
    name, label, split = row["file"], row["label"], row.get("split", "").lower()
    if split and split not in SPLIT_NAMES:
        raise DataError(
            f"line {number}: expected train, test or val as the split. Received: "
            f"{entries.shown(row['split'])}."
        )
    line = f"line {number}: {entries.shown(name) or 'no file'}"
    if not label or not entries.is_text(label):
        return Refused(line, "no class" if not label else "a class that is no text")
    place = _place(root, name)
    if place is None:
        return Refused(line, "no such file in the list's folder")
    facts = place.stat()
    return File(
        place.relative_to(root).as_posix(),
        SPLIT_NAMES.get(split, "all"),
        label,
        facts.st_size,
        facts.st_mtime_ns,
        facts.st_ctime_ns,
        row.get("group", ""),
    )


def _place(root: Path, name: str) -> Path | None:
    """Where a file lies, if it does so in the folder, whatever links say."""
    if not name or not entries.is_text(name):
        return None
    found = (Path(os.path.normpath(root / (name + end))) for end in ("", *SUFFIXES))
    inside = (place for place in found if entries.is_inside(place, root))
    place = next(inside, None)
    return place if place is not None and place.is_relative_to(root) else None


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

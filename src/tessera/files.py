"""Atomic files: a reader sees the old content or the new, never half of it."""

import contextlib
import errno
import hashlib
import itertools
import json
import math
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

PARTIAL = ".partial-"
"""How the name of a file or folder begins that is not whole yet."""


MOST_BYTES = 2**32
"""Of a file of arrays, unpacked; a run's have some megabytes."""


LONGEST = 200
"""Bytes of a name's stem: a number, a suffix and `PARTIAL` go with it into 255."""

GIVE_ROOM = "Free space, or make the folder writable, and give the same command again."
NO_FOLDER = "A file stands where a folder must be: name another folder, or move it."

WAYS_OUT = {
    errno.EEXIST: NO_FOLDER,
    errno.ENOTDIR: NO_FOLDER,
    errno.ENAMETOOLONG: "Choose a shorter path.",
    errno.ELOOP: "Choose a path whose links lead somewhere.",
}
"""For refusals that no room mends."""


class CannotRead(ValueError):
    """A file of arrays is not what Tessera writes."""


class CannotWrite(OSError):
    """The disk refused a write; what stood there before is as it was."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there if the block succeeds.

    Content is flushed to the disk before the move, and the move before the return, so
    that a crash of the machine leaves the old file or the whole new one. On an error
    the temporary file goes.

    Raises:
        CannotWrite: The disk is full, the folder is read-only, or `path` cannot be
            replaced; the old file is untouched.
    """
    with writing(path), _temporary(path) as temporary:
        yield temporary
        flush(temporary)
        temporary.chmod(0o644)
        os.replace(temporary, path)
        flush_folder(path.parent)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the disk's refusals within the block into a message about `path`.

    Raises:
        CannotWrite: The block raised an `OSError`.
    """
    try:
        yield
    except CannotWrite:
        raise
    except OSError as error:
        # Libraries tell of a refusal at length; the system has a word for each.
        why = os.strerror(error.errno) if error.errno else error
        there = os.path.exists(path)  # also of a path that is too long to ask for
        was = "What was there is unchanged" if there else "Nothing was written"
        raise CannotWrite(
            f"{path}: expected room and permission to write it. Received: "
            f"{why}. {was}. {WAYS_OUT.get(error.errno or 0, GIVE_ROOM)}"
        ) from error


def try_writing(path: Path) -> None:
    """Find out before long work whether a file can be written at its end.

    Raises:
        CannotWrite: It cannot.
    """
    with writing(path), _temporary(path):
        pass


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, gone at the end unless it was moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two suffixes: Keras knows its weights by `.weights.h5`.
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=PARTIAL, suffix="".join(path.suffixes[-2:])
    )
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def free_name(stem: str, taken: set[str]) -> str:
    """A name for a file: the stem, shortened, and numbered where another took it.

    Args:
        stem: Such as another file's.
        taken: Remembers the result, in the letters that some disks take for the same.
    """
    while len(os.fsencode(stem)) > LONGEST:
        stem = stem[:-1]
    numbered = (f"{stem}-{number}" for number in itertools.count(2))
    names = itertools.chain([stem], numbered)
    name = next(name for name in names if name.casefold() not in taken)
    taken.add(name.casefold())
    return name


def sweep(folder: Path) -> None:
    """Remove what processes that were killed had begun to write in it and below.

    Only for folders that no other process is writing to.
    """
    for partial in list(folder.rglob(f"{PARTIAL}*")):
        if partial.is_dir():  # of a checkpoint
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def reserve(path: Path, size: int) -> None:
    """Make sure that the disk has room for a file, where the system can say so.

    Raises:
        OSError: It has none.
    """
    if hasattr(os, "posix_fallocate"):
        with path.open("rb+") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(0)


def flush(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk, where the system can do that."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write plain data as indented JSON, atomically; NaN and infinity are errors."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n")


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write named arrays as a compressed `.npz`, atomically."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read a `.npz` whole, if it holds what it promises and nothing but plain arrays.

    Raises:
        CannotRead: It is damaged, or was made to do harm.
        OSError: There is no such file.
    """
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                _check_promises(archive)
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        # ZIP, its packing and NumPy fail in as many ways as they have parts.
        except Exception as error:
            raise CannotRead(
                f"{path}: expected arrays as Tessera writes them. Received: "
                f"{error or type(error).__name__}. The file is damaged or was made to "
                f"do harm. {again(path)}"
            ) from error


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def again(path: Path) -> str:
    """How a damaged file of a run is made anew; what is finished is never repeated."""
    return f"Train the run again: delete {path.parent} and give its command again."


def unread(path: Path, known: int) -> str:
    """What a JSON file that is no value of Tessera's is instead, and the way out.

    Args:
        path: Of the file.
        known: The latest `schema_version` that can be read here.
    """
    with contextlib.suppress(
        OSError, ValueError, RecursionError, KeyError, TypeError, IndexError
    ):
        version = json.loads(path.read_bytes())["schema_version"]
        if version > known:
            return (
                f"a {path.name} of a later Tessera (schema_version {version}, where "
                f"this one reads up to {known}). Use that Tessera, or another folder."
            )
    return (
        f"a damaged {path.name}. Delete it and give the study's command again: "
        "finished runs are kept."
    )


def _check_promises(archive: zipfile.ZipFile) -> None:
    """Room is made for what a header promises before anything is unpacked."""
    entries = archive.infolist()
    if (total := sum(entry.file_size for entry in entries)) > MOST_BYTES:
        raise ValueError(f"{total:,} bytes, more than the {MOST_BYTES:,} allowed")
    for entry in entries:
        with archive.open(entry) as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError(f"{entry.filename}: of another version")
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            if dtype.hasobject:
                raise ValueError(f"{entry.filename}: Python objects, which are code")
            promised = file.tell() + math.prod(shape) * dtype.itemsize
        if promised != entry.file_size:
            raise ValueError(
                f"{entry.filename}: {promised:,} bytes promised, {entry.file_size:,} "
                "there"
            )

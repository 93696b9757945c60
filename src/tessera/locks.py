"""One command at a time in a folder, however commands end."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import filelock

from tessera import files

NAME = ".lock"
"""The file in a folder that a command holds."""


PAUSE = 0.01
"""Seconds between attempts to take a lock whose folder comes and goes."""


class FolderInUse(RuntimeError):
    """Another command is at work in the folder; the message says what to do."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other commands out of a folder; freed even when a process dies.

    Work that leaves nothing in it, since it was refused say, leaves nothing at all: the
    lock's file goes and so do the folders that were made for it, unless they were there
    before or others have put something into them.

    Raises:
        FolderInUse: Another command is at work in it.
        CannotWrite: It cannot be made, or nothing can be written into it.
    """
    made = [place for place in (folder, *folder.parents) if not os.path.exists(place)]
    before = _names(folder)
    try:
        with files.writing(folder):
            lock = _taken(folder)
        try:
            yield
        finally:
            if _is_as_before(before, _names(folder)):
                # While it is held: whoever has this file open sees that it lost its
                # name, and tries again.
                with contextlib.suppress(OSError):
                    (folder / NAME).unlink()
            lock.release()
    finally:
        for place in made:
            with contextlib.suppress(OSError):  # as where it holds something
                place.rmdir()


def _is_as_before(before: set[str] | None, after: set[str] | None) -> bool:
    """Whether a folder holds no more than it did, but for the lock's file.

    A file alone that was there before was that of another who left nothing.
    """
    if before is None or after is None:
        return False
    return after == {NAME} or (NAME not in before and after == before | {NAME})


def _names(folder: Path) -> set[str] | None:
    """What a folder holds, nothing where there is none; None: it cannot be told."""
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()
    except OSError:
        return None


def _taken(folder: Path, attempts: int = 100) -> filelock.BaseFileLock:
    """The folder's lock, held; the folder is made if absent.

    Where the holder of before takes the lock's file or the folder away in between, it
    is tried again, for about a second.
    """
    lock = filelock.FileLock(folder / NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        return lock
    except filelock.Timeout as error:
        if not attempts or os.path.exists(folder / NAME):
            raise FolderInUse(
                f"{folder}: another tessera command is working in this folder. "
                "Wait for it, or choose another --out."
            ) from error
    except (FileNotFoundError, FileExistsError):  # the latter of a folder just gone
        if not attempts or folder.is_file():
            raise
    time.sleep(PAUSE)
    return _taken(folder, attempts - 1)

"""One command at a time in a folder, however commands end."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from tessera import files


class FolderInUse(RuntimeError):
    """Another command is at work in the folder; the message says what to do."""


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other commands out of a folder; freed even when a process dies.

    Raises:
        FolderInUse: Another command is at work in it.
        CannotWrite: It cannot be made, or nothing can be written into it.
    """
    lock = filelock.FileLock(folder / ".lock")
    with files.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise FolderInUse(
                f"{folder}: another tessera command is working in this folder. "
                "Wait for it, or choose another --out."
            ) from error
    try:
        yield
    finally:
        lock.release()

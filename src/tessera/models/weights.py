"""A file of plain weights, checked before it is read, into a model that is built.

And back: written whole or not at all.

HDF5 can hold more than numbers: links to other files, datasets whose content lies
elsewhere, shapes of any size behind a few packed bytes. Keras writes none of these, so
none of them is followed.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from tessera import files
from tessera.models.blocks import ModelError

OVERHEAD = 2**14
"""Bytes, at most, that a file has for an array besides its numbers."""

MAX_BYTES = 2**31
"""Of a file; the models here have some megabytes."""

MOST_OBJECTS = 20_000
"""Groups and arrays of a file; a model here has some hundred."""

KINDS = "biuf"
"""NumPy's kinds of dtype that weights have: no text, no references, no objects."""


def save(net: Any, path: Path) -> None:
    """Write a model's weights, in place of what was there.

    Raises:
        CannotWrite: The disk refused it; what was there is as it was.
    """
    with replacing(path) as temporary:
        # HDF5 on a full disk fills the error stream with the parts it cannot close.
        files.reserve(temporary, sum(v.nbytes + OVERHEAD for v in net.get_weights()))
        net.save_weights(temporary)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """`files.replacing`, for what Keras writes.

    Raises:
        CannotWrite: The disk refused it, which HDF5 has errors of its own for.
    """
    with files.replacing(path) as temporary:
        try:
            yield temporary
        except RuntimeError as error:
            raise OSError(str(error).splitlines()[0]) from error


@dataclass(frozen=True, eq=False)
class Keeper:
    """A model as Keras' `ModelCheckpoint` needs it, which saves to one place, whole.

    By itself Keras writes over the weights of before, and takes braces in their path
    for a template.
    """

    net: Any
    path: Path

    def save_weights(self, name: str, overwrite: bool = True) -> None:
        """Write the weights to `path`, whatever the callback calls them."""
        save(self.net, self.path)


def load(net: Any, path: Path) -> None:
    """Give a built model the weights of a file that `save_weights` wrote.

    Args:
        net: A Keras model, built from a validated description.
        path: A `.weights.h5` file; nothing in it is run, and no other file is opened.

    Raises:
        ModelError: There is no such file, it is damaged, holds anything but plain
            arrays, or belongs to another model.
    """
    if not path.is_file():
        raise ModelError(
            f"{path}: expected the weights of a run. Received: no such file. "
            f"{files.again(path)}"
        )
    check(path)
    try:
        net.load_weights(path)
    # Keras and HDF5 meet foreign files with errors of every kind.
    except Exception as error:
        received = (str(error).splitlines() or [repr(error)])[0]
        raise ModelError(
            f"{path}: expected the weights of the model {net.name!r}, written by this "
            f"version. Received: {received.rstrip('.')}. {files.again(path)}"
        ) from error


def check(path: Path) -> None:
    """Refuse a file of weights that holds anything but plain arrays.

    Raises:
        ModelError: See `load`.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _Unsafe(f"{size:,} bytes, more than the {MAX_BYTES:,} allowed")
        with h5py.File(path, "r") as file:
            _check_objects(file, size)
    # A damaged file fails in as many ways as HDF5 has parts.
    except Exception as error:
        raise ModelError(
            f"{path}: expected plain weights as Tessera writes them. Received: "
            f"{error or type(error).__name__}. The file is damaged or was made to do "
            f"harm. {files.again(path)}"
        ) from error


class _Unsafe(Exception):
    """Something that no file of weights needs."""


def _check_objects(file: h5py.File, size: int) -> None:
    promised = 0
    waiting: list[h5py.Group] = [file]
    met = 0
    while waiting:
        group = waiting.pop()
        for name in group:
            met += 1
            if met > MOST_OBJECTS:
                raise _Unsafe(f"more than {MOST_OBJECTS:,} objects")
            child = _hard_child(group, name)
            if isinstance(child, h5py.Group):
                waiting.append(child)
            else:
                promised += _plain_bytes(child, name)
    if promised > size:
        raise _Unsafe(f"arrays of {promised:,} bytes in a file of {size:,}")


def _hard_child(group: h5py.Group, name: str) -> Any:
    """What a name stands for, if it lies in this very file."""
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise _Unsafe(
            f"{name!r} is a link ({type(link).__name__}), which is not followed"
        )
    return group[name]


def _plain_bytes(array: Any, name: str) -> int:
    """Bytes of an array that lies unpacked in the file."""
    if not isinstance(array, h5py.Dataset) or array.dtype.kind not in KINDS:
        raise _Unsafe(f"{name!r} is no array of numbers")
    if array.is_virtual or array.external:
        raise _Unsafe(f"{name!r} has its content in another file")
    if array.chunks is not None:
        raise _Unsafe(f"{name!r} is packed in chunks, which Keras never writes")
    return int(array.nbytes)

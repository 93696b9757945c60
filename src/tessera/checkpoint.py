"""Arrays and counters of an unfinished training, on disk and back, bit by bit.

A checkpoint is a folder `step-000000012` of three files:

- `arrays.bin`: the arrays' bytes, one after another;
- `state.json`: the step, the digest of the work, the arrays' names, types and shapes,
  and any plain data;
- `SHA256SUMS`: the hash of the other two, as `sha256sum --check` reads it.

It is written under another name, flushed, and moved into place, so that a process that
is killed leaves the older checkpoints alone. Nothing in it is code, and nothing is
believed before its hash is right.
"""

import contextlib
import hashlib
import json
import math
import operator
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera import files

Json: TypeAlias = (
    "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
)
"""Plain data. Floats come back bit by bit; tuples come back as lists."""

SCHEMA_VERSION = 2
KEPT = 2
"""Checkpoints that stay: the newest, and the one to fall back on."""

ARRAYS, STATE, SUMS = "arrays.bin", "state.json", "SHA256SUMS"
KINDS = "biufc"
"""NumPy's kinds of dtype that are stored: numbers and truth values, never objects."""

PREFIX = "step-"


class Unusable(Exception):
    """A checkpoint that must not be resumed from; the message says why."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A whole checkpoint."""

    step: int
    arrays: dict[str, NDArray[Any]]
    """As they were saved, in their order; writable."""
    state: dict[str, Any]


def save(
    folder: Path,
    step: int,
    arrays: Mapping[str, NDArray[Any]],
    state: Mapping[str, Json],
    *,
    digest: str,
) -> None:
    """Keep one more checkpoint, then forget all but the last two.

    A checkpoint of a later step belongs to a future that was given up (a resume from
    an older one), so it is forgotten too.

    Args:
        folder: Holds the checkpoints of one training and nothing else.
        step: How far the training is, 0 or more: orders the checkpoints.
        arrays: Named arrays of numbers, of any shape.
        state: Plain data; NaN and infinity are errors.
        digest: Hash of all that decides the training: settings, data, versions.

    Raises:
        ValueError: An array does not hold numbers, or the state is no plain data.
        CannotWrite: The disk is full or the folder is read-only; older checkpoints
            are as they were.
    """
    content = [_plain(name, array) for name, array in arrays.items()]
    layout = {
        name: [array.dtype.str, list(array.shape)]
        for name, array in zip(arrays, content, strict=True)
    }
    facts = {"schema_version": SCHEMA_VERSION, "step": step, "digest": digest}
    text = json.dumps(
        facts | {"arrays": layout, "state": dict(state)},
        allow_nan=False,
        ensure_ascii=False,
    ).encode()
    place = folder / f"{PREFIX}{step:09d}"
    with files.writing(place), _partial(folder) as partial:
        sums = _write(partial / ARRAYS, ARRAYS, content)
        sums += _write(partial / STATE, STATE, [text])
        _write(partial / SUMS, SUMS, [sums])
        files.flush_folder(partial)
        _forget(place)
        os.replace(partial, place)
        files.flush_folder(folder)
    _prune(folder, step)


def load(
    folder: Path, *, digest: str, note: Callable[[str], None] | None = None
) -> Loaded | None:
    """The newest checkpoint that is whole and belongs to this training.

    Args:
        folder: Where `save` kept them.
        digest: As given to `save`; a checkpoint with another one is not used.
        note: Told of every checkpoint that is passed over, and why; None: the error
            stream is.

    Returns:
        The checkpoint; None where there is none to use, and training starts over.
    """
    note = note or loudly
    for place in reversed(_places(folder)):
        try:
            return read(place, digest=digest)
        except Unusable as reason:
            note(f"{place}: this checkpoint is not used: {reason}.")
    return None


def read(place: Path, *, digest: str) -> Loaded:
    """One checkpoint.

    Raises:
        Unusable: It is damaged, incomplete, or another training's.
    """
    try:
        content = {name: (place / name).read_bytes() for name in (ARRAYS, STATE)}
        sums = (place / SUMS).read_bytes()
    except OSError as error:
        missing = Path(error.filename or place).name
        raise Unusable(f"{missing}: {error.strerror or error}") from error
    lines = {name: _sum(name, _hash([found])) for name, found in content.items()}
    for name, line in lines.items():
        if line not in sums:
            raise Unusable(f"{name}: its hash is not the one in {SUMS}")
    if sums != b"".join(lines.values()):
        raise Unusable(f"{SUMS}: damaged")
    return _parse(place, content, digest)


def clear(folder: Path) -> None:
    """Forget every checkpoint, say when the training is finished.

    Raises:
        CannotWrite: The folder is read-only.
    """
    with files.writing(folder):
        for place in _places(folder):
            _forget(place)
        files.sweep(folder)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _parse(place: Path, content: Mapping[str, bytes], digest: str) -> Loaded:
    try:
        facts = json.loads(content[STATE])
        version, step, layout = (
            facts[key] for key in ("schema_version", "step", "arrays")
        )
        whose, state = facts["digest"], facts["state"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unusable(f"{STATE}: no checkpoint's ({error!r})") from error
    if version != SCHEMA_VERSION:
        raise Unusable(f"its layout is version {version!r}, not {SCHEMA_VERSION}")
    if whose != digest:
        raise Unusable("it belongs to other settings, data or versions")
    if step != _step(place) or not isinstance(state, dict):
        raise Unusable(f"{STATE}: not the state of step {_step(place)}")
    return Loaded(_step(place), _unpack(layout, content[ARRAYS]), state)


def _unpack(layout: Any, content: bytes) -> dict[str, NDArray[Any]]:
    """Bytes into arrays; what the layout promises must be there, no more, no less."""
    arrays: dict[str, NDArray[Any]] = {}
    start = 0
    try:
        for name, (kind, shape) in layout.items():
            if not re.fullmatch(rf"[<>|][{KINDS}]\d{{1,2}}", kind):
                raise ValueError(f"{name}: of type {kind}")
            dtype = np.dtype(kind)
            size = math.prod(operator.index(side) for side in shape) * dtype.itemsize
            if min(shape, default=0) < 0:
                raise ValueError(f"{name}: of shape {shape}")
            if start + size > len(content):
                raise ValueError(f"{name}: more bytes promised than there are")
            flat = np.frombuffer(content[start : start + size], dtype)
            arrays[name] = flat.reshape(shape).copy()
            start += size
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise Unusable(f"{STATE}: its arrays do not fit {ARRAYS} ({error})") from error
    if start != len(content):
        raise Unusable(f"{ARRAYS}: {len(content) - start} bytes too many")
    return arrays


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    # ascontiguousarray would turn a scalar into a vector of one.
    values = np.asarray(array, order="C")
    if values.dtype.kind not in KINDS:
        raise ValueError(
            f"{name}: expected an array of numbers. Received: {values.dtype}."
        )
    return values


def _write(path: Path, name: str, parts: list[Any]) -> bytes:
    """Write parts one after another and flush; return their line for `SHA256SUMS`."""
    parts = [part if isinstance(part, bytes) else part.tobytes() for part in parts]
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return _sum(name, _hash(parts))


def _hash(parts: list[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _sum(name: str, mark: str) -> bytes:
    return f"{mark}  {name}\n".encode()


@contextlib.contextmanager
def _partial(folder: Path) -> Iterator[Path]:
    """A new folder under a name that `load` passes over; gone unless it was moved."""
    folder.mkdir(parents=True, exist_ok=True)
    files.sweep(folder)
    partial = Path(tempfile.mkdtemp(dir=folder, prefix=files.PARTIAL))
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _prune(folder: Path, step: int) -> None:
    """Keep the last ones up to `step`; what cannot be removed stays until next time."""
    places = _places(folder)
    past = [place for place in places if _step(place) <= step]
    for place in places:
        if place not in past[-KEPT:]:
            with contextlib.suppress(OSError):
                _forget(place)


def _forget(place: Path) -> None:
    """Remove a checkpoint; its name goes first, so that none is ever seen half."""
    if place.exists():
        doomed = tempfile.mkdtemp(dir=place.parent, prefix=files.PARTIAL)
        os.replace(place, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _places(folder: Path) -> list[Path]:
    """The checkpoints there are, oldest first."""
    found = [place for place in folder.glob(f"{PREFIX}*") if _step(place) >= 0]
    return sorted(found, key=_step)


def _step(place: Path) -> int:
    digits = place.name.removeprefix(PREFIX)
    return int(digits) if digits.isascii() and digits.isdecimal() else -1


def loudly(text: str) -> None:
    """Say something on the error stream."""
    print(f"tessera: {text}", file=sys.stderr)

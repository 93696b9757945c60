"""What a Ray cluster's nodes do: train one run and send back the files it left.

Nothing here needs a disk that the nodes share: the images arrive in the node's object
store, the files leave as bytes, and the driver alone writes into the study.
"""

import hashlib
import os
import platform
import socket
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tessera import __version__, runtime
from tessera.data.dataset import Dataset
from tessera.experiment import Run
from tessera.record import RunFolder

Files = dict[str, bytes]
"""A folder's files by their path in it, with forward slashes."""

INTERVAL = 1.0
"""Seconds between two messages of one run within an epoch."""


@dataclass(frozen=True)
class Job:
    """All that a node needs besides the images."""

    index: int
    """Of the task, for progress."""
    run: Run
    donor: Files | None
    """Of the finished run that differs only in what is done after training."""
    start: Files | None
    """Of the finished run whose weights the model starts from."""
    threads: int
    gpus: float
    backend: str
    software: dict[str, str]
    """What the driver runs on; a node that differs refuses the job."""


@dataclass(frozen=True)
class Broken:
    """A run that ended in an error of its own, which another try would repeat."""

    message: str
    details: str


@dataclass(frozen=True)
class Note:
    """A run's progress: its start (epoch None) or how far it is."""

    index: int
    epoch: int | None = None
    fraction: float = 0.0
    row: dict[str, float] | None = None


class Board:
    """Where runs pin their notes until the driver takes them; a Ray actor."""

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def put(self, note: Note) -> None:
        """Pin a note."""
        self._notes.append(note)

    def take(self) -> list[Note]:
        """Everything pinned since the last time, in order."""
        notes, self._notes = self._notes, []
        return notes


def train(job: Job, dataset: Dataset, board: Any) -> Files | Broken:
    """Train one run in a folder of this node's own.

    Args:
        job: What to do.
        dataset: Read-only views into the node's object store.
        board: The handle of the `Board`; None: nobody asks.

    Returns:
        The folder's files, or why there are none. An error of the run is a value, so
        that Ray tries again only what died with a worker or a node.
    """
    tell = (lambda _: None) if board is None else board.put.remote
    tell(Note(job.index))
    if differing := differences(job.software, software()):
        return Broken(_refusal(differing), "")
    prepare(job)
    from tessera import pipeline

    with tempfile.TemporaryDirectory(prefix="tessera-run-") as place:
        folder = RunFolder(Path(place) / "run")
        try:
            pipeline.execute(
                job.run,
                dataset,
                folder,
                threads=job.threads,
                donor=unpacked(job.donor, Path(place) / "donor"),
                start=unpacked(job.start, Path(place) / "start"),
                report=reporter(tell, job.index),
            )
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            return Broken(message, traceback.format_exc())
        return packed(folder)


def prepare(job: Job) -> None:
    """Set the switches that the frameworks read when they load, and load them."""
    os.environ["KERAS_BACKEND"] = job.backend
    runtime.prepare(job.threads)
    runtime.load_backend(alone=True)


def packed(folder: RunFolder) -> Files:
    """Read every file of a folder."""
    return {
        path.relative_to(folder.path).as_posix(): path.read_bytes()
        for path in sorted(folder.path.rglob("*"))
        if path.is_file()
    }


def carried(*paths: Path) -> Files:
    """Read some files of a folder, by their names."""
    return {path.name: path.read_bytes() for path in paths}


def start_files(run: Run) -> Files | None:
    """What a node needs of the finished run whose weights this one starts from."""
    if run.model.start is None:
        return None
    begun = RunFolder(Path(run.model.start.run))
    return carried(begun.record, begun.experiment, begun.weights)


def unpacked(files: Files | None, place: Path) -> RunFolder | None:
    """Write a folder's files below `place`."""
    if files is None:
        return None
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return RunFolder(place)


def reporter(
    tell: Callable[[Note], object],
    index: int,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[..., None]:
    """A training's report function: every epoch's row, and a note a second between.

    A thousand runs that each sent every step would drown the one actor they send to.
    """
    last = float("-inf")

    def report(epoch: int, done: int, steps: int, row: dict[str, float] | None) -> None:
        nonlocal last
        now = clock()
        if row is not None or now - last >= INTERVAL:
            last = now
            tell(Note(index, epoch, done / steps, row))

    return report


@cache
def software() -> dict[str, str]:
    """What decides a result besides the settings: versions, and our own sources."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        digest.update(path.relative_to(here).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    ours = {
        "tessera": __version__,
        "tessera's sources": digest.hexdigest()[:12],
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
    return ours | runtime.versions()


def differences(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """A few words for each version that is not as wanted."""
    return [
        f"{name} {wanted.get(name, 'absent')}, here {found.get(name, 'absent')}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]


def _refusal(differing: list[str]) -> str:
    return (
        f"node {socket.gethostname()}: expected the versions of the machine that "
        f"started the study. Received: {'; '.join(differing)}. Install the same "
        "versions on every node: other ones give other results."
    )

"""Image files -> a stream of answers, a batch in memory at a time.

A file that cannot be read is an answer too: its reason. Nothing stops the rest.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tessera import files
from tessera.arrays import Images, Probabilities
from tessera.data import decode, entries
from tessera.explain import gradcam, panel
from tessera.trained import Trained

BATCH = 256
"""Images decoded, predicted and let go at a time."""

READERS = 4
"""Threads that decode; Pillow gives the interpreter lock back while it does."""


@dataclass(frozen=True)
class Answer:
    """What a model says about one image."""

    path: Path
    class_name: str
    probability: float
    """0..1, calibrated as far as `Trained.calibration` says."""
    runner_up: str
    runner_up_probability: float
    probabilities: tuple[float, ...]
    """Of every class, in the order of the model's class names."""
    heatmap: Path | None = None
    """A picture of what the answer rests on, where one was asked for."""


@dataclass(frozen=True)
class Refused:
    """A file without an answer."""

    path: Path
    reason: str


def files_of(paths: Iterable[Path]) -> Iterator[Path | Refused]:
    """Files as given; a folder stands for the files below it, in order of name.

    Below a folder, hidden names and lists or notes are passed over; what `entries`
    finds a fault with is refused, as in training, and so is a folder in which nothing
    is left.
    """
    for path in paths:
        if path.is_dir():
            found = _below(path, path.resolve())
            yield next(found, Refused(path, "a folder without an image"))
            yield from found
        else:
            yield path


def _below(folder: Path, root: Path, depth: int = 1) -> Iterator[Path | Refused]:
    try:
        inner = entries.listed(folder)
    except OSError as error:
        yield Refused(folder, error.strerror or str(error))
        return
    for entry in inner:
        if entries.is_note(entry):
            continue
        path, reason = folder / entry.name, entries.fault(entry, root, depth)
        if reason is not None:
            yield Refused(path, reason)
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(path, root, depth + 1)
        else:
            yield path


def answers(
    trained: Trained,
    paths: Iterable[Path],
    *,
    heatmaps: Path | None = None,
    batch: int = BATCH,
) -> Iterator[Answer | Refused]:
    """One answer per file, in the order of the files, as they are ready.

    Args:
        trained: The model.
        paths: Image files and folders of them.
        heatmaps: Folder for a Grad-CAM picture per image; None: no pictures.
        batch: Images at a time.

    Raises:
        ExplainError: Heatmaps were asked for and the model's map is too coarse.
    """
    taken: set[str] = set()
    found = files_of(paths)
    # Large pictures one at a time, as in training: each takes much memory.
    with ThreadPoolExecutor(1) as alone, ThreadPoolExecutor(READERS) as readers:

        def one(path: Path | Refused) -> tuple[Path, NDArray[np.uint8]] | Refused:
            return _read(path, trained.image_size, alone)

        while chunk := list(itertools.islice(found, batch)):
            read = list(readers.map(one, chunk))
            yield from _answer(trained, read, heatmaps, taken)


def _read(
    path: Path | Refused, size: int, alone: Executor
) -> tuple[Path, NDArray[np.uint8]] | Refused:
    if isinstance(path, Refused):
        return path
    if not path.is_file():
        return Refused(path, "no such file" if not path.exists() else "no regular file")
    try:
        return path, decode.picture(path, size, alone=alone).pixels
    except decode.Unreadable as error:
        return Refused(path, str(error))


def _answer(
    trained: Trained,
    read: Sequence[tuple[Path, NDArray[np.uint8]] | Refused],
    heatmaps: Path | None,
    taken: set[str],
) -> Iterator[Answer | Refused]:
    """Answers to one batch."""
    good = [item for item in read if not isinstance(item, Refused)]
    pictures: list[Path | None] = [None] * len(good)
    shares = np.empty((0, len(trained.class_names)))
    if good:
        images = np.stack([pixels for _, pixels in good])
        shares = trained.probabilities(images)
        if heatmaps is not None:
            names = [files.free_name(path.stem, taken) for path, _ in good]
            pictures = [heatmaps / f"{name}.png" for name in names]
            draw(trained, images, shares, [heatmaps / f"{name}.png" for name in names])
    ready = zip((path for path, _ in good), shares, pictures, strict=True)
    for item in read:
        if isinstance(item, Refused):
            yield item
        else:
            path, row, picture = next(ready)
            yield answer(path, row, trained.class_names, picture)


def answer(
    path: Path,
    row: NDArray[np.float64],
    class_names: Sequence[str],
    heatmap: Path | None = None,
) -> Answer:
    """Put one image's probabilities, float [K], into words."""
    first, second = np.argsort(-row, kind="stable")[:2]
    return Answer(
        path=path,
        class_name=class_names[first],
        probability=float(row[first]),
        runner_up=class_names[second],
        runner_up_probability=float(row[second]),
        probabilities=tuple(row.tolist()),
        heatmap=heatmap,
    )


def draw(
    trained: Trained, images: Images, shares: Probabilities, paths: Sequence[Path]
) -> None:
    """Write a Grad-CAM picture of every image's answer.

    Args:
        trained: The model.
        images: uint8 [N, S, S, C].
        shares: Their probabilities, float [N, K].
        paths: Where each picture goes.
    """
    explained = gradcam.explain(trained.net, images)
    height, width = explained.grid
    for i, path in enumerate(paths):
        label = int(explained.targets[i])
        name = trained.class_names[label]
        what = panel.Panel(
            title=f"{path.stem}: evidence for {name} ({shares[i, label]:.0%})",
            caption=f"{explained.method} at {explained.layer}, {height} x {width} "
            "cells. It shows where the evidence lies, to first order; it proves no "
            "cause.",
            image=images[i],
            raw=explained.raw[i],
            reason=str(explained.reasons[i]),
        )
        panel.save(path, panel.draw(what))

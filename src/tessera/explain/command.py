"""A run's folder and image files -> a picture, the raw map and a line for each.

The model is built again from the run's own `experiment.toml` and given its best
weights; nothing stored is executed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tessera import files
from tessera.data import decode
from tessera.explain import gradcam, panel
from tessera.explain.gradcam import Explanations
from tessera.explain.graph import ExplainError
from tessera.models import rebuild
from tessera.record import RunFolder


@dataclass(frozen=True)
class Trained:
    """A finished run's model, and what its answers mean."""

    net: keras.Model
    class_names: tuple[str, ...]
    image_size: int


@dataclass(frozen=True, eq=False)
class Decoded:
    """Image files that could be read, and those that could not."""

    paths: tuple[Path, ...]
    images: tuple[NDArray[np.uint8], ...]
    """uint8 [H, W, C], one per path."""
    refused: tuple[tuple[Path, str], ...]
    """Path and reason."""


def explain_images(
    run: Path,
    paths: Sequence[Path],
    *,
    target: str | None = None,
    layer: str = "features",
    out: Path = Path("explanations"),
    console: Console | None = None,
) -> int:
    """Explain image files with a trained run: `out/NAME.png` and `out/NAME.npz` each.

    Args:
        run: A finished run's folder.
        paths: Image files; one that cannot be read is named, and the rest goes on.
        target: Class to explain, by name or index; None: what the model predicts.
        layer: The layer whose map is used.
        out: Folder for the results, made if absent.
        console: Where the table goes; None: standard output.

    Returns:
        Exit status: 0, or 1 where an image could not be read.

    Raises:
        ExplainError: The run is not finished, has no such class, or cannot be explained
            at this layer.
    """
    console = console or Console()
    trained = load(RunFolder(run))
    chosen = None if target is None else class_index(target, trained.class_names)
    decoded = read_images(paths, trained.image_size)
    if decoded.paths:
        images = np.stack(decoded.images)
        targets = None if chosen is None else np.full(len(images), chosen, np.int32)
        explained = gradcam.explain(trained.net, images, targets=targets, layer=layer)
        names = distinct_names(decoded.paths)
        write_all(out, names, images, explained, trained.class_names)
        console.print(table(decoded.paths, names, explained, trained.class_names))
        for caution in explained.cautions:
            console.print(Text(f"Caution: {caution}"))
        console.print(Text(f"Pictures and maps: {out.resolve()}"), soft_wrap=True)
    for path, reason in decoded.refused:
        console.print(Text(f"{path}: not explained: {reason}"), soft_wrap=True)
    return 1 if decoded.refused else 0


def load(run: RunFolder) -> Trained:
    """Build a finished run's model again and give it its best weights.

    Raises:
        ExplainError: The folder holds no finished run.
        ExperimentError: Its `experiment.toml` was changed into something invalid.
    """
    try:
        rebuilt = rebuild.rebuild(run)
    except rebuild.RunError as error:
        raise ExplainError(str(error)) from error
    data = rebuilt.record.data
    return Trained(rebuilt.net, data.class_names, data.image_shape[0])


def class_index(target: str, class_names: tuple[str, ...]) -> int:
    """The class that a text means: a name first, then an index.

    Raises:
        ExplainError: Neither.
    """
    if target in class_names:
        return class_names.index(target)
    if target.isdecimal() and int(target) < len(class_names):
        return int(target)
    raise ExplainError(
        f"--target: expected an index from 0 to {len(class_names) - 1} or one of "
        f"{', '.join(class_names)}. Received: {target!r}."
    )


def read_images(paths: Sequence[Path], size: int) -> Decoded:
    """Decode every file by the rule of the training data; keep the reasons of others.

    Args:
        paths: Image files.
        size: Height and width the model takes, in pixels.
    """
    kept, images, refused = [], [], []
    for path in paths:
        try:
            images.append(decode.picture(path, size).pixels)
            kept.append(path)
        except decode.Unreadable as error:
            refused.append((path, str(error)))
    return Decoded(tuple(kept), tuple(images), tuple(refused))


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """A file name for each image: its stem, numbered where another took it."""
    names: list[str] = []
    for path in paths:
        name, number = path.stem, 2
        while name in names:
            name, number = f"{path.stem}-{number}", number + 1
        names.append(name)
    return names


def write_all(
    out: Path,
    names: Sequence[str],
    images: NDArray[np.uint8],
    explained: Explanations,
    class_names: tuple[str, ...],
) -> None:
    """Write a picture and the arrays behind it for every image."""
    for i, name in enumerate(names):
        panel.write(
            out / f"{name}.png", picture(name, images[i], explained, i, class_names)
        )
        files.write_arrays(
            out / f"{name}.npz",
            image=images[i],
            raw=explained.raw[i],
            logits=explained.logits[i],
            target=explained.targets[i],
            predicted=explained.predicted[i],
            reason=explained.reasons[i],
            class_names=np.array(class_names),
            layer=np.array(explained.layer),
            method=np.array(explained.method),
            cautions=np.array(explained.cautions, dtype=np.str_),
        )


def picture(
    name: str,
    image: NDArray[np.uint8],
    explained: Explanations,
    index: int,
    class_names: tuple[str, ...],
) -> panel.Panel:
    """The panel of one explained image, in words a reader can check."""
    target = class_names[explained.targets[index]]
    predicted = class_names[explained.predicted[index]]
    height, width = explained.grid
    return panel.Panel(
        title=f"{name}: evidence for {target} "
        f"({explained.probabilities[index]:.0%}); predicted {predicted}",
        caption=f"{explained.method} at {explained.layer}, {height} x {width} cells. "
        "It shows where the evidence lies, to first order; it proves no cause.",
        image=image,
        raw=explained.raw[index],
        reason=str(explained.reasons[index]),
    )


def table(
    paths: Sequence[Path],
    names: Sequence[str],
    explained: Explanations,
    class_names: tuple[str, ...],
) -> Table:
    """One row per image: file, answer, class explained, why its map is blank."""
    answers = gradcam.softmax(explained.logits).max(axis=1)
    image = Column("image", overflow="fold")
    rows = Table(image, "predicted", "explained", "blank because", "picture")
    for i, (path, name) in enumerate(zip(paths, names, strict=True)):
        rows.add_row(
            Text(str(path)),
            Text(f"{class_names[explained.predicted[i]]} {answers[i]:.1%}"),
            Text(class_names[explained.targets[i]]),
            Text(str(explained.reasons[i])),
            Text(f"{name}.png"),
        )
    return rows

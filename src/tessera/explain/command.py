"""A run's folder and image files -> a picture, the raw map and a line for each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table
from rich.text import Text

from tessera import files
from tessera.data import apart, decode, entries
from tessera.evaluation.probabilities import softmax
from tessera.explain import maps, methods, places, reading, view
from tessera.explain.graph import ExplainError
from tessera.explain.methods import AttentionRollout, Method
from tessera.explain.places import Grid
from tessera.explain.targets import Contrast, OneClass, Target
from tessera.explain.trained import load as load
from tessera.explain.trained import readout, temperature, token_grid
from tessera.explain.view import Maps
from tessera.models.rebuild import Rebuilt
from tessera.phrases import in_row
from tessera.record import RunFolder

PREDICTED = "predicted"
TRUE = "true"


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
    method: str = "gradcam",
    target: str | None = None,
    contrast: str | None = None,
    layer: str | None = None,
    out: Path = Path("explanations"),
    console: Console | None = None,
) -> int:
    """Explain image files with a trained run: `out/NAME.png` and `out/NAME.npz` each.

    Args:
        run: A finished run's folder.
        paths: Image files; one that cannot be read is named, and the rest goes on.
        method: Name of a method, see `methods`.
        target: Class to explain, by name or index; `predicted`, or `true`, which is
            the name of the image's folder; None: what the model predicts.
        contrast: Class to explain it against, said in the same way; None: none.
        layer: The layer whose map is used; None: `features`, for methods that use one.
        out: Folder for the results, made if absent.
        console: Where the table goes; None: standard output.

    Returns:
        Exit status: 0, or 1 where an image could not be read.

    Raises:
        ExplainError: The run is not finished, has no such class, or cannot be explained
            this way.
        DataError: `out` lies among images of its classes.
    """
    console = console or Console()
    chosen = methods.by_name(method)
    folder = RunFolder(run)
    trained, decoded = opened(folder, paths, target, contrast)
    chosen = configured(chosen, trained)
    apart.keep_from_classes(trained.class_names, out)
    if decoded.paths:
        fitted = temperature(folder)
        layer = layer or ("features" if chosen.where == "layer" else None)
        images = np.stack(decoded.images)
        found = maps.compute(
            trained.net,
            images,
            method=chosen,
            target=asked(target, contrast, decoded.paths, trained.class_names),
            layer=layer,
            grid=grid_for(trained, chosen, layer),
        )
        names = distinct_names(decoded.paths)
        found = replace(found, temperature=fitted)
        shown = view.shown(found, images, class_names=trained.class_names, names=names)
        for index in counted(len(names), console):
            shown.save_one(index, out)
        report(console, decoded.paths, shown, out)
    return name_refused(console, decoded.refused)


def opened(
    run: RunFolder, paths: Sequence[Path], target: str | None, contrast: str | None
) -> tuple[Rebuilt, Decoded]:
    """A run's model and the images that can be read; wrong options come to light first.

    Raises:
        ExplainError: No image is named, no finished run, or no such class.
    """
    if not paths:
        raise ExplainError(
            "IMAGE: expected at least one file, or a folder with one. Received: none."
        )
    trained = load(run)
    for option, text in (("--target", target), ("--contrast", contrast)):
        if text not in (None, PREDICTED, TRUE):
            class_index(text, trained.class_names, option)
    return trained, read_images(paths, trained.image_size)


def name_refused(console: Console, refused: Sequence[tuple[Path, str]]) -> int:
    """Say which files could not be read; the exit status: 0, or 1 with any."""
    for path, reason in refused:
        console.print(
            Text(f"{entries.shown(str(path))}: not explained: {reason}"), soft_wrap=True
        )
    return 1 if refused else 0


def counted(pictures: int, console: Console) -> Iterable[int]:
    """Their positions; a terminal sees how many are drawn, for each takes its time."""
    return track(
        range(pictures),
        "pictures",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def configured(method: Method, trained: Rebuilt) -> Method:
    """The method, set to how the run's model reads its tokens."""
    if isinstance(method, AttentionRollout):
        return replace(method, readout=readout(trained))
    return method


def grid_for(trained: Rebuilt, method: Method, layer: str | None) -> Grid | None:
    """The token grid, where the method or the layer speaks of tokens."""
    if isinstance(method, AttentionRollout):
        return token_grid(trained)
    shapes = places.candidates(reading.read(trained.net))
    tokens = layer is not None and len(shapes.get(layer, ())) == 2
    return token_grid(trained) if tokens else None


def asked(
    target: str | None,
    contrast: str | None,
    paths: Sequence[Path],
    class_names: tuple[str, ...],
) -> Target:
    """The target that the options mean for these images."""
    wanted = one_class(target or PREDICTED, paths, class_names, "--target")
    if contrast is None:
        return wanted
    return Contrast(wanted, one_class(contrast, paths, class_names, "--contrast"))


def one_class(
    text: str, paths: Sequence[Path], class_names: tuple[str, ...], option: str
) -> OneClass:
    """What a text means: a class by name or index, `predicted`, or `true`."""
    if text in class_names or text not in (PREDICTED, TRUE):
        return class_index(text, class_names, option)
    if text == PREDICTED:
        return "predicted"
    folders = [path.resolve().parent.name for path in paths]
    for path, name in zip(paths, folders, strict=True):
        if name not in class_names:
            raise ExplainError(
                f"{option} true: expected images in a folder with the name of their "
                f"class, one of {in_row(class_names)}. Received: {path}."
            )
    return [class_names.index(name) for name in folders]


def class_index(
    target: str, class_names: tuple[str, ...], option: str = "--target"
) -> int:
    """The class that a text means: a name first, then an index.

    Raises:
        ExplainError: Neither.
    """
    if target in class_names:
        return class_names.index(target)
    if target.isdecimal() and int(target) < len(class_names):
        return int(target)
    raise ExplainError(
        f"{option}: expected predicted, true, an index from 0 to "
        f"{len(class_names) - 1} or one of {in_row(class_names)}. "
        f"Received: {target!r}."
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
    taken: set[str] = set()
    return [files.free_name(path.stem, taken) for path in paths]


def report(console: Console, paths: Sequence[Path], shown: Maps, out: Path) -> None:
    """Print what was explained, the residuals, what to know, and where it lies."""
    console.print(table(paths, shown))
    if shown.residuals is not None:
        largest = float(np.abs(shown.residuals).max())
        console.print(
            Text(
                f"Residual: the maps' sums miss the logit's change by {largest:.1e} "
                "at most."
            ),
            soft_wrap=True,
        )
    for caution in shown.cautions:
        console.print(Text(f"Caution: {caution}"), soft_wrap=True)
    console.print(Text(f"Pictures and maps: {out.resolve()}"), soft_wrap=True)


def table(paths: Sequence[Path], shown: Maps) -> Table:
    """One row per image: file, answer, class explained, why its map is blank."""
    surest = softmax(shown.logits, shown.temperature).max(axis=1)
    image = Column("image", overflow="fold")
    rows = Table(image, "predicted", "explained", "blank because", "picture")
    for i, (path, name) in enumerate(zip(paths, shown.names, strict=True)):
        rows.add_row(
            Text(str(path)),
            Text(f"{shown.class_names[shown.predicted[i]]} {surest[i]:.1%}"),
            Text(shown.subject(i, shown.class_names)),
            Text(str(shown.reasons[i])),
            Text(f"{name}.png"),
        )
    return rows

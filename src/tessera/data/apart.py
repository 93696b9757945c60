"""Results and images apart: what Tessera writes is never taken for a class."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tessera import experiment
from tessera.data.dataset import DataError

WRITTEN = ("study.json", "record.json", "search.json", ".lock")
BESIDE = ("runs", "experiment.toml", "trials.journal")
"""A folder with one of each is a study, a run or a search, finished or not; a class
may hold a file of one such name among its images."""

DEEP = 3
"""Folders around a run that may hold nothing else: `runs/CELL/seed-N`."""


def keep_from_data(data: experiment.Data, out: Path, option: str = "--out") -> None:
    """Refuse an output folder that is, or lies in, the images of an experiment.

    Args:
        data: The experiment's.
        out: The folder, which need not be there.
        option: What the caller's user calls it.

    Raises:
        DataError: It does.
    """
    if isinstance(data, experiment.Folder):
        keep_from_images(Path(data.path), out, option)


def keep_from_images(images: Path, out: Path, option: str = "--out") -> None:
    """Refuse an output folder that is, or lies in, a folder of images.

    Raises:
        DataError: It does.
    """
    # Unlike Path.resolve, realpath has no error for links in a circle.
    root, place = Path(os.path.realpath(images)), Path(os.path.realpath(out))
    if place.is_relative_to(root):
        raise _refusal(root, out, option)


def keep_from_pictures(
    images: Iterable[Path], out: Path, option: str = "--out"
) -> None:
    """Refuse an output folder in which a result could replace one of its own images.

    Args:
        images: Image files, whose folders are refused, and folders of them, which are
            refused with what lies below them.
        out: The folder, which need not be there.
        option: What the caller's user calls it.

    Raises:
        DataError: It is one of those.
    """
    place = Path(os.path.realpath(out))
    for path in images:
        whole = path.is_dir()
        folder = Path(os.path.realpath(path if whole else path.parent))
        if place == folder or (whole and place.is_relative_to(folder)):
            raise DataError(
                f"{option}: expected a folder apart from the images, of which a "
                "picture could replace one, or be taken for one. Received: "
                f"{str(out)!r}, for {path}. Choose a folder that holds no images."
            )


def keep_from_classes(class_names: Sequence[str], out: Path) -> None:
    """Refuse an output folder among folders with the names of a run's classes.

    Raises:
        DataError: It does, at any depth.
    """
    place = Path(os.path.realpath(out))
    for root in (place, *place.parents):
        if all((root / name).is_dir() for name in class_names):
            raise _refusal(root, out)


def _refusal(root: Path, out: Path, option: str = "--out") -> DataError:
    return DataError(
        f"{option}: expected a folder outside the image folder {root}, where results "
        f"would be taken for images or a class. Received: {str(out)!r}. Choose "
        f"another, such as {root}-results."
    )


def is_results(folder: Path, *, depth: int = DEEP) -> bool:
    """Whether Tessera wrote a folder: a study, a run, or nothing but such folders."""
    if _holds(folder, WRITTEN) and _holds(folder, BESIDE):
        return True
    alone = True
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if entry.name.startswith("."):
                    continue
                alone = False
                inner = depth > 0 and entry.is_dir(follow_symlinks=False)
                if not inner or not is_results(Path(entry.path), depth=depth - 1):
                    return False
    except OSError:
        return False
    return not alone or _holds(folder, (".lock",))


def _holds(folder: Path, names: Sequence[str]) -> bool:
    return any((folder / name).exists() for name in names)

"""What the experiment says about data, into the data."""

from pathlib import Path
from typing import assert_never

from tessera import experiment
from tessera.data import cifar10, digits, folder, table
from tessera.data.dataset import DataError, Dataset
from tessera.data.decoded import Progress


def load(data: experiment.Data, *, progress: Progress | None = None) -> Dataset:
    """Load what the experiment names.

    Args:
        data: The experiment's data settings.
        progress: Told how far a long decoding is.

    Raises:
        DataError: The data cannot be used; the message says what to do about it.
    """
    match data:
        case experiment.Digits():
            return digits.load(data.image_size)
        case experiment.Cifar10():
            path = None if data.path is None else Path(data.path)
            return cifar10.load(path, image_size=data.image_size)
        case experiment.Folder():
            return folder.load(data, progress=progress)
        case _:
            assert_never(data)


def from_argument(text: str, option: str = "--data") -> experiment.Data:
    """The data settings that a `--data` argument means.

    Args:
        text: `digits`, `cifar10`, or a path to a CIFAR-10 archive, an image folder, or
            a CSV file that lists images.
        option: What the user calls it.

    Raises:
        DataError: It is none of these.
    """
    match text:
        case "digits":
            return experiment.Digits()
        case "cifar10":
            return experiment.Cifar10()
    path = Path(text).expanduser()
    if (found := cifar10.locate(path)) is not None:
        return experiment.Cifar10(path=str(found))
    if (path.is_dir() or table.is_list(path)) and is_unicode(text):
        return experiment.Folder(path=str(path))
    raise DataError(
        f"{option}: expected digits, cifar10, an image folder, a CSV file that lists "
        f"images, or the path of a local {cifar10.ARCHIVE} or {cifar10.BATCHES}, in "
        f"UTF-8. Received: {text!r}."
    )


def moved(data: experiment.Data, place: experiment.Data) -> experiment.Data:
    """The settings of data that lies elsewhere now.

    Args:
        data: The settings that it was loaded with.
        place: Where it lies, as `from_argument` reads it.

    Returns:
        `place` with all of `data` that decides what is made of the files: the size, and
        the shares for validating and testing.
    """
    kept = {name: value for name, value in data if name not in ("kind", "path")}
    ours = {name: value for name, value in kept.items() if hasattr(place, name)}
    return place.model_copy(update=ours)


def is_unicode(path: str) -> bool:
    """Whether an experiment file could hold it."""
    try:
        return bool(path.encode())
    except UnicodeEncodeError:
        return False

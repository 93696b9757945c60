"""`tessera export`: a folder with the model, its labels and its card, or nothing."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tessera import files, folded, locks, trained
from tessera.data import apart, source
from tessera.data.dataset import Dataset
from tessera.experiment import Folder
from tessera.export import card, fidelity, formats, parity
from tessera.export.errors import ExportError
from tessera.export.fidelity import Fidelity
from tessera.export.named import FILES, Format, named
from tessera.export.parity import Parity
from tessera.folded import Folded
from tessera.trained import Trained


@dataclass(frozen=True)
class Exported:
    """What an export left."""

    folder: Path
    model: Path
    card: Path
    check: Parity | Fidelity
    because: str
    """Why this run stands for its study; see `trained.Trained`."""


def export(
    path: Path,
    form: str,
    *,
    out: Path | None = None,
    data: str | None = None,
    licence: str | None = None,
    ensemble: bool = False,
) -> Exported:
    """Export a run's model, checked on its test images.

    Args:
        path: A run's folder, or a study's: its recommended run.
        form: One of `named.FORMATS`.
        out: A folder that is not there yet, or is empty; None: named after the run.
        data: Where the run's data lies now, if not where it lay in training.
        licence: Of the weights, in words, for the card.
        ensemble: Whether all runs of a study's recommended cell are one model, see
            `trained.load`.

    Raises:
        ExportError: There is no such format, the folder is taken, something that the
            format needs is missing, or the exported model is not the original.
        RunError: The folder holds no usable run, or one where several are wanted.
        DataError: The run's data cannot be read, or `out` lies among its images.
    """
    chosen = named(form)
    model = trained.load(path, ensemble=ensemble)
    if chosen == "onnx-int8" and isinstance(model, Folded):
        raise ExportError(
            f"{form}: expected a model with test images of its own, on which what "
            f"rounding costs is measured. Received: {model.seeds}, which have learned "
            "from every image together. Export to onnx."
        )
    which = "ensemble" if ensemble else f"seed-{model.run.seed}"
    where = out or Path(f"{model.run.cell}-{which}-{form}")
    apart.keep_from_classes(model.class_names, where)
    _refuse_taken(where)
    return write(model, chosen, where, data_of(model, data), licence=licence)


def data_of(model: Trained, data: str | None) -> Dataset:
    """The run's data, from where it lay in training or from another place.

    Raises:
        ExportError: It is not there.
        DataError: It cannot be read.
    """
    settings = model.run.data
    path = getattr(settings, "path", None)
    if data is None and path is not None and not Path(path).exists():
        raise ExportError(
            f"export: expected the run's data at {path}, where it lay in training. "
            "Received: nothing there. Say with --data where it lies now."
        )
    if data is not None:
        settings = source.moved(settings, source.from_argument(data))
    if isinstance(model, Folded) and isinstance(settings, Folder):
        return folded.data(settings)
    return source.load(settings)


def write(
    model: Trained,
    form: Format,
    out: Path,
    dataset: Dataset,
    *,
    licence: str | None = None,
) -> Exported:
    """Export into a folder that appears complete or not at all.

    Raises:
        ExportError: As `export`.
        CannotWrite: The folder cannot be made, or the model has no room.
    """
    name = FILES[form]
    with _appearing(out) as folder:
        with files.writing(out / name):
            formats.write(model, form, folder / name, dataset)
        check = fidelity.check if form == "onnx-int8" else parity.check
        found = check(model, formats.read(form, folder / name), dataset)
        files.write_text(folder / "labels.txt", "\n".join(model.class_names) + "\n")
        text = card.card(model, found, form=form, licence=licence)
        files.write_text(folder / "card.md", text)
    return Exported(out, out / name, out / "card.md", found, model.because)


@contextlib.contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """A temporary folder that becomes `out` when the block succeeds.

    A folder that is there already stays and gets the files: it may be a container's
    volume, or where the user's shell is.

    Raises:
        ExportError: `out` is a file or holds something.
        CannotWrite: It cannot be made.
    """
    _refuse_taken(out)
    place = Path(os.path.realpath(out))
    there, begun = place.is_dir(), _begun(place)
    with files.writing(out):
        beside = place if there else place.parent
        beside.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        folder = Path(tempfile.mkdtemp(dir=beside, prefix=begun))
    try:
        with locks.held(folder):
            folder.chmod(0o755)
            yield folder
            _refuse_taken(out)  # by another export, meanwhile
            with files.writing(out):
                _put(folder, place, there=there)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(folder: Path, place: Path, *, there: bool) -> None:
    """Move a folder, or where another is there what it holds; its lock goes."""
    if not there:
        os.replace(folder, place)
        (place / locks.NAME).unlink()
        return
    for part in list(folder.iterdir()):
        if part.name != locks.NAME:
            os.replace(part, place / part.name)


def _begun(place: Path) -> str:
    """How the names of folders begin that exports to a place, and no others, make."""
    mark = hashlib.sha256(os.fsencode(place.name)).hexdigest()[:12]
    return f"{files.PARTIAL}export-{mark}-"


def _sweep(place: Path) -> None:
    """Remove what exports to a place left that were killed; those at work hold theirs.

    What cannot be removed, another user's say, stays.
    """
    for around in filter(Path.is_dir, (place.parent, place)):
        for left in around.glob(f"{_begun(place)}*"):
            if left.is_dir() and not left.is_symlink():
                with contextlib.suppress(locks.FolderInUse, OSError), locks.held(left):
                    shutil.rmtree(left, ignore_errors=True)


def _refuse_taken(out: Path) -> None:
    """Refuse a folder with anything but what an export has begun or left unfinished."""
    if not out.exists():
        return
    if not out.is_dir() or any(
        not path.name.startswith(files.PARTIAL) for path in out.iterdir()
    ):
        found = "one that holds something" if out.is_dir() else "a file"
        raise ExportError(
            f"{out}: expected a folder that is not there yet, to export into. "
            f"Received: {found}. Choose another or remove it."
        )

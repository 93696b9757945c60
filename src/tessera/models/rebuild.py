"""A run's folder -> its model again: built from the settings, then plain weights.

Nothing stored is executed: `experiment.toml` and `record.json` are validated values,
and the weights file holds numbers alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tessera import files, settings
from tessera.arrays import Labels, Logits
from tessera.experiment import Run, Start
from tessera.record import SCHEMA_VERSION, Record, RunFolder


class RunError(ValueError):
    """The folder holds no run that can be used; the message says what is missing."""


@dataclass(frozen=True, eq=False)
class Rebuilt:
    """A finished run's model, with what it was trained as."""

    folder: RunFolder
    run: Run
    record: Record
    net: Any
    """A `keras.Model` from pixels 0..255 [B, S, S, C] to logits [B, K]."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Label k is called `class_names[k]`."""
        return self.record.data.class_names

    @property
    def image_size(self) -> int:
        """Height and width the model takes, in pixels."""
        return self.record.data.image_shape[0]


def read_record(folder: RunFolder, *, or_study: bool = False) -> Record:
    """The record of a finished run.

    Args:
        folder: The run's.
        or_study: The user might have named a study as well, and the error says so.

    Raises:
        RunError: The folder holds none, or a damaged one.
    """
    try:
        return Record.model_validate_json(folder.record.read_bytes())
    except (OSError, ValidationError) as error:
        such = "STUDY/runs/hybrid--weighted-1a2b3c4d/seed-0"
        wanted = "run or study, such as runs/photos or" if or_study else "run, such as"
        raise RunError(
            f"{folder.path}: expected the folder of a finished {wanted} {such}. "
            f"Received: {_found(folder)}"
        ) from error


def _found(folder: RunFolder) -> str:
    """What is there in place of a record that can be read."""
    if folder.record.exists():
        return files.unread(folder.record, SCHEMA_VERSION)
    if not folder.path.exists():
        return "no such folder."
    if not folder.path.is_dir():
        return "a file."
    if (folder.path / "study.json").exists():
        return f"a study. Name one of the runs below {folder.path / 'runs'}."
    return "no record.json in it."


def rebuild(folder: RunFolder) -> Rebuilt:
    """Build a finished run's model again and give it its best weights.

    Raises:
        RunError: The folder holds no finished run, or one that pools folds, or its
            weights are missing or do not fit its settings.
        ExperimentError: Its `experiment.toml` was changed into something invalid.
    """
    # Records and predictions, above and below, are read without a framework.
    from tessera.models import build, weights
    from tessera.models.blocks import ModelError

    record, run = read_record(folder), asked(folder)
    if folds := run.experiment().pooled:
        raise RunError(
            f"{folder.path}: expected a run with a model. Received: what those of "
            f"{folds} folds answered together, each of which has a model of its "
            f"own. Give that of a fold: {_of_fold(folder, run)}"
        )
    classes = len(record.data.class_names)
    net = build.for_run(run, record.data.image_shape, classes)
    try:
        weights.load(net, folder.weights)
    except ModelError as error:
        raise RunError(str(error)) from error
    return Rebuilt(folder, run, record, net)


def asked(folder: RunFolder) -> Run:
    """What a run was asked to do.

    Raises:
        RunError: Its `experiment.toml` is of several runs.
        ExperimentError: It is not valid.
    """
    runs = settings.read(folder.experiment).runs()
    if len(runs) != 1:
        raise RunError(
            f"{folder.experiment}: expected the settings of one run. Received: of "
            f"{len(runs)}. {files.again(folder.experiment)}"
        )
    return runs[0]


def _of_fold(folder: RunFolder, run: Run) -> Path:
    """The first fold's run that took part in a pooled one, or where that fold lies."""
    fold = (folder.path / "../../..").resolve() / "fold-1"
    for place in sorted(fold.glob(f"runs/{run.cell}-*/seed-{run.seed}")):
        (found,) = settings.read(RunFolder(place).experiment).runs()
        if found.model_copy(update={"data": run.data}) == run:
            return place
    return fold


def begun(start: Start) -> RunFolder:
    """The finished run that a training starts from, with the weights that are meant.

    Raises:
        RunError: There is none, or its weights are gone or others.
    """
    folder = RunFolder(Path(start.run))
    read_record(folder)
    held = files.sha256(folder.weights) if folder.weights.is_file() else None
    if held != start.sha256:
        received = held[:12] if held else "no such file"
        raise RunError(
            f"{folder.weights}: expected the weights that a training was to start from "
            f"(SHA-256 {start.sha256[:12]}). Received: {received}. Put them back, or "
            "start from those that lie there: leave `sha256` out, or give `--start`."
        )
    return folder


def predictions(path: Path) -> tuple[Logits, Labels]:
    """A run's stored predictions of a split: logits [N, K] and labels [N].

    Raises:
        RunError: They are missing or damaged.
    """
    try:
        stored = files.read_arrays(path)
        return stored["logits"], stored["labels"]
    except files.CannotRead as error:
        raise RunError(str(error)) from error
    except (OSError, KeyError) as error:
        raise RunError(
            f"{path}: expected a run's predictions. Received: {error}. "
            f"{files.again(path)}"
        ) from error

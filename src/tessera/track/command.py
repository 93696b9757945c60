"""`tessera track`: copy what is finished into a tracker, as often as one likes."""

import importlib.util
import shlex
from importlib import metadata
from pathlib import Path

from tessera import locks
from tessera.data import apart
from tessera.track import figures, mlflow, tensorboard
from tessera.track.runs import TrackError, finished

TRACKERS = {"tensorboard": "tensorboard", "mlflow": "mlflow"}
"""Name -> default folder, inside the study's own."""


def track(path: Path, to: str, *, out: Path | None = None) -> str:
    """Copy finished runs, and the figures of a finished study, into a tracker.

    Args:
        path: The folder of a study, finished or not, or of a finished run.
        to: `tensorboard` or `mlflow`.
        out: Where the tracker's files go; None: a folder in `path`.

    Returns:
        The command that shows them, and what else that needs.

    Raises:
        TrackError: No such tracker, nothing finished, a package is missing, or MLflow
            refused.
        RunError: A record is damaged.
        DataError: `out` lies among the runs' images.
        FolderInUse: Another command is writing into MLflow's folder.
    """
    if to not in TRACKERS:
        raise TrackError(
            f"--to: expected one of {', '.join(TRACKERS)}. Received: {to!r}."
        )
    runs = finished(path)
    where = out or path / TRACKERS[to]
    apart.keep_from_classes(runs[0].record.data.class_names, where)
    if to == "tensorboard":
        tensorboard.write(runs, where, tuple(figures.pictures(path)))
        return shlex.join(["tensorboard", "--logdir", str(where.resolve())])
    with locks.held(where), mlflow.refusals(where):
        mlflow.write(runs, where, experiment=path.resolve().name)
        mlflow.write_study(path, where)
    shown = shlex.join(["mlflow", "ui", "--backend-store-uri", mlflow.address(where)])
    return shown + pages()


def pages() -> str:
    """What brings MLflow's pages, where they are missing: the extra is its client."""
    if importlib.util.find_spec("flask") is not None:
        return ""
    release = metadata.version("mlflow-skinny")
    return f"\nIts pages are in the whole package: pip install mlflow=={release}"

"""Finished runs -> an MLflow experiment in a local SQLite store.

Runs, parameters, metrics and artefacts with the model; and one more run, `study`, with
the report and its figures. A run that is there already, by its digest, seed and time,
is left alone; one whose folder was filled anew is replaced, and so is one that a
command which was ended had begun.
"""

import contextlib
import datetime
import hashlib
import os
import posixpath
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tessera import files, png
from tessera.record import StudyFolder
from tessera.track import figures
from tessera.track.runs import Tracked, TrackError, needs_extra

DATABASE = "mlflow.db"
IDENTITY = "tessera.identity"
"""The tag by which a run is known again."""

FOLDER = "tessera.folder"
"""The tag of the run `study`: studies whose folders share a name differ in it."""

BEGUN = "begun"
"""Its value until all of the run is there."""

ARTEFACTS = ("experiment.toml", "manifest.json", "history.csv", "record.json")
MODEL = "model.keras"
STUDY = "study"
"""The run that holds what belongs to no single one."""

BATCH = 1000
"""Metrics that MLflow takes at a time."""


@contextlib.contextmanager
def refusals(out: Path) -> Iterator[None]:
    """Turn what MLflow or its database refuses within the block into one message.

    Raises:
        TrackError: It refused; the message says why.
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("mlflow", "sqlalchemy"):
            raise
        why = str(error).partition("\n")[0]
        raise TrackError(
            f"{out}: expected MLflow to write into it. Received: {why}. Mend that, or "
            "choose another --out, and give the same command again: a run that it had "
            "begun is replaced."
        ) from error


def address(out: Path) -> str:
    """The tracking URI: `mlflow ui --backend-store-uri ADDRESS` shows the runs."""
    return f"sqlite:///{(out / DATABASE).resolve()}"


def write(runs: Sequence[Tracked], out: Path, *, experiment: str) -> None:
    """Write runs into `out/mlflow.db`, artefacts into `out/artefacts/`.

    Nobody else may be writing there.

    Args:
        runs: Finished runs.
        out: Folder of the store, made if absent.
        experiment: MLflow's name for all of them.

    Raises:
        TrackError: MLflow is not installed.
    """
    client, number = _opened(out, experiment)
    known = {}
    for there in list(_all(client, number)):
        mark = there.data.tags.get(IDENTITY)
        if mark == BEGUN:
            client.delete_run(there.info.run_id)
        known[mark] = there
    for run in runs:
        if identity(run) not in known:
            for name, stale in known.items():
                if str(name).rpartition(" ")[0] == identity(run).rpartition(" ")[0]:
                    client.delete_run(stale.info.run_id)
            _write_one(client, number, run)


def write_study(path: Path, out: Path) -> None:
    """Write a study's report, `study.json` and figures as the run `study`.

    Nothing is written before the study has figures, or when all is there already.

    Args:
        path: The study's folder; MLflow's experiment has its name.
        out: As for `write`.

    Raises:
        TrackError: MLflow is not installed.
    """
    drawn = figures.files_of(path)
    if not drawn:
        return
    folder = StudyFolder(path)
    client, number = _opened(out, path.resolve().name)
    texts = [file for file in (folder.report, folder.study) if file.exists()]
    parts = [hashlib.sha256(f.read_bytes()).hexdigest() for f in (*texts, *drawn)]
    mark = f"{STUDY} {hashlib.sha256(''.join(parts).encode()).hexdigest()[:16]}"
    # As the store sees it: both may move together.
    here = Path(os.path.relpath(path.resolve(), out.resolve())).as_posix()
    known = [run for run in _all(client, number) if _is_of_study(run, here)]
    for there in known:
        if there.data.tags.get(IDENTITY) == mark:
            client.set_tag(there.info.run_id, FOLDER, here)
            return
    for stale in known:
        client.delete_run(stale.info.run_id)
    begun = client.create_run(number, run_name=STUDY, tags={FOLDER: here})
    run = begun.info.run_id
    for file in texts:
        client.log_artifact(run, file)
    for file in drawn:
        client.log_artifact(run, file, "figures")
    client.set_tag(run, IDENTITY, mark)
    client.set_terminated(run)


def _is_of_study(run: Any, folder: str) -> bool:
    """Whether it is the folder's run `study`; of earlier versions any is, unmarked."""
    named: str = run.data.tags.get(FOLDER, folder)
    return named == folder and bool(run.info.run_name == STUDY)


def _opened(out: Path, experiment: str) -> tuple[Any, str]:
    """A client of the store in `out`, and the experiment's number there."""
    # Else it tells of each step of making its tables.
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    try:
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise needs_extra("mlflow-skinny") from error
    out.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(tracking_uri=address(out))
    found = client.get_experiment_by_name(experiment)
    if found is not None:
        return client, found.experiment_id
    place = (out / "artefacts").resolve().as_uri()
    return client, client.create_experiment(experiment, artifact_location=place)


def identity(run: Tracked) -> str:
    """What a run is known by: digest, seed, and when it was finished."""
    record = run.record
    return f"{record.digest[:16]} {record.seed} {record.finished_at}"


def _all(client: Any, experiment: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment], page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _write_one(client: Any, experiment: str, run: Tracked) -> None:
    """One run; it is marked finished last, and the mark is part of its identity."""
    when = datetime.datetime.fromisoformat(run.record.finished_at)
    stamp = int(1000 * when.timestamp())
    begun = client.create_run(
        experiment, start_time=stamp, tags={IDENTITY: BEGUN}, run_name=run.name
    )
    number = begun.info.run_id
    for part in _parts(list(_metrics(run, stamp))):
        client.log_batch(number, metrics=part)
    client.log_batch(number, params=_parameters(run))
    for name in (*ARTEFACTS, MODEL):
        path = run.folder.path / name
        if path.exists():
            client.log_artifact(number, path, "model" if name == MODEL else None)
    with tempfile.TemporaryDirectory() as folder:
        for index, (name, pixels) in enumerate(run.pictures()):
            path = Path(folder) / f"{index:03d}.png"
            path.write_bytes(png.encoded(pixels))
            client.log_artifact(number, path, "heatmaps")
            client.set_tag(number, f"heatmap.{index:03d}", name)
    client.set_tag(number, IDENTITY, identity(run))
    client.set_terminated(number, end_time=stamp)


def _metrics(run: Tracked, stamp: int) -> Iterator[Any]:
    from mlflow.entities import Metric

    for row in run.history():
        for name, value in row.items():
            if name != "epoch":
                yield Metric(f"epoch/{name}", value, stamp, int(row["epoch"]))
    taken: set[str] = set()
    for name, value in run.scores().items():
        key = files.free_name(_allowed(name), taken)
        yield Metric(key, value, stamp, run.record.best_epoch)


def _parameters(run: Tracked) -> list[Any]:
    from mlflow.entities import Param

    return [Param(name, value) for name, value in run.parameters().items()]


def _allowed(name: str) -> str:
    """A metric's name in the characters, and of the parts, that MLflow takes.

    Those of two classes may become one: `files.free_name` numbers the second.
    """
    plain = "".join(c if c.isalnum() or c in "/_-. " else "_" for c in name)
    return posixpath.normpath(plain)


def _parts(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), BATCH):
        yield values[start : start + BATCH]

"""A tracker is chosen by name; the runs are left as they were."""

import importlib.util
import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tessera import locks
from tessera.data.dataset import DataError
from tessera.track import command
from tessera.track.runs import TrackError, finished


def test_an_unknown_tracker_lists_the_known_ones(study: Path) -> None:
    with pytest.raises(TrackError, match="one of tensorboard, mlflow"):
        command.track(study, "notebook")


def test_the_command_that_shows_the_runs_is_told_and_no_run_changes(
    study: Path, tmp_path: Path
) -> None:
    before = {p: p.read_bytes() for p in study.rglob("*") if p.is_file()}
    told = command.track(study, "tensorboard", out=tmp_path / "board")
    assert told == f"tensorboard --logdir {tmp_path / 'board'}"
    assert len(list(tmp_path.rglob("*tfevents*"))) == 3  # two runs, figures
    assert {p: p.read_bytes() for p in study.rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_what_mlflow_says_of_its_tables_is_not_shown(
    study: Path, tmp_path: Path
) -> None:
    words = ("track", study, "--to", "mlflow", "--out", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tessera", *words], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("To see the runs: mlflow ui")


@pytest.mark.filterwarnings("ignore")  # MLflow's own, on import and use
@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow"])
def test_a_history_that_is_gone_is_named_and_is_not_called_a_full_disk(
    study: Path, out: Path, tracker: str
) -> None:
    run = shutil.copytree(next(study.glob("runs/*/seed-0")), out / "run")
    (run / "history.csv").unlink()
    with pytest.raises(TrackError, match=r"history\.csv: expected the run's history"):
        command.track(run, tracker, out=out)


def test_two_commands_do_not_write_into_one_store_of_mlflow_at_once(
    study: Path, tmp_path: Path
) -> None:
    with locks.held(tmp_path), pytest.raises(locks.FolderInUse):
        command.track(study, "mlflow", out=tmp_path)


@pytest.mark.filterwarnings("ignore")  # MLflow's own, on import and use
def test_what_mlflow_refuses_is_one_message_with_the_reason(
    study: Path, tmp_path: Path
) -> None:
    (tmp_path / "mlflow.db").write_text("no database, and longer than its head" * 9)
    with pytest.raises(TrackError, match=r"file is not a database.*another --out"):
        command.track(study, "mlflow", out=tmp_path)


@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow"])
def test_nothing_is_written_into_the_classes_of_the_runs(
    study: Path, tmp_path: Path, tracker: str
) -> None:
    for name in finished(study)[0].record.data.class_names:
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="--out: expected a folder outside the image"):
        command.track(study, tracker, out=tmp_path / "3" / "board")
    assert not any((tmp_path / "3").iterdir())


def test_a_path_with_spaces_is_one_word_of_the_command(
    study: Path, tmp_path: Path
) -> None:
    told = command.track(study, "tensorboard", out=tmp_path / "my board")
    assert shlex.split(told)[2:] == [str(tmp_path / "my board")]


@pytest.mark.parametrize("there", [True, False])
def test_what_mlflows_pages_need_is_told_where_it_is_missing(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = object() if there else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    told = command.pages()
    release = metadata.version("mlflow-skinny")
    assert told.endswith(f"pip install mlflow=={release}") is not there

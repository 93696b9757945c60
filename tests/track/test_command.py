"""A tracker is chosen by name; the runs are left as they were."""

from pathlib import Path

import pytest

from tessera.track import command
from tessera.track.runs import TrackError


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

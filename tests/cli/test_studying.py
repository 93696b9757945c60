"""`tessera study`: what its options ask for."""

from pathlib import Path
from typing import Any

import pytest

from cli.inside import tessera
from tessera import settings
from tessera.cli import commands
from tessera.experiment import Experiment
from tessera.record import RunFolder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """The experiments that were to be carried out."""
    seen: list[Experiment] = []

    def study(experiment: Experiment, *_: object, **__: Any) -> None:
        seen.append(experiment)

    monkeypatch.setattr(commands, "study", study)
    return seen


def test_a_start_is_compared_beside_the_models_that_are_asked_for(
    toy: RunFolder, asked: list[Experiment]
) -> None:
    ended = tessera("study", "--models", "cnn,hybrid", "--start", toy.path)
    assert ended.returncode == 0
    labels = [model.label for model in asked[0].models]
    assert labels == ["cnn", "hybrid", "hybrid-started"]


def test_a_start_that_is_no_run_is_an_error_with_the_way_out(
    tmp_path: Path, asked: list[Experiment]
) -> None:
    ended = tessera("study", "--start", tmp_path)
    assert (ended.returncode, asked) == (2, [])
    assert "expected the folder of a finished run or study" in ended.stderr


def test_a_start_may_be_written_into_an_experiment_file(
    toy: RunFolder, tmp_path: Path
) -> None:
    said = tessera("config", "--start", toy.path).stdout
    (tmp_path / "mine.toml").write_text(said)
    (*_, twin) = settings.read(tmp_path / "mine.toml").models
    assert twin.label == "hybrid-started"
    assert twin.start is not None and twin.start.run == str(toy.path)

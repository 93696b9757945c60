"""The contract of engines, as the local one keeps it."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tessera import engines, workers
from tessera.data.dataset import Split, assemble
from tessera.experiment import Digits, Experiment
from tessera.record import RunFolder


def test_no_more_processes_are_started_than_there_are_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []

    def run_all(
        groups: Sequence[workers.Group], data: Any, *, jobs: int, threads: int
    ) -> Generator[workers.Event]:
        asked.append((jobs, threads))
        for group in groups:
            yield from map(workers.Finished, group.tasks)

    monkeypatch.setattr(workers, "run_all", run_all)
    split = Split(np.zeros((4, 8, 8, 3), np.uint8), np.array([0, 1, 0, 1], np.int32))
    dataset = assemble("made up", ("cat", "dog"), train=split, test=split)
    runs = Experiment().runs()[:2]
    tasks = [workers.Task(run, RunFolder(Path(run.cell))) for run in runs]
    engine: engines.Engine = engines.Processes(slots=8, threads=3)
    events = list(engine.run_all(tasks, Digits(), dataset))
    assert asked == [(2, 3)]
    assert events == [workers.Finished(task) for task in tasks]

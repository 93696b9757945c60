"""What a study's missing runs print, and that their engine is closed in the end."""

import io
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import toy_run
from rich.console import Console

from tessera import engines, study, workers
from tessera.cli import training
from tessera.data.dataset import Dataset
from tessera.experiment import Cnn, Data
from tessera.record import StudyFolder

EXPERIMENT = toy_run.experiment([Cnn()], seeds=(0, 1))


@dataclass
class Engine:
    """Says that the first run ends and that the second fails; trains nothing."""

    slots: int = 1
    threads: int = 1
    closed: list[bool] = field(default_factory=list)

    def run_all(
        self, tasks: Sequence[workers.Task], data: Data, dataset: Dataset
    ) -> Generator[workers.Event]:
        first, second = tasks
        try:
            yield workers.Started(first)
            yield workers.Finished(first)
            yield workers.Started(second)
            yield workers.Failed(second, "TrainingDiverged: epoch 1", "")
        finally:
            self.closed.append(True)


@pytest.fixture(autouse=True)
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is timed to foretell how long it takes."""
    monkeypatch.setattr("tessera.estimate.speeds", lambda *_, **__: {})


def trained(engine: engines.Engine, folder: Path) -> str:
    """What is printed; its lines come before an error's."""
    text, dataset = io.StringIO(), toy_run.digits()
    console = Console(file=text, width=200)
    survey = study.survey(EXPERIMENT, dataset, folder)
    try:
        training.train_missing(console, EXPERIMENT, dataset, survey, engine, folder)
    except study.StudyError as error:
        print(error, file=text)
    return text.getvalue()


def test_the_plan_stands_before_the_runs_and_failures_after_them(
    tmp_path: Path,
) -> None:
    told = trained(Engine(), tmp_path).splitlines()
    assert "0 finished, 2 to do, 1 at a time" in told[2]
    assert told[-6].startswith("time: this machine could not be timed")
    assert told[-5].startswith("  1/2 runs: cnn, balanced, seed 0")
    assert "FAILED: TrainingDiverged: epoch 1" in told[-4]
    assert told[-3] == f"{tmp_path}: 1 of the study's runs failed:"


def test_finished_runs_of_other_images_are_told_before_more_is_trained(
    tmp_path: Path,
) -> None:
    dataset = toy_run.digits()
    runs = EXPERIMENT.runs()
    folder = study.run_folder(StudyFolder(tmp_path), runs[0], dataset)
    record = toy_run.write_run(folder, runs[0])
    assert training.of_other_images(dataset, tmp_path) == 0
    changed = record.model_copy(
        update={
            "digest": "0" * 64,
            "data": record.data.model_copy(update={"fingerprint": "f" * 64}),
        }
    )
    folder.record.write_text(changed.model_dump_json())
    told = trained(Engine(), tmp_path)
    assert "0 finished, 2 to do" in told
    assert f"note: 1 finished run in {tmp_path} learned from other images" in told


def test_ctrl_c_closes_the_engine_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(console: Console, events: Iterator[workers.Event], *_: object):
        next(events)
        raise KeyboardInterrupt

    monkeypatch.setattr("tessera.cli.progress.follow", interrupted)
    engine = Engine()
    with pytest.raises(KeyboardInterrupt):
        trained(engine, tmp_path)
    assert engine.closed == [True]


def test_runs_under_other_names_are_taken_over_and_said_so(tmp_path: Path) -> None:
    data = toy_run.digits()
    old = EXPERIMENT.model_copy(update={"models": (Cnn(name="old"),)})
    for run in old.runs():
        toy_run.write_run(study.run_folder(StudyFolder(tmp_path), run, data), run)
    text = io.StringIO()
    for _ in range(2):
        training.take_over(Console(file=text, width=200), EXPERIMENT, data, tmp_path)
    expected = f"2 finished runs in {tmp_path} under other names: taken over, not"
    assert text.getvalue().count(expected) == 1

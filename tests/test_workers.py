"""Workers: events in order, a failed run named, a dead worker noticed."""

import itertools
import multiprocessing
import os
import pickle
import shutil
import signal
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tessera import processes, workers
from tessera.data import source
from tessera.experiment import (
    Cnn,
    Data,
    Digits,
    Experiment,
    Explain,
    Folder,
    Run,
    Training,
)
from tessera.record import RunFolder

ANY = Digits()


def task(folder: Path, data: Data = ANY, **training: object) -> workers.Task:
    run = Experiment(
        data=data,
        models=(Cnn(),),
        training=Training.model_validate({"epochs": 1, "batch_size": 18} | training),
        explain=Explain(examples=0),
        seeds=(0,),
    ).runs()[0]
    return workers.Task(run, RunFolder(folder))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """Noise of two classes, 20 images of each to train with and two to test."""
    root, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for split, name, number in itertools.product(("train", "test"), "ab", range(20)):
        path = root / "images" / split / name / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if split == "train" or number < 2:
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TESSERA_CACHE", str(root / "cache"))
        yield Folder(path=str(root / "images"), image_size=8)


@dataclass(frozen=True)
class Done:
    """A run that diverges, one that does not, and what a worker said of them."""

    bad: workers.Task
    good: workers.Task
    events: list[workers.Event]


@pytest.fixture(scope="module")
def done(data: Folder, tmp_path_factory: pytest.TempPathFactory) -> Done:
    root = tmp_path_factory.mktemp("runs")
    bad, good = task(root / "bad", data, learning_rate=1e30), task(root / "good", data)
    events = workers.run_all(alone(bad, good), data, jobs=1, threads=1)
    return Done(bad, good, list(events))


def finished(done: Done, folder: Path) -> workers.Task:
    """A run that is finished already, of which a worker says so at once."""
    shutil.copytree(done.good.folder.path, folder)
    return workers.Task(done.good.run, RunFolder(folder))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_failed_run_is_named_and_the_others_go_on(done: Done) -> None:
    (failed,) = (event for event in done.events if isinstance(event, workers.Failed))
    assert failed.task == done.bad
    assert failed.message.startswith("TrainingDiverged: epoch 1")
    assert "Traceback" in failed.details
    assert workers.Finished(done.good) in done.events
    assert done.good.folder.record.exists()
    assert not done.bad.folder.record.exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_starts_then_steps_then_finishes(done: Done) -> None:
    events = [event for event in done.events if event.task == done.good]
    assert events[0] == workers.Started(done.good)
    assert events[-1] == workers.Finished(done.good)
    steps = [event for event in events if isinstance(event, workers.Stepped)]
    assert steps == events[1:-1]
    positions = [step.epoch + step.fraction for step in steps]
    assert positions == sorted(positions)
    assert [step.row is not None for step in steps].count(True) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_process_that_has_done_its_share_of_runs_is_replaced(
    data: Folder, done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hired: list[workers._Worker] = []
    hire = workers._hire
    monkeypatch.setattr(workers, "RUNS_OF_A_PROCESS", 1)
    monkeypatch.setattr(
        workers, "_hire", lambda *of: hired.append(hire(*of)) or hired[-1]
    )
    both = [finished(done, tmp_path / name) for name in ("first", "second")]
    events = list(workers.run_all(alone(*both), data, jobs=1, threads=1))
    ends = [event for event in events if isinstance(event, workers.Finished)]
    assert ends == [workers.Finished(one) for one in both]
    assert len(hired) == 2
    assert hired[0].process.exitcode == 0


def alone(*tasks: workers.Task) -> list[workers.Group]:
    return [workers.Group((task,)) for task in tasks]


def ended(code: int) -> workers._Worker:
    """A worker whose process has ended."""
    ours, theirs = multiprocessing.Pipe()
    process = processes.start(_die, (code,), threads=1)
    theirs.close()
    process.join()
    return workers._Worker(process, ours)


def _die(code: int) -> None:
    raise SystemExit(code)


def no_more() -> workers._Worker:
    raise AssertionError("nobody is to be hired")


def test_workers_that_all_died_before_a_task_end_the_wait_with_an_error() -> None:
    waiting = deque(alone(task(Path("here"))))
    (event,) = workers._lead([ended(3)], waiting, no_more)
    assert isinstance(event, workers.Failed) and event.task is None
    assert "every worker process ended (exit code 3)" in event.message


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_data_that_is_gone_when_the_workers_look_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = Folder(path=str(tmp_path / "gone"))
    run = workers.run_all(alone(task(tmp_path / "run")), gone, jobs=1, threads=1)
    (event,) = list(run)
    assert isinstance(event, workers.Failed) and event.task is None
    assert event.message.startswith("every worker process ended (")
    assert "gone" in event.message
    assert "Traceback" not in capfd.readouterr().err


def test_each_task_of_a_worker_that_died_is_named_and_it_is_replaced() -> None:
    worker = ended(3)
    worker.tasks = [task(Path("a")), task(Path("b"))]
    hired: list[workers._Worker] = []

    def hire() -> workers._Worker:
        hired.append(ended(5))
        return hired[-1]

    waiting = deque(alone(task(Path("c"))))
    events = list(workers._lead([worker], waiting, hire))
    first, second = worker.tasks
    assert [event.task for event in events] == [first, first, second, second, None]
    assert events[::2][:2] == [workers.Started(first), workers.Started(second)]
    assert "exit code 3" in events[1].message
    assert "(exit code 3; exit code 5)" in events[4].message
    assert len(hired) == 1


def test_a_run_waits_for_the_one_whose_training_it_takes_over() -> None:
    first, other = task(Path("first")), task(Path("other"))
    heir = workers.Task(first.run, RunFolder(Path("heir")), donor=first.folder)
    waiting = deque(alone(heir, first, other))
    crew = [ended(0), ended(0)]
    for worker, expected in zip(crew, (first, other), strict=True):
        group = workers._take(waiting, crew)
        assert group == workers.Group((expected,))
        worker.tasks = [expected]
    assert workers._take(waiting, crew) is None
    crew[0].tasks = []
    assert workers._take(waiting, crew) == workers.Group((heir,))
    assert not waiting


class Half:
    """Its pickle stops in the middle of a message."""

    def recv(self) -> None:
        raise pickle.UnpicklingError("pickle data was truncated")

    def close(self) -> None:
        pass


def test_a_message_cut_short_is_a_death() -> None:
    worker = ended(3)
    worker.pipe = Half()
    assert workers._receive(worker) == workers._Gone("3")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_fails_its_run_and_the_others_go_on(
    data: Folder, done: Done, tmp_path: Path
) -> None:
    killed, other = task(tmp_path / "killed", data), finished(done, tmp_path / "other")
    events = []
    for event in workers.run_all(alone(killed, other), data, jobs=1, threads=1):
        events.append(event)
        if event == workers.Started(killed):
            (child,) = multiprocessing.active_children()
            os.kill(child.pid, signal.SIGKILL)
    (failed,) = (event for event in events if isinstance(event, workers.Failed))
    assert failed.task == killed and "exit code -9" in failed.message
    assert events[-1] == workers.Finished(other)
    assert not killed.folder.record.exists()


def test_a_task_names_one_run() -> None:
    assert isinstance(task(Path("here")).run, Run)


def test_workers_map_a_folders_images_and_hold_none_of_their_own(data: Folder) -> None:
    first, second = (source.load(data) for _ in range(2))
    for split in ("train", "test"):
        one, other = (getattr(d, split).images for d in (first, second))
        assert isinstance(one, np.memmap) and isinstance(other, np.memmap)
        assert one.filename == other.filename and not one.flags.writeable

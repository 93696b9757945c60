"""Workers: events in order, a failed run named, a dead worker noticed."""

import itertools
import multiprocessing
import os
import pickle
import signal
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tessera import workers
from tessera.data import source
from tessera.experiment import (
    Cnn,
    Digits,
    Experiment,
    Explain,
    Folder,
    Run,
    Training,
)
from tessera.record import RunFolder

DATA = Digits(image_size=8)


def task(folder: Path, **training: object) -> workers.Task:
    run = Experiment(
        data=DATA,
        models=(Cnn(),),
        training=Training.model_validate({"epochs": 1} | training),
        explain=Explain(examples=0),
        seeds=(0,),
    ).runs()[0]
    return workers.Task(run, RunFolder(folder))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_failed_run_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    bad = task(tmp_path / "bad", learning_rate=1e30)
    good = task(tmp_path / "good")
    events = list(workers.run_all(alone(bad, good), DATA, jobs=1, threads=1))
    (failed,) = (event for event in events if isinstance(event, workers.Failed))
    assert failed.task == bad
    assert failed.message.startswith("TrainingDiverged: epoch 1")
    assert "Traceback" in failed.details
    assert workers.Finished(good) in events
    assert good.folder.record.exists() and not bad.folder.record.exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_starts_then_steps_then_finishes(tmp_path: Path) -> None:
    only = task(tmp_path)
    events = list(workers.run_all(alone(only), DATA, jobs=1, threads=1))
    assert events[0] == workers.Started(only)
    assert events[-1] == workers.Finished(only)
    steps = [event for event in events if isinstance(event, workers.Stepped)]
    positions = [step.epoch + step.fraction for step in steps]
    assert positions == sorted(positions)
    assert [step.row is not None for step in steps].count(True) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_process_that_has_done_its_share_of_runs_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hired: list[workers._Worker] = []
    hire = workers._hire
    monkeypatch.setattr(workers, "RUNS_OF_A_PROCESS", 1)
    monkeypatch.setattr(
        workers, "_hire", lambda *of: hired.append(hire(*of)) or hired[-1]
    )
    both = task(tmp_path / "first"), task(tmp_path / "second")
    events = list(workers.run_all(alone(*both), DATA, jobs=1, threads=1))
    ends = [event for event in events if isinstance(event, workers.Finished)]
    assert ends == [workers.Finished(one) for one in both]
    assert len(hired) == 2
    assert hired[0].process.exitcode == 0


def alone(*tasks: workers.Task) -> list[workers.Group]:
    return [workers.Group((task,)) for task in tasks]


def ended(code: int) -> workers._Worker:
    """A worker whose process has ended."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_die, args=(code,))
    process.start()
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
def test_a_killed_worker_fails_its_run_and_the_others_go_on(tmp_path: Path) -> None:
    tasks = [task(tmp_path / name) for name in "ab"]
    events = []
    for event in workers.run_all(alone(*tasks), DATA, jobs=1, threads=1):
        events.append(event)
        if event == workers.Started(tasks[0]):
            (child,) = multiprocessing.active_children()
            os.kill(child.pid, signal.SIGKILL)
    (failed,) = (event for event in events if isinstance(event, workers.Failed))
    assert failed.task == tasks[0] and "exit code -9" in failed.message
    assert workers.Finished(tasks[1]) in events
    assert not tasks[0].folder.record.exists() and tasks[1].folder.record.exists()


def test_a_task_names_one_run() -> None:
    assert isinstance(task(Path("here")).run, Run)


def test_workers_map_a_folders_images_and_hold_none_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for place in itertools.product(("train", "test"), "ab", "12"):
        path = tmp_path.joinpath("images", *place).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).save(path)
    data = Folder(path=str(tmp_path / "images"), image_size=8)
    first, second = (source.load(data) for _ in range(2))
    for split in ("train", "test"):
        one, other = (getattr(d, split).images for d in (first, second))
        assert isinstance(one, np.memmap) and isinstance(other, np.memmap)
        assert one.filename == other.filename and not one.flags.writeable

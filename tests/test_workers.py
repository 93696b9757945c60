"""Workers: events in order, a failed run named, a dead worker noticed."""

import multiprocessing
from pathlib import Path

import pytest

from tessera import workers
from tessera.experiment import Cnn, Digits, Experiment, Explain, Run, Training
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
    events = list(workers.run_all([bad, good], DATA, jobs=1, threads=1))
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
    events = list(workers.run_all([only], DATA, jobs=1, threads=1))
    assert events[0] == workers.Started(only)
    assert events[-1] == workers.Finished(only)
    steps = [event for event in events if isinstance(event, workers.Stepped)]
    positions = [step.epoch + step.fraction for step in steps]
    assert positions == sorted(positions)
    assert [step.row is not None for step in steps].count(True) == 1


def test_workers_that_all_died_end_the_wait_with_an_error() -> None:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_die)
    process.start()
    process.join()
    (event,) = workers._listen(context.Queue(), [process], expected=1)
    assert isinstance(event, workers.Failed)
    assert "every worker process ended (exit codes 3)" in event.message


def _die() -> None:
    raise SystemExit(3)


def test_progress_is_sent_about_twenty_times_an_epoch() -> None:
    sent: list[workers.Stepped] = []

    class Events:
        def put(self, event: workers.Stepped) -> None:
            sent.append(event)

    report = workers._reporter(Events(), task(Path("unused")))
    for step in range(1, 401):
        report(0, step, 400, None)
    assert 19 <= len(sent) <= 21


def test_a_task_names_one_run() -> None:
    assert isinstance(task(Path("here")).run, Run)

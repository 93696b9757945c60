"""Without a terminal, progress is a plain line for each finished run."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from tessera import workers
from tessera.cli import progress
from tessera.experiment import Experiment, Folder
from tessera.record import RunFolder

RUNS = Experiment().runs()
TASKS = [workers.Task(run, RunFolder(Path(str(i)))) for i, run in enumerate(RUNS[:2])]


def shown(events: list[workers.Event]) -> tuple[str, list[workers.Failed]]:
    text = io.StringIO()
    console = Console(file=text, width=200)
    failures = progress.follow(console, iter(events), TASKS, Experiment().training)
    return text.getvalue(), failures


def test_every_finished_run_is_counted() -> None:
    row = {"val_accuracy": 0.5}
    events: list[workers.Event] = []
    for task in TASKS:
        events += [
            workers.Started(task),
            workers.Stepped(task, 1, 0.0, row),
            workers.Finished(task),
        ]
    text, failures = shown(events)
    assert failures == []
    assert "1/2 runs: cnn, balanced, seed 0" in text
    assert "2/2 runs: cnn, imbalanced, seed 0" in text


def test_a_failure_is_shown_when_it_happens_and_told_again_at_the_end() -> None:
    failed = workers.Failed(TASKS[0], "TrainingDiverged: epoch 1", "Traceback ...")
    text, failures = shown([workers.Started(TASKS[0]), failed])
    assert failures == [failed]
    assert "FAILED: TrainingDiverged: epoch 1" in text
    message = progress.describe_failures(failures, Path("out"))
    assert "cnn, balanced, seed 0: TrainingDiverged: epoch 1" in message
    assert "the same command tries the others again" in message


def test_a_runs_end_is_one_line_however_long_it_is() -> None:
    failed = workers.Failed(TASKS[0], "CannotWrite: " + 30 * "no room ", "")
    text, _ = shown([workers.Started(TASKS[0]), failed])
    (line,) = text.splitlines()
    assert line.endswith(failed.message)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_narrow_terminal_never_says_left_of_the_part_that_is_done(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True)
    board = progress._Board(console, TASKS, Experiment().training, "study")
    board.show(workers.Started(TASKS[0]))
    board.show(workers.Stepped(TASKS[0], 3, 0.0, {"val_accuracy": 0.5}))
    with console.capture() as shown:
        console.print(board.display.get_renderable())
    rows = [line for line in shown.get().splitlines() if "%" in line]
    assert len(rows) == 2
    assert not any(re.search(r"% +left", row) for row in rows)
    assert all(("left" in row) == (width > 40) for row in rows)


def test_a_run_of_a_fold_is_told_with_it() -> None:
    data = Folder(path="photos", folds=3, fold=2)
    run = RUNS[0].model_copy(update={"data": data})
    failed = workers.Failed(workers.Task(run, TASKS[0].folder), "TrainingDiverged", "")
    told = progress.describe_failures([failed], Path("out"))
    assert "cnn, balanced, seed 0, fold 2: TrainingDiverged" in told


def test_only_a_fault_of_ours_is_told_with_its_traceback() -> None:
    mendable = workers.Failed(TASKS[0], "CannotWrite: no room", "Traceback: no room")
    ours = workers.Failed(TASKS[1], "KeyError: 'a'", "Traceback: in our code")
    assert "Traceback" not in progress.describe_failures([mendable], Path("out"))
    both = progress.describe_failures([mendable, ours], Path("out"))
    assert "in our code" in both and "Traceback: no room" not in both


def test_a_dead_worker_needs_no_task() -> None:
    dead = workers.Failed(None, "every worker process ended", "")
    assert "worker: every worker process ended" in progress.describe_failures(
        [dead], Path("out")
    )


def test_nothing_to_do_shows_nothing() -> None:
    console = Console(file=io.StringIO())
    assert progress.follow(console, iter([]), [], Experiment().training) == []

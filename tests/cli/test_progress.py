"""Without a terminal, progress is a plain line for each finished run."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tessera import study, workers
from tessera.catalogue import named
from tessera.cli import progress
from tessera.data.dataset import Dataset, Split
from tessera.experiment import (
    Experiment,
    Fractions,
    Natural,
    Profile,
    Reduced,
    Regime,
)
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


def test_runs_on_the_device_are_counted_apart_from_those_that_train_nothing() -> None:
    heir = workers.Task(RUNS[2], RunFolder(Path("2")), donor=TASKS[0].folder)
    program = workers.Group(tuple(TASKS), resident=True)
    text = io.StringIO()
    console = Console(file=text, width=200)
    progress.grouped(console, [program])
    progress.grouped(console, [program, workers.Group((heir,))])
    first, second = text.getvalue().splitlines()
    assert first.startswith("on the device: 2 runs as 1 program; how long")
    assert "1 program, and 1 run without a training of their own; how" in second


def dataset(names: tuple[str, ...], *notes: str) -> Dataset:
    labels = np.tile(np.arange(len(names), dtype=np.int32), 5)
    split = Split(np.zeros((len(labels), 8, 8, 3), np.uint8), labels)
    return Dataset("made up", names, split, split, None, "f" * 64, notes)


def announced(names: tuple[str, ...], experiment: Experiment) -> str:
    text = io.StringIO()
    nothing = study.Progress(finished=(), missing=())
    console = Console(file=text, width=200)
    progress.announce(console, experiment, dataset(names), nothing, 1)
    return text.getvalue()


def test_what_a_reader_should_know_is_said_of_the_data_and_of_the_remedies() -> None:
    text = io.StringIO()
    data = dataset(("cat", "dog"), "1 of 9 files cannot be used.")
    experiment = Experiment(
        regimes=(
            Regime(name="plain", profile=Natural()),
            Regime(name="odd", profile=Natural(), remedy=named("focal-sigmoid")),
        )
    )
    progress.remarks(Console(file=text, width=200), experiment, data)
    first, middle, second = text.getvalue().splitlines()
    assert first == "note: 1 of 9 files cannot be used."
    assert middle.startswith("note: A mirrored digit is another sign")  # the default
    assert second.startswith("note: odd: The sigmoid focal loss trains")


NUMBERS = tuple(sorted(str(number) for number in range(12)))
"""Classes called by numbers sort as text: 0, 1, 10, 11, 2, 3 and so on."""


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (Reduced(), "reduced, classes 11, 2 and 3, fraction 0.2: cut (plain)"),
        (Reduced(classes=("3",)), "reduced, classes 3, fraction 0.2: cut (plain)"),
        (Reduced(classes=(5,)), "reduced, classes 3, fraction 0.2: cut (plain)"),
        (
            Fractions(fractions={"11": 0.5, "2": 0.25}),
            "fractions, fractions 0.5 of 11 and 0.25 of 2: cut (plain)",
        ),
    ],
)
def test_the_classes_of_a_profile_are_called_by_the_names_that_are_meant(
    profile: Profile, said: str
) -> None:
    experiment = Experiment(regimes=(Regime(name="cut", profile=profile),))
    assert said in announced(NUMBERS, experiment).splitlines()

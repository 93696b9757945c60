"""Before anything is trained it is said what there is to do and how long it takes."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tessera import estimate, study, workers
from tessera.catalogue import named
from tessera.cli import announcing
from tessera.data.dataset import Dataset, Split
from tessera.estimate import Speed
from tessera.experiment import (
    Experiment,
    Folder,
    Fractions,
    Natural,
    Profile,
    Reduced,
    Regime,
    Step,
    Training,
)
from tessera.record import RunFolder

RUNS = Experiment().runs()
TASKS = [workers.Task(run, RunFolder(Path(str(i)))) for i, run in enumerate(RUNS[:2])]


def test_runs_on_the_device_are_counted_apart_from_those_that_train_nothing() -> None:
    heir = workers.Task(RUNS[2], RunFolder(Path("2")), donor=TASKS[0].folder)
    program = workers.Group(tuple(TASKS), resident=True)
    text = io.StringIO()
    console = Console(file=text, width=200)
    announcing.grouped(console, [program])
    announcing.grouped(console, [program, workers.Group((heir,))])
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
    work = announcing.Work(experiment, dataset(names), Path("out"), nothing)
    announcing.announce(Console(file=text, width=200), [work], 1)
    return text.getvalue()


def test_what_a_reader_should_know_is_said_of_the_data_and_of_the_remedies() -> None:
    text = io.StringIO()
    data = dataset(("cat", "dog"), "1 of 9 files cannot be used.")
    experiment = Experiment(
        regimes=(
            Regime(name="plain", profile=Natural()),
            Regime(name="odd", profile=Natural(), remedy=named("focal-sigmoid")),
        ),
        training=Training(epochs=200),
    )
    announcing.remarks(Console(file=text, width=200), experiment, data)
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
        (
            Step(factor=5, selection="reference"),
            "step, selection reference, factor 5: cut (plain)",
        ),
    ],
)
def test_the_classes_of_a_profile_are_called_by_the_names_that_are_meant(
    profile: Profile, said: str
) -> None:
    experiment = Experiment(regimes=(Regime(name="cut", profile=profile),))
    assert said in announced(NUMBERS, experiment).splitlines()


def folds(*notes: str) -> list[announcing.Work]:
    """Three folds of 15 images, of which 2, 1 and no runs are to do."""
    works = []
    for number, note in enumerate(notes, 1):
        data = Folder(path="photos", folds=3, fold=number)
        fold = Experiment(data=data, regimes=(Regime(name="as-is", profile=Natural()),))
        tasks = tuple(workers.Task(run, RunFolder(Path())) for run in fold.runs())
        todo = 3 - number
        survey = study.Progress(finished=tasks[todo:], missing=tasks[:todo])
        whole = dataset(("cat", "dog", "owl"), f"Fold {number}.", *note.split("|"))
        works.append(announcing.Work(fold, whole, Path(), survey))
    return works


def test_folds_are_announced_as_one_study() -> None:
    text = io.StringIO()
    announcing.announce(Console(file=text, width=200), folds("", "", ""), 2)
    first, _, last = text.getvalue().splitlines()
    assert "30 images, each tested in one of 3 folds, 3 classes" in first
    assert last.startswith("3 models x 1 regime x 2 seeds x 3 folds = 18 runs of")
    assert last.endswith("15 finished, 3 to do, 2 at a time")


@pytest.mark.parametrize(
    "missing,end", [(2, "4 finished, 2 to do, 2 at a time"), (0, "6 finished, 0 to do")]
)
def test_no_more_runs_are_said_to_go_on_at_a_time_than_there_are_to_do(
    missing: int, end: str
) -> None:
    (work, *_) = folds("")
    tasks = work.survey.finished + work.survey.missing
    survey = study.Progress(finished=tasks[missing:], missing=tasks[:missing])
    text = io.StringIO()
    works = [replace(work, survey=survey)]
    announcing.announce(Console(file=text, width=200), works, 50)
    assert text.getvalue().splitlines()[-1].endswith(end)


def test_what_every_fold_notes_is_remarked_once() -> None:
    text = io.StringIO()
    works = folds("All.|First.", "All.", "All.")
    datasets = [work.dataset for work in works]
    console = Console(file=text, width=200)
    announcing.remarks(console, works[0].experiment, *datasets)
    first, short, last = text.getvalue().splitlines()
    assert (first, last) == ("note: All.", "note: Fold 1: First.")
    assert short.startswith("note: 8 epochs in batches of 128 are 8 steps")


def test_the_time_is_that_of_all_folds_one_after_another_after_one_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    speeds = {model: Speed(1.0, 0.1) for model in ("cnn", "transformer", "hybrid")}
    monkeypatch.setattr(estimate, "speeds", lambda *_, **__: speeds)
    monkeypatch.setattr(estimate, "START", 600.0)
    text, works = io.StringIO(), folds("", "", "")
    console = Console(file=text, width=200)
    announcing.foretell(console, works, jobs=1, threads=1)
    alone = [
        estimate.seconds(one.survey.missing, one.dataset, speeds, jobs=1)
        for one in works
    ]
    assert alone[0] > alone[1] > alone[2] == 0
    minutes = f"about {10 + sum(alone) / 60:.0f} minutes"
    assert text.getvalue().startswith(f"time: {minutes}")
    assert minutes != f"about {10 + alone[0] / 60:.0f} minutes"

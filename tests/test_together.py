"""Which runs are one program, and that their folders are those of ordinary runs."""

import contextlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import toy_run

from tessera import files, locks, selection, study, together, workers
from tessera.catalogue import named
from tessera.data import source
from tessera.experiment import (
    Cnn,
    Digits,
    Experiment,
    Explain,
    Hybrid,
    Reduced,
    Regime,
    Run,
    Training,
)
from tessera.record import Record, RunFolder

jax_only = pytest.mark.skipif(
    keras.backend.backend() != "jax",
    reason="needs the JAX backend; training/test_seeds.py runs this file there",
)


def experiment(*remedies: str, **training: Any) -> Experiment:
    return Experiment(
        data=Digits(image_size=8),
        models=(Cnn(), Hybrid()),
        regimes=tuple(
            Regime(name=name, profile=Reduced(), remedy=named(name))
            for name in remedies
        ),
        training=Training.model_validate({"epochs": 2} | training),
        explain=Explain(examples=0),
        seeds=(0, 1, 2),
    )


def tasks(asked: Experiment) -> list[workers.Task]:
    return [
        workers.Task(run, RunFolder(Path(run.cell) / str(run.seed)))
        for run in asked.runs()
    ]


def cells(groups: tuple[workers.Group, ...]) -> list[tuple[str, list[int]]]:
    return [
        (group.tasks[0].run.cell, [task.run.seed for task in group.tasks])
        for group in groups
    ]


def test_the_seeds_of_a_cell_are_a_group_and_every_run_is_in_one() -> None:
    found = together.groups(tasks(experiment("plain", "class-weights")), 5)
    assert cells(found) == [
        ("cnn--plain", [0, 1, 2]),
        ("cnn--class-weights", [0, 1, 2]),
        ("hybrid--plain", [0, 1, 2]),
        ("hybrid--class-weights", [0, 1, 2]),
    ]
    assert all(group.resident for group in found)


def test_a_group_has_no_more_seeds_than_were_asked_for() -> None:
    found = together.groups(tasks(experiment("plain")), 2)
    sizes = [len(seeds) for _, seeds in cells(found)]
    assert sizes == [2, 1, 2, 1]


def test_without_a_number_every_run_is_trained_step_by_step() -> None:
    asked = tasks(experiment("plain"))
    found = together.groups(asked, None)
    assert [group.tasks for group in found] == [(task,) for task in asked]
    assert not any(group.resident for group in found)


@pytest.mark.parametrize("remedy,training", [("crt", {}), ("plain", {"patience": 3})])
def test_a_second_stage_and_an_early_end_are_parts_of_the_program(
    remedy: str, training: dict[str, Any]
) -> None:
    found = together.groups(tasks(experiment(remedy, **training)), 5)
    assert [group.resident for group in found] == [True, True]


def test_a_run_that_takes_anothers_training_over_goes_alone() -> None:
    first, _, second, *_ = tasks(experiment("plain"))
    heir = workers.Task(first.run, first.folder, donor=RunFolder(Path("donor")))
    found = together.groups([heir, first, second], 5)
    assert [(g.tasks, g.resident) for g in found] == [
        ((heir,), False),
        ((first, second), True),
    ]


@pytest.mark.parametrize("which", ["seeded", "reference"])
def test_a_cells_seeds_train_on_as_many_images_of_every_class(which: str) -> None:
    profile = Reduced(fraction=0.33, selection=which)
    asked = experiment("plain").model_copy(
        update={"regimes": (Regime(name="cut", profile=profile),), "models": (Cnn(),)}
    )
    dataset = source.load(asked.data)
    first, *others = (selection.choose(run, dataset) for run in asked.runs()[:3])
    for one in others:
        np.testing.assert_array_equal(one.counts, first.counts)
        assert len(one.validation) == len(first.validation)


def test_runs_that_another_command_is_at_are_left_to_it(tmp_path: Path) -> None:
    group = [
        workers.Task(run, RunFolder(tmp_path / run.cell / str(run.seed)))
        for run in experiment("plain").runs()[:2]
    ]
    events: list[workers.Event] = []
    with contextlib.ExitStack() as commands:
        for task in group:
            commands.enter_context(locks.held(task.folder.path))
        data: Any = None  # Nothing is looked at.
        together.carry_out(group, data, threads=1, send=events.append)
    assert [type(event) for event in events] == [workers.Started, workers.Failed] * 2
    assert "another tessera command is working in" in str(events)


def test_a_run_that_another_command_has_finished_meanwhile_is_not_repeated(
    tmp_path: Path,
) -> None:
    run = toy_run.experiment([Cnn()]).runs()[0]
    done = workers.Task(run, RunFolder(tmp_path))
    toy_run.write_run(done.folder, run)
    events: list[workers.Event] = []
    together.carry_out([done], toy_run.digits(), threads=1, send=events.append)
    assert events == [workers.Started(done), workers.Finished(done)]


def two_seeds() -> Experiment:
    """An epoch of one step each: the smallest program there is to compile."""
    return experiment("class-weights", epochs=1, batch_size=2000).model_copy(
        update={"models": (Cnn(),), "seeds": (0, 1)}
    )


@jax_only
@pytest.mark.slow
def test_one_run_that_another_command_is_at_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    asked = two_seeds()
    dataset = source.load(asked.data)
    taken, free = study.survey(asked, dataset, tmp_path).missing
    events: list[workers.Event] = []
    with locks.held(taken.folder.path):
        together.carry_out([taken, free], dataset, threads=1, send=events.append)
    ends = [e for e in events if isinstance(e, workers.Finished | workers.Failed)]
    assert [type(end) for end in ends] == [workers.Failed, workers.Finished]
    assert free.folder.record.exists() and not taken.folder.record.exists()
    with locks.held(free.folder.path):
        pass


class Killed(BaseException):
    """Stands for the end of the process."""


@jax_only
@pytest.mark.slow
def test_killed_half_way_the_finished_run_counts_and_the_rest_is_done(
    tmp_path: Path,
) -> None:
    asked = two_seeds()
    dataset = source.load(asked.data)

    def missing() -> tuple[workers.Task, ...]:
        return study.survey(asked, dataset, tmp_path).missing

    def carry_out(events: list[workers.Event], *, until: type | None = None) -> None:
        def send(event: workers.Event) -> None:
            events.append(event)
            if until is not None and isinstance(event, until):
                raise Killed

        (group,) = together.groups(missing(), 5)
        assert group.resident
        together.carry_out(group.tasks, dataset, threads=1, send=send)

    first: list[workers.Event] = []
    with pytest.raises(Killed):
        carry_out(first, until=workers.Finished)
    (left,) = missing()
    assert left.run.seed == 1

    second: list[workers.Event] = []
    carry_out(second)
    assert missing() == ()
    kinds = [type(event).__name__ for event in second]
    assert kinds == ["Started", "Stepped", "Finished"]

    for run in asked.runs():
        check_folder(run, study.survey(asked, dataset, tmp_path), dataset)


def check_folder(run: Run, progress: study.Progress, dataset: Any) -> None:
    """Weights, history, predictions and record belong to one another."""
    (task,) = (task for task in progress.finished if task.run == run)
    record = Record.model_validate_json(task.folder.record.read_bytes())
    assert any("on the device" in note for note in record.notes)
    assert record.images_per_second > 0
    history = task.folder.history.read_text().splitlines()
    assert len(history) == 1 + run.training.epochs
    stored = files.read_arrays(task.folder.predictions)
    model = keras.saving.load_model(task.folder.model, compile=False)
    answers = np.asarray(model(dataset.test.images.astype(np.float32)))
    assert (answers.argmax(1) == stored["logits"].argmax(1)).mean() > 0.99

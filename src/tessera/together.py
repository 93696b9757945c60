"""Which runs are trained as one program on the device, and how that is carried out.

Everything before and after the training is `pipeline`'s, run by run: a study's folders
cannot tell how a run was trained, but for a note in its record.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tessera import execution, locks, workers
from tessera.data.dataset import Dataset
from tessera.experiment import Run
from tessera.workers import Event, Group, Started, Task

if TYPE_CHECKING:
    from tessera.training.fit import Fitted, Job


def groups(tasks: Sequence[Task], seeds: int | None) -> tuple[Group, ...]:
    """Runs that differ in nothing but the seed, together.

    Such runs have as many images and steps each: a profile and the validation split
    keep numbers of images that do not depend on the seed. A run that takes the training
    of another one over has nothing to train, and is alone.

    Args:
        tasks: Runs on one dataset.
        seeds: The most in one group; None: every run is trained step by step.

    Returns:
        Every task once, in the order of each group's first.
    """
    if seeds is None:
        return tuple(Group((task,)) for task in tasks)
    cells: dict[Run | Task, list[Task]] = {}
    for task in tasks:
        seedless = task.run.model_copy(update={"seed": 0})
        cells.setdefault(task if task.donor else seedless, []).append(task)
    return tuple(
        Group(tuple(cell[start : start + seeds]), resident=cell[0].donor is None)
        for cell in cells.values()
        for start in range(0, len(cell), seeds)
    )


def carry_out(
    tasks: Sequence[Task],
    dataset: Dataset,
    *,
    threads: int,
    send: Callable[[Event], None],
) -> None:
    """Train the tasks of a resident group at once, then finish one after another.

    A run that another command is at is left to it, as `execution.carry_out` does.

    Args:
        tasks: Runs that differ in their seeds.
        dataset: Their data.
        threads: Of this process, for the records.
        send: Told of the start, every epoch and the end of each task.
    """
    with contextlib.ExitStack() as folders:
        free = [task for task in tasks if claimed(task, dataset, folders, send)]
        if free:
            execute(free, dataset, threads=threads, send=send)


def claimed(
    task: Task,
    dataset: Dataset,
    folders: contextlib.ExitStack,
    send: Callable[[Event], None],
) -> bool:
    """Keep others out of the task's folder until `folders` is closed.

    Returns:
        Whether there is something to do: no other command is at it or has finished it.
    """
    send(Started(task))
    try:
        folders.enter_context(locks.held(task.folder.path))
        execution.hold_to_images(task, dataset)
    except Exception as error:
        send(execution.failed(task, error))
        return False
    if execution.is_finished(task, dataset):
        send(workers.Finished(task))
        return False
    return True


def execute(
    tasks: Sequence[Task],
    dataset: Dataset,
    *,
    threads: int,
    send: Callable[[Event], None],
) -> None:
    """As `carry_out`, by one who keeps others out of the tasks' folders already."""
    try:
        trained = train(tasks, dataset, send)
    except Exception as error:
        for task in tasks:
            send(execution.failed(task, error))
        return
    for task, fitted in zip(tasks, trained, strict=True):
        if isinstance(fitted, Exception):
            send(execution.failed(task, fitted))
        else:
            how: dict[str, Any] = {"threads": threads, "fitted": fitted}
            send(execution.execute(task, dataset, send=send, **how))


def train(
    tasks: Sequence[Task], dataset: Dataset, send: Callable[[Event], None]
) -> Sequence["Fitted | Exception"]:
    """What each task's training came to; weights lie in the tasks' folders."""
    from tessera import runtime
    from tessera.training import seeds

    runtime.make_deterministic(tasks[0].run.seed)
    return seeds.fit([job(task, dataset, send) for task in tasks])


def job(task: Task, dataset: Dataset, send: Callable[[Event], None]) -> "Job":
    """A task's training, as `pipeline` would begin it."""
    from tessera import pipeline, selection
    from tessera.models import build

    run = task.run
    chosen = selection.choose(run, dataset)
    net = build.for_run(run, dataset.image_shape, len(dataset.class_names))
    report = execution.reporter(send, task)
    return pipeline.job(run, net, dataset, chosen, folder=task.folder, report=report)

"""A task carried out in this process: what it comes to is an event, never an error."""

import contextlib
import traceback
from collections.abc import Callable
from typing import Any, TypeAlias

from tessera import checkpoint, locks
from tessera.data.dataset import DataError
from tessera.experiment import Run
from tessera.record import Record, RunFolder, finished
from tessera.workers import Event, Failed, Finished, Stepped, Task

Send: TypeAlias = Callable[[Event], None]


def is_finished(task: Task, dataset: Any) -> bool:
    """Whether the folder holds a whole record of just this run on just this data."""
    return finished(task.folder, task.run.digest(dataset.fingerprint)) is not None


def hold_to_images(task: Task, dataset: Any) -> None:
    """Refuse to train on other images than those that the command began with.

    Raises:
        DataError: The folder of images has changed since.
    """
    if task.digest not in (None, task.run.digest(dataset.fingerprint)):
        raise DataError(
            f"{dataset.name}: expected the images that the command began with. "
            "Received: others, so the folder was changed meanwhile. Put it back and "
            "give the same command again; on the images as they are now, all runs "
            "start over."
        )


def tidy(task: Task, dataset: Any) -> None:
    """Leave a finished run without checkpoints, unless another command is at it."""
    if task.folder.checkpoints.exists():
        with contextlib.suppress(locks.FolderInUse), locks.held(task.folder.path):
            known(task.run, dataset, task.folder)


def known(run: Run, dataset: Any, folder: RunFolder) -> Record | None:
    """A run's record, if it is finished; by one who keeps others out of its folder.

    Of one that was killed once its record was written the checkpoints go.
    """
    record = finished(folder, run.digest(dataset.fingerprint))
    if record is not None:
        checkpoint.clear(folder.checkpoints)
    return record


def carry_out(task: Task, dataset: Any, *, send: Send, **how: Any) -> Finished | Failed:
    """Execute a task in this process, and say how it ended.

    A run that another command is at, `tessera train` say, is left to it, and one that
    another has finished in the meantime is finished. `send` is told of every training
    step; `how` is passed on to `pipeline.execute`.
    """
    try:
        with locks.held(task.folder.path):
            hold_to_images(task, dataset)
            if is_finished(task, dataset):
                return Finished(task)
            return execute(task, dataset, send=send, **how)
    except Exception as error:
        return failed(task, error)


def execute(task: Task, dataset: Any, *, send: Send, **how: Any) -> Finished | Failed:
    """As `carry_out`, by one who keeps others out of the task's folder already."""
    from tessera import pipeline

    report = reporter(send, task)
    try:
        pipeline.execute(
            task.run, dataset, task.folder, donor=task.donor, report=report, **how
        )
        return Finished(task)
    except Exception as error:
        return failed(task, error)


def failed(task: Task, error: Exception) -> Failed:
    """What is said of a run that ended in an error."""
    message = f"{type(error).__name__}: {error}"
    return Failed(task, message, "".join(traceback.format_exception(error)))


def reporter(send: Send, task: Task) -> Any:
    """A training's report function: sends each finished twentieth of an epoch."""
    last = -1.0

    def report(epoch: int, done: int, steps: int, row: dict[str, float] | None) -> None:
        nonlocal last
        position = epoch + done / steps
        if row is not None or position - last >= 0.05:
            last = position
            send(Stepped(task, epoch, done / steps, row))

    return report

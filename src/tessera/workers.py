"""Runs side by side: a few long-lived processes that take one group after another.

A process of its own keeps TensorFlow's memory and seeds apart from the command's; a
long-lived one loads TensorFlow and the dataset once for many runs. The state of a study
lies in its folders, so a process that dies loses the run it was at and nothing else;
another takes its place. Each has a pipe of its own: a queue that all share is lost,
lock and all, with the first process that is killed while it holds the lock.
"""

import contextlib
import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any

from tessera import files, processes, runtime
from tessera.data.dataset import DataError
from tessera.experiment import Data, Run
from tessera.record import RunFolder

RUNS_OF_A_PROCESS = 25
"""TensorFlow keeps some megabytes of every training until its process ends: after so
many runs another takes its place."""


@dataclass(frozen=True)
class Task:
    """One run and the folder it fills."""

    run: Run
    folder: RunFolder
    donor: RunFolder | None = None
    """Of the run that differs only in what is done after training."""
    digest: str | None = None
    """Of the run on the images that the command found; None: on whichever there are."""


@dataclass(frozen=True)
class Group:
    """What a worker takes at once."""

    tasks: tuple[Task, ...]
    resident: bool = False
    """Whether these are one program with its images on the device, see `together`;
    else there is one task, trained step by step."""


@dataclass(frozen=True)
class Started:
    """A worker took a task."""

    task: Task


@dataclass(frozen=True)
class Stepped:
    """A task's training advanced."""

    task: Task
    epoch: int
    """Finished epochs."""
    fraction: float
    """Of the epoch under way."""
    row: dict[str, float] | None
    """The history row, when an epoch has just finished."""


@dataclass(frozen=True)
class Finished:
    """A task's record is written."""

    task: Task


@dataclass(frozen=True)
class Failed:
    """A task ended in an error; the others go on."""

    task: Task | None
    """None: the workers died before they took any."""
    message: str
    details: str


Event = Started | Stepped | Finished | Failed


def run_all(
    groups: Sequence[Group], data: Data, *, jobs: int, threads: int
) -> Generator[Event]:
    """Yield what happens while `jobs` processes work through the groups.

    Closing the generator, as an exception in its consumer does, ends the processes.

    Args:
        groups: Runs on one dataset.
        data: Where every worker loads it from.
        jobs: Processes at a time.
        threads: Threads of each.
    """
    waiting = deque(groups)
    crew = [_hire(data, threads) for _ in range(jobs)]
    try:
        yield from _lead(crew, waiting, lambda: _hire(data, threads))
    finally:
        for worker in crew:
            worker.process.terminate()
        for worker in crew:
            worker.process.join()
            worker.pipe.close()
            for task in worker.tasks:
                files.sweep(task.folder.path)


@dataclass(eq=False)
class _Worker:
    """A process, our end of its pipe, and the tasks that it has still to end."""

    process: BaseProcess
    pipe: Any
    tasks: list[Task] = field(default_factory=list)


def _hire(data: Data, threads: int) -> _Worker:
    ours, theirs = multiprocessing.Pipe()
    arguments = (theirs, data, threads, RUNS_OF_A_PROCESS)
    process = processes.start(_work, arguments, threads=threads)
    # Only the process holds its end now, so that its death closes the pipe.
    theirs.close()
    return _Worker(process, ours)


def _lead(
    crew: list[_Worker], waiting: deque[Group], hire: Callable[[], _Worker]
) -> Iterator[Event]:
    """Hand groups out and pass events on until every task ended.

    `crew` is changed in place: who has done its share or died leaves it and, if there
    is work, is replaced. Those who died before they took a task are not, because others
    would too.
    """
    reasons: set[str] = set()
    started: set[Task] = set()
    idle: list[_Worker] = []
    while (waiting or any(worker.tasks for worker in crew)) and crew:
        for pipe in connection.wait([worker.pipe for worker in crew]):
            worker = next(worker for worker in crew if worker.pipe is pipe)
            event = _receive(worker)
            if isinstance(event, _Gone):
                crew.remove(worker)
                reasons.add(f"exit code {event.code}")
                if worker.tasks and waiting:
                    crew.append(hire())
                for task in worker.tasks:
                    if task not in started:
                        yield Started(task)
                    yield Failed(task, _death(event.code), "")
            elif isinstance(event, _Relieved):
                crew.remove(worker)
                worker.process.join()
                worker.pipe.close()
                if event.why:
                    reasons.add(event.why)
                elif waiting:
                    crew.append(hire())
            elif event is not None:
                if isinstance(event, Started):
                    started.add(event.task)
                elif isinstance(event, Finished | Failed) and event.task is not None:
                    worker.tasks.remove(event.task)
                yield event
            else:
                idle.append(worker)
        idle = [worker for worker in idle if worker in crew]
        while idle and (group := _take(waiting, crew)):
            worker = idle.pop(0)
            worker.tasks = list(group.tasks)
            _send(worker, group)
    if waiting:
        message = f"every worker process ended ({'; '.join(sorted(reasons))})"
        yield Failed(None, message, "")


def _take(waiting: deque[Group], crew: Sequence[_Worker]) -> Group | None:
    """The first waiting group that takes no training over which is still to be done."""
    undone = {task.folder.path for group in waiting for task in group.tasks}
    undone |= {task.folder.path for worker in crew for task in worker.tasks}
    for group in waiting:
        if not any(task.donor and task.donor.path in undone for task in group.tasks):
            waiting.remove(group)
            return group
    return None


@dataclass(frozen=True)
class _Gone:
    """A process ended."""

    code: str


@dataclass(frozen=True)
class _Relieved:
    """A process has done its share, or cannot do any, and ends."""

    why: str = ""
    """What keeps it, and every other, from working."""


def _receive(worker: _Worker) -> Any:
    """The worker's next event; None: it is ready for a task."""
    try:
        return worker.pipe.recv()
    # A message cut short by a kill can be anything, not only an end of file.
    except Exception:
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        return _Gone(str(worker.process.exitcode))


def _send(worker: _Worker, group: Group) -> None:
    with contextlib.suppress(OSError):  # It has just died; its pipe says so next.
        worker.pipe.send(group)


def _death(code: str) -> str:
    return (
        f"its process was ended from outside (exit code {code}), most often by the "
        "system for lack of memory: try fewer --jobs. The same command goes on with it"
    )


def _work(pipe: Any, data: Data, threads: int, most: int) -> None:
    """A worker's life: load the data, then do `most` groups."""
    from tessera import execution, together
    from tessera.data import source

    try:
        dataset = source.load(data)
    except DataError as error:  # the command itself could read it
        pipe.send(_Relieved(str(error)))
        return
    for _ in range(most):
        pipe.send(None)
        group = pipe.recv()
        if group.resident:
            together.carry_out(group.tasks, dataset, threads=threads, send=pipe.send)
        else:
            (task,) = group.tasks
            pipe.send(Started(task))
            how: dict[str, Any] = {"threads": threads, "send": pipe.send}
            pipe.send(execution.carry_out(task, dataset, **how))
        runtime.forget()
    pipe.send(_Relieved())

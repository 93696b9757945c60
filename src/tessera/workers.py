"""Runs side by side: a few long-lived processes that take one run after another.

A process of its own keeps TensorFlow's memory and seeds apart from the command's; a
long-lived one loads TensorFlow and the dataset once. The state of a study lies in its
folders, so a process that dies loses the run it was at and nothing else; another takes
its place. Each has a pipe of its own: a queue that all share is lost, lock and all,
with the first process that is killed while it holds the lock.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any

from tessera import files, runtime
from tessera.experiment import Data, Run
from tessera.record import RunFolder


@dataclass(frozen=True)
class Task:
    """One run and the folder it fills."""

    run: Run
    folder: RunFolder
    donor: RunFolder | None = None
    """Of the run that differs only in what is done after training."""


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
    tasks: Sequence[Task], data: Data, *, jobs: int, threads: int
) -> Generator[Event]:
    """Yield what happens while `jobs` processes work through the tasks.

    Closing the generator, as an exception in its consumer does, ends the processes.

    Args:
        tasks: Runs on one dataset.
        data: Where every worker loads it from.
        jobs: Processes at a time.
        threads: Threads of each.
    """
    waiting = deque(tasks)
    crew = [_hire(data, threads) for _ in range(jobs)]
    try:
        yield from _lead(crew, waiting, lambda: _hire(data, threads))
    finally:
        for worker in crew:
            worker.process.terminate()
        for worker in crew:
            worker.process.join()
            worker.pipe.close()
            if worker.task is not None:
                files.sweep(worker.task.folder.path)


@dataclass(eq=False)
class _Worker:
    """A process, our end of its pipe, and the task it is at."""

    process: BaseProcess
    pipe: Any
    task: Task | None = None


def _hire(data: Data, threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, data, threads), daemon=True)
    process.start()
    # Only the process holds its end now, so that its death closes the pipe.
    theirs.close()
    return _Worker(process, ours)


def _lead(
    crew: list[_Worker], waiting: deque[Task], hire: Callable[[], _Worker]
) -> Iterator[Event]:
    """Hand tasks out and pass events on until every task ended.

    `crew` is changed in place: the dead leave it, and those who died at a task are
    replaced. Those who died before they took one are not, because others would too.
    """
    codes: set[str] = set()
    left = len(waiting) + sum(worker.task is not None for worker in crew)
    while left and crew:
        for pipe in connection.wait([worker.pipe for worker in crew]):
            worker = next(worker for worker in crew if worker.pipe is pipe)
            event = _receive(worker)
            if isinstance(event, _Gone):
                crew.remove(worker)
                codes.add(event.code)
                if worker.task is None:
                    continue
                if waiting:
                    crew.append(hire())
                event = Failed(worker.task, _death(event.code), "")
            if isinstance(event, Finished | Failed):
                left -= 1
                worker.task = None
            if event is not None:
                yield event
            elif waiting:
                worker.task = waiting.popleft()
                _send(worker, worker.task)
    if left:
        message = f"every worker process ended (exit codes {', '.join(sorted(codes))})"
        yield Failed(None, message, "")


@dataclass(frozen=True)
class _Gone:
    """A process ended."""

    code: str


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


def _send(worker: _Worker, task: Task) -> None:
    with contextlib.suppress(OSError):  # It has just died; its pipe says so next.
        worker.pipe.send(task)


def _death(code: str) -> str:
    return (
        f"its process was ended from outside (exit code {code}), most often by the "
        "system for lack of memory: try fewer --jobs. The same command goes on with it"
    )


def _work(pipe: Any, data: Data, threads: int) -> None:
    """A worker's life: load the framework and the data, then do task after task."""
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    runtime.prepare(threads)
    runtime.load_backend()
    from tessera import pipeline
    from tessera.data import source

    dataset = source.load(data)
    while True:
        pipe.send(None)
        task = pipe.recv()
        pipe.send(Started(task))
        try:
            pipeline.execute(
                task.run,
                dataset,
                task.folder,
                threads=threads,
                donor=task.donor,
                report=_reporter(pipe.send, task),
            )
            pipe.send(Finished(task))
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            pipe.send(Failed(task, message, traceback.format_exc()))
        runtime.forget()


def _reporter(send: Callable[[Event], None], task: Task) -> Any:
    """A training's report function: sends each finished twentieth of an epoch."""
    last = -1.0

    def report(epoch: int, done: int, steps: int, row: dict[str, float] | None) -> None:
        nonlocal last
        position = epoch + done / steps
        if row is not None or position - last >= 0.05:
            last = position
            send(Stepped(task, epoch, done / steps, row))

    return report


def _die_with_parent() -> None:
    """End this process when the command that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(process: Any = parent) -> None:
        process.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

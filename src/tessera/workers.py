"""Runs side by side: a few long-lived processes that take one run after another.

A process of its own keeps TensorFlow's memory and seeds apart from the command's; a
long-lived one loads TensorFlow and the dataset once. The state of a study lies in its
folders, so a process that dies loses the run it was at and nothing else.
"""

import multiprocessing
import multiprocessing.queues
import os
import queue
import signal
import threading
import traceback
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

from tessera import runtime
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
    """None: the worker itself died."""
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
    context = multiprocessing.get_context("spawn")
    waiting: Any = context.Queue()
    events: Any = context.Queue()
    for item in [*tasks, *[None] * jobs]:
        waiting.put(item)
    processes = [
        context.Process(
            target=_work, args=(waiting, events, data, threads), daemon=True
        )
        for _ in range(jobs)
    ]
    for process in processes:
        process.start()
    try:
        yield from _listen(events, processes, expected=len(tasks))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _listen(
    events: Any, processes: Sequence[BaseProcess], *, expected: int
) -> Iterator[Event]:
    """Events until every task ended, or no process is left to end one."""
    ended = 0
    while ended < expected:
        try:
            event = events.get(timeout=0.5)
        except queue.Empty:
            if any(process.is_alive() for process in processes):
                continue
            codes = ", ".join(sorted({str(p.exitcode) for p in processes}))
            message = f"every worker process ended (exit codes {codes})"
            yield Failed(None, message, "")
            return
        ended += isinstance(event, Finished | Failed)
        yield event


def _work(waiting: Any, events: Any, data: Data, threads: int) -> None:
    """A worker's life: load the framework and the data, then do task after task."""
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    runtime.prepare(threads)
    runtime.load_backend()
    from tessera import pipeline
    from tessera.data import source

    dataset = source.load(data)
    for task in iter(waiting.get, None):
        events.put(Started(task))
        try:
            pipeline.execute(
                task.run,
                dataset,
                task.folder,
                threads=threads,
                donor=task.donor,
                report=_reporter(events, task),
            )
            events.put(Finished(task))
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            events.put(Failed(task, message, traceback.format_exc()))


def _reporter(events: Any, task: Task) -> Any:
    """A training's report function: sends each finished twentieth of an epoch."""
    last = -1.0

    def report(epoch: int, done: int, steps: int, row: dict[str, float] | None) -> None:
        nonlocal last
        position = epoch + done / steps
        if row is not None or position - last >= 0.05:
            last = position
            events.put(Stepped(task, epoch, done / steps, row))

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

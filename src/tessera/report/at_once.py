"""Work of Python's own on every core, by forks of this process.

Threads would not help: what draws holds the interpreter. A fork costs milliseconds and
has all that was imported.
"""

import contextlib
import multiprocessing
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from tessera import machine, processes

T = TypeVar("T")


def at_once(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Do tasks that know nothing of one another; their results, in order.

    As many at a time as there are cores, where this process may fork; else here, one
    after the other, as is everything when the system refuses or kills a fork.

    Args:
        tasks: Functions that can be pickled, as their results can; the longest first.

    Raises:
        Exception: What a task raises.
    """
    hands = min(machine.cores(), len(tasks))
    if hands > 1 and may_fork():
        # For lack of memory, say; a task's own error is met again below.
        with contextlib.suppress(BrokenProcessPool, NotImplementedError, OSError):
            return _shared(tasks, hands)
    return [task() for task in tasks]


def may_fork() -> bool:
    """Whether a fork has all that this process has, whose threads are not forked.

    Those of NumPy's libraries do not count: they start anew in a fork.
    """
    framework = any(name in sys.modules for name in ("tensorflow", "jax"))
    return sys.platform == "linux" and threading.active_count() == 1 and not framework


def _shared(tasks: Sequence[Callable[[], T]], hands: int) -> list[T]:
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(hands, mp_context=context, initializer=_begin)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", ".* is multi-threaded", DeprecationWarning
            )
            begun = [pool.submit(task) for task in tasks]
        return [task.result() for task in begun]
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """End with the parent, however it ends, and at once with Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    processes.die_with_parent()

"""Processes of a study's own, which begin with the framework loaded.

To import a framework takes seconds of a core and hundreds of megabytes. On Linux one
process does it, and as nothing is computed there it has a single thread and may be
forked: `multiprocessing`'s fork server. Each further process is such a fork and shares
that memory. Elsewhere, and where a variable that a framework reads while it loads has
changed since, a process is spawned and imports for itself.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from multiprocessing import forkserver, resource_tracker
from multiprocessing.process import BaseProcess
from typing import Any

from tessera import runtime

LOADED = ["tessera.preloaded", "tessera.execution", "tessera.together"]
"""What the fork server imports; a module that it cannot import is left to the forks."""

READ_ONCE = (
    *("CUDA", "HIP", "JAX", "KERAS", "KMP", "LD_", "MKL", "NVIDIA", "OMP", "OPENBLAS"),
    *("PYTHON", "ROC", "TF_", "XLA"),
)
"""How the variables begin that decide what is loaded, and how."""


def start(
    work: Callable[..., None], arguments: tuple[Any, ...], *, threads: int
) -> BaseProcess:
    """Start a process that loads the framework, then does its work.

    It ends when this process does, however that ends; Ctrl-C is left to this one.

    Args:
        work: A function of a module.
        arguments: Its arguments; the ends of pipes may be among them.
        threads: Threads of the framework there.
    """
    with _prepared(threads):
        with contextlib.suppress(OSError, EOFError):  # a server that does not live
            if sys.platform == "linux" and _server() == _read_once():
                return _begun("forkserver", work, arguments)
        return _begun("spawn", work, arguments)


@contextlib.contextmanager
def _prepared(threads: int) -> Iterator[None]:
    """Have the environment of a process with so many threads for a while."""
    before = dict(os.environ)
    runtime.prepare(threads)
    try:
        yield
    finally:
        _take_over(before)


def _take_over(environment: Mapping[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


@cache
def _server() -> Mapping[str, str]:
    """What the fork server reads while it loads: the variables of the first call."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(LOADED)
    return _read_once()


def _read_once() -> Mapping[str, str]:
    return {k: value for k, value in os.environ.items() if k.startswith(READ_ONCE)}


def _begun(
    method: str, work: Callable[..., None], arguments: tuple[Any, ...]
) -> BaseProcess:
    context: Any = multiprocessing.get_context(method)
    process: BaseProcess = context.Process(
        target=_begin, args=(dict(os.environ), work, arguments), daemon=True
    )
    if method == "forkserver":
        _have_server()
    process.start()
    return process


def _have_server() -> None:
    """Start the fork server where there is none; see `preloaded` for Ctrl-C."""
    resource_tracker.ensure_running()  # else it starts within, and lets signals in
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(
    environment: Mapping[str, str], work: Callable[..., None], arguments: Any
) -> None:
    # Ctrl-C reaches the whole process group; the parent alone decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    _take_over(environment)
    runtime.load_backend(alone=True)
    work(*arguments)


def die_with_parent() -> None:
    """End this process when the command that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(process: Any = parent) -> None:
        process.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

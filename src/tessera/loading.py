"""Importing a framework: quiet, quick, and whole whatever interrupts it."""

import contextlib
import gc
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

CHATTER = re.compile(
    r"I\d{4} |WARNING: All log messages before absl|To enable the following"
)
"""Lines of TensorFlow's start that tell a user nothing."""


@contextlib.contextmanager
def interrupt_put_off() -> Iterator[None]:
    """Let Ctrl-C wait for the end of what would make another error of it.

    That is an import, or a library's writing under a lock of its own.

    Elsewhere than in the main thread nothing changes: no signal arrives there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if came:
        signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Have an import of these modules fail, as where they are not installed."""
    modules: dict[str, Any] = sys.modules
    absent = [name for name in names if name not in modules]
    modules |= dict.fromkeys(absent)
    try:
        yield
    finally:
        for name in absent:
            del modules[name]


@contextlib.contextmanager
def garbage_put_off() -> Iterator[None]:
    """Keep the collector from searching the thousands of modules as they are made."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Keep TensorFlow's notes about the processor to itself.

    It writes them straight to the error stream, whatever the log level. Warnings and
    errors among them are passed on.
    """
    with error_stream_kept() as kept:
        yield
    for line in kept:
        if not CHATTER.match(line):
            sys.stderr.write(line)


@contextlib.contextmanager
def error_stream_kept() -> Iterator[list[str]]:
    """Collect what the process, its C++ libraries included, writes to stderr."""
    lines: list[str] = []
    sys.stderr.flush()
    with tempfile.TemporaryFile("w+", errors="replace") as kept:
        original = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield lines
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            kept.seek(0)
            lines.extend(kept)

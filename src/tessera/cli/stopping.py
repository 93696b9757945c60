"""Ctrl-C ends a command with what it keeps, and the command to give again."""

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn

from rich.console import Console

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended: 128 and the signal's number."""


class Told(SystemExit):
    """The end of a command that has said what Ctrl-C leaves."""


def end(console: Console, kept: str) -> NoReturn:
    """Say what is kept and end the command.

    Args:
        console: Where it is said.
        kept: Whole sentences; the command's own line follows them.
    """
    console.print(f"\nStopped. {kept}", soft_wrap=True)
    console.print("  " + shlex.join(["tessera", *sys.argv[1:]]), soft_wrap=True)
    raise Told(INTERRUPTED)


@contextlib.contextmanager
def telling(console: Console, kept: Callable[[], str]) -> Iterator[None]:
    """Let Ctrl-C within the block end the command by `end`.

    Args:
        console: Where it is said.
        kept: Asked when it happens.
    """
    try:
        yield
    except KeyboardInterrupt:
        end(console, kept())

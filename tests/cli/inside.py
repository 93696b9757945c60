"""The command line inside this process: what `python -m tessera` says and ends with.

A program of its own takes seconds to load its framework; `test_app` starts a few.
"""

import contextlib
import io
import os
import sys
from dataclasses import dataclass
from unittest import mock

from tessera.cli import main


@dataclass(frozen=True)
class Ended:
    """What a command left; an error that it does not name is raised."""

    returncode: int
    stdout: str
    stderr: str


def tessera(*arguments: object, **environment: str) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    words = ["tessera", *map(str, arguments)]
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", words),
        mock.patch.dict(os.environ, environment),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    return Ended(code, out.getvalue(), err.getvalue())

"""Errors that a user can mend -> one clear message and an exit code, no traceback."""

import errno
import io
import sys
from collections.abc import Callable
from typing import Any

MENDABLE = (
    "ExperimentError",
    "DataError",
    "StudyError",
    "FolderInUse",
    "EngineError",
    "SearchError",
    "MissingBackend",
    "TrainingDiverged",
    "ExplainError",
    "ProfileError",
    "RemedyError",
    "ModelError",
    "CannotRead",
    "CannotWrite",
    "RunError",
    "ExportError",
    "TrackError",
)
"""By name, so that `--help` need not import the modules that define them."""

REFUSALS = (
    *(errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ENAMETOOLONG, errno.ELOOP),
)
"""What a system says of a full or locked disk, of too little of anything else, or of a
path that it cannot follow."""

MISTAKE = 2


def guarded(app: Callable[[], Any]) -> int:
    """Run a typer app; a known error becomes a message and an exit code."""
    show_any_name()
    try:
        app()
    except Exception as error:
        if any(kind.__name__ in MENDABLE for kind in type(error).__mro__):
            message = str(error)
        elif isinstance(error, OSError) and error.errno in REFUSALS:
            message = f"the system refused: {error}. Mend that; give the command again."
        else:
            raise
        print(f"tessera: {message}", file=sys.stderr)
        return MISTAKE
    return 0


def show_any_name() -> None:
    """Let a pipe that has no such letter show its escape, not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

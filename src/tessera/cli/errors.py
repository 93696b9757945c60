"""Errors that a user can mend -> one clear message and an exit code, no traceback."""

import sys
from collections.abc import Callable
from typing import Any

MENDABLE = (
    "ExperimentError",
    "DataError",
    "StudyError",
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

MISTAKE = 2


def guarded(app: Callable[[], Any]) -> int:
    """Run a typer app; a known error becomes a message and an exit code."""
    try:
        app()
    except Exception as error:
        if not any(kind.__name__ in MENDABLE for kind in type(error).__mro__):
            raise
        print(f"tessera: {error}", file=sys.stderr)
        return MISTAKE
    return 0

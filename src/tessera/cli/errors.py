"""Errors that a user can mend -> one clear message and an exit code, no traceback."""

import errno
import io
import itertools
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

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
    *(errno.EDQUOT, errno.EFBIG, errno.ESTALE),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ENAMETOOLONG, errno.ELOOP),
)
"""What a system says of a full or locked disk or share, of too little of anything else,
or of a path that it cannot follow."""

MISTAKE = 2

MOST_SHOWN = 40
"""Letters of a wrong value that are repeated."""


class Verbs(TyperGroup):
    """Commands whose options' wrong values are told as all other mistakes are."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for.

        Raises:
            ExperimentError: An option's value is not a number, or out of its range.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            raise taught(error) from error


def taught(error: typer.BadParameter) -> Exception:
    """The parser's complaint with what was expected and received, where it knows."""
    from pydantic import ValidationError

    found = error.__cause__
    if error.param is None or not isinstance(found, ValidationError):
        return error
    from tessera import faults
    from tessera.settings import ExperimentError

    detail = found.errors()[0]
    return ExperimentError(
        f"{error.param.opts[0]}: expected {faults.expected(detail, [])}. "
        f"Received: {str(detail['input'])[:MOST_SHOWN]!r}."
    )


def guarded(app: Callable[[], Any], words: Sequence[str] = ()) -> int:
    """Run a typer app; a known error becomes a message and an exit code.

    Args:
        app: Takes its own words from `sys.argv`.
        words: The same, to be looked at first.
    """
    show_any_name()
    # `data.decode` refuses such an image and says so; Pillow would say it once more.
    warnings.filterwarnings("ignore", message="Image size .* decompression bomb")
    try:
        refuse_empty(words)
        app()
    except SystemExit as ended:
        from tessera.cli import stopping  # imports what no `--help` needs

        if ended.code == stopping.INTERRUPTED and not isinstance(ended, stopping.Told):
            print("\ntessera: stopped before it was done.", file=sys.stderr)
        raise
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


def refuse_empty(words: Sequence[str]) -> None:
    """Refuse an empty word, which as a path would mean the current folder.

    Raises:
        ExperimentError: There is one.
    """
    for before, word in itertools.pairwise(("tessera", *words)):
        if not word or re.fullmatch("--[a-z-]+=", word):
            from tessera.settings import ExperimentError

            raise ExperimentError(
                f"{word or before}: expected a value behind it. Received: an empty "
                "one, as a shell's variable leaves that is not set. Where a path "
                "is meant, `.` is the current folder."
            )


def show_any_name() -> None:
    """Let a pipe that has no such letter show its escape, not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def plain(text: str, *, lines: bool = False) -> str:
    """A text without characters that would steer a terminal.

    Args:
        text: Such as a file's name.
        lines: Whether it may have several lines.
    """
    kept = "\n" if lines else ""
    return "".join(
        c if c.isprintable() or c in kept else "\N{REPLACEMENT CHARACTER}" for c in text
    )

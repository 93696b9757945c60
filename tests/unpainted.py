"""Charts that are made, and told in words, and never painted.

To paint them is most of what a report takes: where a test reads a sentence of it, or
only that it is there, it can do without. `tests/report` paints every one.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from unittest import mock

from matplotlib.backends.backend_svg import FigureCanvasSVG

COMMAND = (
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    "import unpainted; from tessera.cli import main\n"
    "with unpainted.charts(): main()",
)
"""A `tessera` of its own whose charts are blank; what it is asked follows."""

BLANK = '<svg height="9pt" width="9pt" viewBox="0 0 9 9"></svg>'


@contextmanager
def charts() -> Iterator[None]:
    """Every chart is blank."""
    with mock.patch.object(FigureCanvasSVG, "print_svg", _blank):
        yield


def _blank(_: FigureCanvasSVG, file: TextIO, **__: object) -> None:
    file.write(BLANK)

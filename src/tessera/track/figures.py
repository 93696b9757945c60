"""A study's figures, as its report draws them -> pictures that a tracker can show."""

from collections.abc import Iterator
from pathlib import Path

from tessera.record import StudyFolder
from tessera.track.runs import needs_extra

DOTS = 144
"""Per inch, so that small labels stay readable."""


def files_of(path: Path) -> tuple[Path, ...]:
    """The figures of a study's folder, SVG, in order of name; none of a run's."""
    return tuple(sorted(StudyFolder(path).figures.glob("*.svg")))


def pictures(path: Path) -> Iterator[tuple[str, bytes]]:
    """Each figure's name and the figure as a PNG file.

    Raises:
        TrackError: What draws an SVG is not installed.
    """
    drawn = files_of(path)
    if not drawn:
        return
    try:
        import resvg_py
    except ImportError as error:
        raise needs_extra("resvg-py") from error
    font = _font()
    for file in drawn:
        yield (
            file.stem,
            bytes(
                resvg_py.svg_to_bytes(
                    svg_path=str(file),
                    background="white",
                    dpi=DOTS,
                    skip_system_fonts=True,
                    font_files=[font],
                )
            ),
        )


def _font() -> str:
    """The font the figures are set in, as Matplotlib brings it along."""
    from matplotlib import get_data_path

    return str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")

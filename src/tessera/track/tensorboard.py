"""Finished runs -> event files for TensorBoard: scalars, heatmaps, the figures.

One file per run and one for the study's figures, replaced as a whole, so that writing
again changes nothing.
"""

import datetime
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tessera import files, png
from tessera.track.runs import Tracked, needs_extra

FILE = "events.out.tfevents.0.tessera"
"""TensorBoard looks for `tfevents` in a name."""


STUDY = "study"
"""Where the study's figures are, beside its runs."""


def write(
    runs: Sequence[Tracked], out: Path, figures: Sequence[tuple[str, bytes]] = ()
) -> None:
    """Write `out/NAME/` for every run; `tensorboard --logdir out` shows them.

    Args:
        runs: Finished runs.
        out: TensorBoard's folder.
        figures: The study's, by name, as PNG; they go into `out/study/`.

    Raises:
        TrackError: TensorBoard is not installed.
    """
    for run in runs:
        _write(out / run.name / FILE, events(run))
    if figures:
        _write(out / STUDY / FILE, _shown(runs, figures))


def _write(path: Path, messages: Iterable[Any]) -> None:
    try:
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise needs_extra("tensorboard") from error
    # First, so that a file of the run that cannot be read is not called a full disk.
    content = [event.SerializeToString() for event in messages]
    with files.replacing(path) as temporary, temporary.open("wb") as file:
        writer = RecordWriter(file)
        for event in content:
            writer.write(event)
        writer.flush()


def _shown(
    runs: Sequence[Tracked], figures: Sequence[tuple[str, bytes]]
) -> Iterator[Any]:
    """The figures, at the time of the last run."""
    from tensorboard.compat.proto.event_pb2 import Event

    when = max(_when(run) for run in runs)
    yield Event(wall_time=when, file_version="brain.Event:2")
    for name, picture in figures:
        yield _image(f"figure/{name}", picture, when, step=0)


def events(run: Tracked) -> Iterator[Any]:
    """What is known of a run as TensorBoard's `Event` messages."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    when = _when(run)
    yield Event(wall_time=when, file_version="brain.Event:2")
    for row in run.history():
        values = [
            Summary.Value(tag=f"epoch/{name}", simple_value=value)
            for name, value in row.items()
            if name != "epoch"
        ]
        step = int(row["epoch"])
        yield Event(wall_time=when, step=step, summary=Summary(value=values))
    scores = [Summary.Value(tag=k, simple_value=v) for k, v in run.scores().items()]
    best = run.record.best_epoch
    yield Event(wall_time=when, step=best, summary=Summary(value=scores))
    for name, pixels in run.pictures():
        yield _image(f"heatmap/{name}", png.encoded(pixels), when, step=best)


def _when(run: Tracked) -> float:
    return datetime.datetime.fromisoformat(run.record.finished_at).timestamp()


def _image(tag: str, picture: bytes, when: float, *, step: int) -> Any:
    """A PNG file as an event."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    width, height = Image.open(io.BytesIO(picture)).size
    image = Summary.Image(
        height=height, width=width, colorspace=3, encoded_image_string=picture
    )
    shown = Summary.Value(tag=tag, image=image)
    return Event(wall_time=when, step=step, summary=Summary(value=[shown]))

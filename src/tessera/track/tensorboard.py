"""Finished runs -> event files for TensorBoard: scalars, scores, heatmaps.

One file per run, replaced as a whole, so that writing again changes nothing.
"""

import datetime
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tessera import files
from tessera.track.runs import Tracked, needs_extra

FILE = "events.out.tfevents.0.tessera"
"""TensorBoard looks for `tfevents` in a name."""


def write(runs: Sequence[Tracked], out: Path) -> None:
    """Write `out/CELL/seed-N/` for every run; `tensorboard --logdir out` shows them.

    Raises:
        TrackError: TensorBoard is not installed.
    """
    try:
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise needs_extra("tensorboard") from error
    for run in runs:
        path = out / run.name / FILE
        with files.replacing(path) as temporary, temporary.open("wb") as file:
            writer = RecordWriter(file)
            for event in events(run):
                writer.write(event.SerializeToString())
            writer.flush()


def events(run: Tracked) -> Iterator[Any]:
    """What is known of a run as TensorBoard's `Event` messages."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    when = datetime.datetime.fromisoformat(run.record.finished_at).timestamp()
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
        height, width, _ = pixels.shape
        image = Summary.Image(
            height=height,
            width=width,
            colorspace=3,
            encoded_image_string=png(pixels),
        )
        shown = Summary.Value(tag=f"heatmap/{name}", image=image)
        yield Event(wall_time=when, step=best, summary=Summary(value=[shown]))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """RGB pixels uint8 [H, W, 3] as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()

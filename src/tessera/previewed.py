"""A run and its data -> training images as it will show them, before it trains.

Order, augmentation and mixing are functions of (seed, epoch, index): these are the very
images.
"""

import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tessera import choice, overlay, png
from tessera.arrays import Images
from tessera.data.dataset import Dataset
from tessera.data.entries import shown
from tessera.experiment import Run
from tessera.explain import panel
from tessera.imbalance import guards, plan
from tessera.selection import choose
from tessera.settings import ExperimentError
from tessera.training.batches import Epoch, Material

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EACH = 8
"""Images of a class."""

MOST = 20
"""Classes that fit a page: the first ones."""


@dataclass(frozen=True, eq=False)
class Row:
    """Images of one class in the order in which an epoch shows them first."""

    class_name: str
    count: int
    """Images of the class that the run trains on."""
    before: Images
    """As they are, uint8 [n, H, W, C]."""
    after: Images
    """As the epoch shows them; a mixed image counts to the first of its two labels."""


@dataclass(frozen=True, eq=False)
class Preview:
    """The first images of every class that an epoch shows."""

    title: str
    rows: tuple[Row, ...]
    """Of the first `MOST` classes."""
    classes: int
    """How many there are."""

    def save(self, path: str | Path) -> Path:
        """Write the picture, a PNG file.

        Raises:
            ExperimentError: The name ends otherwise.
        """
        place = choice.picture(Path(path), "path")
        panel.save(place, draw(self))
        return place

    def __repr__(self) -> str:
        """What there is to see."""
        return " ".join([f"{self.title}.", *self.left_out])

    @property
    def left_out(self) -> tuple[str, ...]:
        """That there are more classes, where there are."""
        some = len(self.rows) < self.classes
        return (f"The first {len(self.rows)} of {self.classes} classes.",) * some

    def _repr_html_(self) -> str:
        buffer = io.BytesIO()
        panel.write(draw(self), buffer)
        source, told = png.url(buffer.getvalue()), html.escape(repr(self), quote=True)
        return f'<img alt="{told}" src="{source}">'


def preview(run: Run, dataset: Dataset, *, epoch: int = 1, each: int = EACH) -> Preview:
    """See the first images of every class that an epoch shows.

    Args:
        run: What will be trained.
        dataset: What its data was loaded to.
        epoch: Counted from 1.
        each: Images of a class at most.

    Raises:
        ExperimentError: The training has no such epoch.
        ProfileError: The profile does not fit the data.
        RemedyError: The remedy cannot be used on it.
    """
    epochs = run.training.epochs
    if type(epoch) is not int or not 1 <= epoch <= epochs:
        raise ExperimentError(
            f"epoch: expected 1 to {epochs}, for there are so many. "
            f"Received: {epoch!r}."
        )
    batches, counts = _epoch(run, dataset, epoch - 1)
    found = _first(batches, dataset, each)
    rows = [
        Row(name, count, *images)
        for name, count, images in zip(dataset.class_names, counts, found, strict=True)
    ]
    title = f"{run.model.label}, {run.regime.name}, seed {run.seed}, epoch {epoch}"
    return Preview(title, tuple(rows[:MOST]), len(rows))


def _epoch(run: Run, dataset: Dataset, number: int) -> tuple[Epoch, list[int]]:
    """An epoch of the training, counted from 0, and its images per class."""
    chosen, epochs = choose(run, dataset), run.training.epochs
    guards.check(run.regime.remedy, chosen.counts, epochs=epochs)
    planned = plan.plan(run.regime.remedy, chosen.counts)
    batches = Epoch(
        Material(dataset.train, chosen.train, chosen.validation),
        run.training,
        plan.phase_at(planned, number, epochs),
        chosen.counts,
        seed=run.seed,
        epoch=number,
    )
    return batches, chosen.counts.tolist()


def _first(batches: Epoch, dataset: Dataset, each: int) -> list[tuple[Images, Images]]:
    """The first images of each class, before and after."""
    classes = len(dataset.class_names)
    kept: list[list[tuple[Images, Images]]] = [[] for _ in range(classes)]
    for before, after, label in _pairs(batches, dataset):
        if len(kept[label]) < each:
            kept[label].append((before, after))
        if min(map(len, kept[:MOST])) == each:
            break
    none = np.empty((0, *dataset.image_shape), np.uint8)
    return [
        (np.stack([one for one, _ in some]), np.stack([other for _, other in some]))
        if some
        else (none, none)
        for some in kept
    ]


def _pairs(batches: Epoch, dataset: Dataset) -> Iterator[tuple[Images, Images, int]]:
    for index, (pixels, _) in enumerate(batches):
        chosen = batches.drawn(index).images.chosen
        after = np.rint(pixels).astype(np.uint8)
        labels = dataset.train.labels[chosen].tolist()
        yield from zip(dataset.train.images[chosen], after, labels, strict=True)


def draw(found: Preview) -> "Figure":
    """Both kinds side by side, a line for each class."""
    from matplotlib.figure import Figure

    rows = found.rows
    kinds = {
        "as they are": [row.before for row in rows],
        "as training shows them": [row.after for row in rows],
    }
    tables = {name: _table(images) for name, images in kinds.items()}
    height, width = next(iter(tables.values())).shape[:2]
    wide = 4.5
    size = (2 * wide + 2, wide * height / width + 0.9)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    figure.suptitle(shown(found.title), fontsize=11, parse_math=False)
    for axes, (name, table) in zip(figure.subplots(1, 2), tables.items(), strict=True):
        axes.imshow(table, interpolation="nearest")
        axes.set_title(name, fontsize=10)
        axes.set_frame_on(False)
        axes.set_xticks([])
        axes.set_yticks([])
    middles = (np.arange(len(rows)) + 0.5) * height / len(rows)
    figure.axes[0].set_yticks(middles, [_name(row) for row in rows], fontsize=9)
    figure.axes[0].tick_params(length=0)
    for label in figure.axes[0].get_yticklabels():
        label.set_parse_math(False)
    return figure


def _name(row: Row) -> str:
    return f"{shown(row.class_name)} ({row.count:,})"


def _table(rows: Sequence[Images]) -> overlay.Pixels:
    """A line of images for each class, white between them and where there is none."""
    _, height, width, channels = rows[0].shape
    wide = max(map(len, rows))
    tiles = np.full((len(rows), wide, height + 2, width + 2, channels), 255, np.uint8)
    for tile, images in zip(tiles, rows, strict=True):
        tile[: len(images), 1:-1, 1:-1] = images
    lines = tiles.transpose(0, 2, 1, 3, 4)
    joined = lines.reshape(len(rows) * (height + 2), wide * (width + 2), channels)
    return overlay.enlarge(joined, magnification=1)

"""A run and its data -> training images as it will show them, before it trains.

Order, augmentation and mixing are functions of (seed, epoch, index): these are the very
images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tessera import overlay
from tessera.arrays import Images
from tessera.data.dataset import Dataset
from tessera.data.entries import shown
from tessera.experiment import Run
from tessera.imbalance import guards, plan
from tessera.selection import choose
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


def preview(run: Run, dataset: Dataset, *, epoch: int, each: int = EACH) -> list[Row]:
    """The first images of every class that an epoch shows.

    Args:
        run: What will be trained.
        dataset: What its data was loaded to.
        epoch: Counted from 1.
        each: Images of a class at most.

    Raises:
        ProfileError: The profile does not fit the data.
        RemedyError: The remedy cannot be used on it.
        ValueError: The training has no such epoch.
    """
    chosen, training = choose(run, dataset), run.training
    guards.check(run.regime.remedy, chosen.counts, epochs=training.epochs)
    planned = plan.plan(run.regime.remedy, chosen.counts)
    batches = Epoch(
        Material(dataset.train, chosen.train, chosen.validation),
        training,
        plan.phase_at(planned, epoch - 1, training.epochs),
        chosen.counts,
        seed=run.seed,
        epoch=epoch - 1,
    )
    named = zip(dataset.class_names[:MOST], chosen.counts.tolist(), strict=False)
    found = _first(batches, dataset, each)
    return [
        Row(name, count, *found[label]) for label, (name, count) in enumerate(named)
    ]


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


def draw(rows: Sequence[Row], title: str) -> "Figure":
    """Both kinds side by side, a line for each class."""
    from matplotlib.figure import Figure

    kinds = {
        "as they are": [row.before for row in rows],
        "as training shows them": [row.after for row in rows],
    }
    tables = {name: _table(images) for name, images in kinds.items()}
    height, width = next(iter(tables.values())).shape[:2]
    wide = 4.5
    size = (2 * wide + 2, wide * height / width + 0.9)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    figure.suptitle(shown(title), fontsize=11, parse_math=False)
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

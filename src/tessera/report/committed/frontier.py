r"""Committed studies -> accuracy against the arithmetic that training took.

    python -m tessera.report.committed.frontier docs/hybrid-plus.md frontier \
        docs/images/frontier.svg \
        results/study results/plus benchmarks/records/keras_cct.json
    python -m tessera.report.committed.frontier docs/hybrid-plus.md long - \
        results/plus-long

The second writes another part of the page and draws nothing; below the table it
compares the models with the first one, seed by seed. A file is the record of
somebody else's model, trained on the same images. A model that trains longer or
computes more is expected to be better; what counts is who is above and to the left.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from tessera import files
from tessera.evaluation.differences import difference, spread
from tessera.evaluation.evidence import describe
from tessera.experiment import Balanced
from tessera.record import Spread, StudyFolder, StudyRecord
from tessera.report import provenance, style, words
from tessera.report.committed import marked
from tessera.report.tables import markdown

PASSES = 3
"""Multiply-adds of a training step in those of a forward pass: forward, and backward to
the inputs and to the weights."""


@dataclass(frozen=True)
class Point:
    """A model trained on balanced data."""

    model: str
    epochs: int
    parameters: int
    forward: int
    """Multiply-adds of one image's forward pass."""
    training: float
    """Multiply-adds of the whole training."""
    accuracy: Spread
    seeds: tuple[str, ...] = ()
    """Of `accuracy`'s values, in their order; none where nobody says."""


def pareto(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points than which no other is both cheaper and better, by rising cost."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.training, -p.accuracy.mean)):
        if not kept or point.accuracy.mean > kept[-1].accuracy.mean:
            kept.append(point)
    return tuple(kept)


def balanced(record: StudyRecord) -> set[str]:
    """Names of a study's balanced regimes."""
    regimes = record.experiment.regimes
    return {r.name for r in regimes if isinstance(r.profile, Balanced)}


def points(record: StudyRecord) -> Iterator[Point]:
    """A point for every model of a study under its balanced regime."""
    epochs = record.experiment.training.epochs
    names = balanced(record)
    for cell in record.cells:
        if cell.regime in names:
            images = sum(cell.train_counts) * epochs
            yield Point(
                model=cell.model,
                epochs=epochs,
                parameters=cell.parameters,
                forward=cell.multiply_adds,
                training=float(PASSES * cell.multiply_adds * images),
                accuracy=cell.scores["accuracy"],
                seeds=tuple(PurePath(folder).name for folder in cell.folders),
            )


def peer(record: dict[str, Any]) -> Point:
    """The point of a benchmark's record of a model that is not ours."""
    images = record["images"] * record["epochs"]
    return Point(
        model=record["model"],
        epochs=record["epochs"],
        parameters=record["parameters"],
        forward=record["forward"],
        training=float(PASSES * record["forward"] * images),
        accuracy=spread(record["accuracy"]),
    )


def origin(record: dict[str, Any]) -> str:
    """On what images and machine a benchmark's record was made, in one thread."""
    made = record["machine"]
    packages = ", ".join(f"{k} {v}" for k, v in made["packages"].items())
    where = f"Python {made['python']}, {packages}; {made['processor']}, 1 thread."
    return f"{record['data']}. {where}"


def read(path: Path) -> tuple[list[Point], str]:
    """The points of a study's folder or of a peer's record, and where they are from."""
    if path.is_file():
        record = json.loads(path.read_text(encoding="utf-8"))
        return [peer(record)], f"`{path.name}`: {origin(record)}"
    study = StudyRecord.model_validate_json(StudyFolder(path).study.read_text("utf-8"))
    source = f"`{path.name}`: {study.data.name}. {provenance.line(study)}"
    return list(points(study)), source


def table(found: Sequence[Point]) -> str:
    """The points as a Markdown table, by rising cost; bold: on the frontier."""
    best = {id(point) for point in pareto(found)}
    rows = [
        [
            f"**{p.model}**" if id(p) in best else p.model,
            f"{p.epochs}",
            f"{p.parameters:,}",
            words.millions(p.forward),
            f"{p.training / 1e12:,.1f}",
            words.percent(p.accuracy),
            f"{len(p.accuracy.values)}",
        ]
        for p in sorted(found, key=lambda p: p.training)
    ]
    head = ["Model", "Epochs", "Parameters", "Multiply-adds an image"]
    more = ["Training, 10<sup>12</sup> multiply-adds", "Test accuracy", "Seeds"]
    return markdown([*head, *more], rows)


def beside_first(found: Sequence[Point]) -> tuple[str, ...]:
    """Test accuracy less the first point's, of every other point with its seeds."""
    first, *others = found
    return tuple(
        f"Test accuracy, {p.model} less {first.model}: "
        f"{describe(difference(p.accuracy.values, first.accuracy.values))}."
        for p in others
        if p.seeds == first.seeds and len(p.seeds) > 1
    )


def picture(found: Sequence[Point]) -> str:
    """The points as an SVG file of its own, with the frontier as a line."""
    with style.drawing():
        figure, (axes,) = style.grid_of_axes(1, columns=1, width=6.4, height=4.0)
        line = pareto(found)
        axes.plot(
            [p.training / 1e12 for p in line],
            [100 * p.accuracy.mean for p in line],
            color=style.LINE,
            drawstyle="steps-post",
            zorder=0,
        )
        for index, point in enumerate(found):
            _mark(axes, found, index, above=point in line)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.3, y=0.12)
        axes.set_xlabel("multiply-adds of the whole training, in millions of millions")
        axes.set_ylabel("test accuracy, percent")
        axes.grid()
        return style.standalone(style.svg(figure))


def _mark(axes: Axes, found: Sequence[Point], index: int, *, above: bool) -> None:
    """One point, its label beside it and away from the frontier's line."""
    point = found[index]
    x, values = point.training / 1e12, point.accuracy.values
    mean = 100 * point.accuracy.mean
    off = [[mean - 100 * min(values)], [100 * max(values) - mean]]
    colour = style.PALETTE[index % len(style.PALETTE)]
    marker = style.MARKERS[index % len(style.MARKERS)]
    axes.errorbar(x, mean, off, fmt=marker, color=colour, capsize=3, ms=7)
    left = above or x > max(p.training for p in found) / 2e12
    axes.annotate(
        f"{point.model}, {point.epochs} epochs",
        (x, mean),
        xytext=(-8 if left else 8, 6 if above else -14),
        ha="right" if left else "left",
        textcoords="offset points",
    )


def write(page: Path, part: str, drawing: Path | None, paths: Sequence[Path]) -> None:
    """Write the table into a part of the page, and the picture.

    Args:
        page: A Markdown file with markers, see `marked.replace`.
        part: The markers' name.
        drawing: Where the SVG goes; None: nothing is drawn, and the models are
            compared with the first one instead.
        paths: Studies' folders and peers' records.
    """
    read_all = [read(path) for path in paths]
    found = [point for some, _ in read_all for point in some]
    sources = [source for _, source in read_all]
    if drawing is None:
        sources = [*beside_first(found), *sources]
    else:
        files.write_text(drawing, picture(found))
    marked.replace(page, part, "\n\n".join([table(found), *sources]) + "\n")


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a page, its part, a drawing, studies and records."""
    if len(arguments) < 4:
        raise SystemExit(
            "usage: python -m tessera.report.committed.frontier PAGE.md PART "
            "DRAWING.svg|- STUDY|RECORD.json..."
        )
    page, part, drawing, *paths = arguments
    drawn = None if drawing == "-" else Path(drawing)
    write(Path(page), part, drawn, [Path(path) for path in paths])


if __name__ == "__main__":
    main(sys.argv[1:])

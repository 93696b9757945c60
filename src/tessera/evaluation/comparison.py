"""Records of finished runs -> one row per cell, and paired differences between cells.

A cell is a model under a regime; its runs differ in the seed alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Confusion
from tessera.evaluation import scores as of
from tessera.evaluation.differences import Difference, difference, spread
from tessera.experiment import Experiment
from tessera.record import CellSummary, Record, Scores

Measure = Callable[[Scores], float]
Cells = Mapping[tuple[str, str], tuple[Record, ...]]
"""Records of (model, regime), by rising seed."""

SCORES: tuple[str, ...] = (
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_f1",
    "worst_class_recall",
)
"""The scores every cell is summarised by; `reduced_recall` joins them where a
regime of the study reduces classes."""


def measure(name: str, classes: Collection[int] = ()) -> Measure:
    """The function that reads one score.

    Args:
        name: A field of `Scores`, or `reduced_recall`, `reduced_f1`, `common_recall`.
        classes: The reduced classes, for the latter three.
    """
    match name:
        case "reduced_recall":
            return partial(of.reduced_recall, reduced_classes=classes)
        case "reduced_f1":
            return partial(of.reduced_f1, reduced_classes=classes)
        case "common_recall":
            return partial(of.common_recall, reduced_classes=classes)
        case _:
            return lambda scores: float(getattr(scores, name))


def cells(experiment: Experiment, records: Sequence[Record]) -> Cells:
    """Group records by cell, in the experiment's order; unfinished cells are absent."""
    grouped: dict[tuple[str, str], tuple[Record, ...]] = {}
    for model in experiment.models:
        for regime in experiment.regimes:
            key = (model.label, regime.name)
            runs = [r for r in records if (r.model, r.regime) == key]
            if runs:
                grouped[key] = tuple(sorted(runs, key=lambda r: r.seed))
    return grouped


def reduced_classes(records: Sequence[Record]) -> tuple[int, ...]:
    """Every class that some regime of the study reduces, ascending."""
    return tuple(sorted({c for r in records for c in r.reduced_classes}))


def summarise(
    experiment: Experiment, records: Sequence[Record], folders: Sequence[str]
) -> tuple[CellSummary, ...]:
    """Reduce runs to the comparison's rows.

    Args:
        experiment: What was asked for; gives the order of the rows.
        records: Finished runs, in any order.
        folders: The folder of each record, relative to the study's.

    Returns:
        A row per cell that has a finished run. Its `reduced_recall` is measured on the
        classes that its own profile reduces, and for a cell that reduces none on
        those that the study's other regimes reduce, so that the two compare.
    """
    places = dict(zip(map(_run, records), folders, strict=True))
    everywhere = reduced_classes(records)
    return tuple(
        _summary(runs, [places[_run(r)] for r in runs], everywhere)
        for runs in cells(experiment, records).values()
    )


def _run(record: Record) -> tuple[str, str, int]:
    return record.model, record.regime, record.seed


def _summary(
    runs: Sequence[Record], folders: Sequence[str], everywhere: tuple[int, ...]
) -> CellSummary:
    first = runs[0]
    rare = first.reduced_classes or everywhere
    names = (*SCORES, "reduced_recall") if rare else SCORES
    return CellSummary(
        model=first.model,
        regime=first.regime,
        seeds=tuple(r.seed for r in runs),
        folders=tuple(folders),
        parameters=first.parameters,
        multiply_adds=first.multiply_adds,
        train_seconds=spread([r.train_seconds for r in runs]),
        scores={
            name: spread([measure(name, rare)(r.scores) for r in runs])
            for name in names
        },
        per_class_recall={
            c.name: spread([r.scores.per_class[i].recall for r in runs])
            for i, c in enumerate(first.scores.per_class)
        },
    )


def contrast(
    first: Sequence[Record], second: Sequence[Record], score: Measure
) -> Difference | None:
    """Paired difference of two cells, first - second, over the seeds both finished.

    Returns:
        The difference, or None when no seed is finished in both.
    """
    by_seed = {r.seed: score(r.scores) for r in second}
    shared = [r for r in first if r.seed in by_seed]
    if not shared:
        return None
    return difference(
        [score(r.scores) for r in shared], [by_seed[r.seed] for r in shared]
    )


def pooled_confusion(runs: Sequence[Record]) -> Confusion:
    """Sum of the confusion matrices of a cell's seeds, int64 [K, K]."""
    total: Confusion = np.sum(
        [np.array(r.scores.confusion_matrix, np.int64) for r in runs], axis=0
    )
    return total


def mean_curve(curves: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean over seeds, epoch by epoch, float [E] of the shortest curve's E epochs."""
    epochs = min(len(curve) for curve in curves)
    mean: NDArray[np.float64] = np.mean([c[:epochs] for c in curves], axis=0)
    return mean

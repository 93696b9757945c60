"""Records of finished runs -> one row per cell, and paired differences between cells.

A cell is a model under a regime; its runs differ in the seed alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Confusion
from tessera.evaluation import matrix_scores
from tessera.evaluation import scores as of
from tessera.evaluation.differences import Difference, difference, spread
from tessera.evaluation.ensemble import ensemble
from tessera.evaluation.groups import groups
from tessera.evaluation.outcomes import (
    Outcome,
    fitted,
    probability_scores,
    run_intervals,
)
from tessera.experiment import Experiment
from tessera.record import CellSummary, ClassScores, Record, Scores
from tessera.results import Groups, Interval, Spread

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
    "chance_adjusted",
    "g_mean",
    "mcc",
)
"""The scores every cell is summarised by; `reduced_recall`, `reduced_f1` and the recall
of head, middle and tail join them where a regime of the study reduces classes, and
those of `outcomes.probability_scores` where predictions are stored. Without test images
of two classes there is no `chance_adjusted`."""


def measure(name: str, classes: Collection[int] = ()) -> Measure:
    """The function that reads one score.

    Args:
        name: A field of `Scores`; `reduced_recall`, `reduced_f1`, `common_recall`; or
            what `matrix_scores.score` knows.
        classes: The reduced classes, for the three in the middle; those of the group.
    """
    match name:
        case "reduced_recall":
            return partial(of.reduced_recall, reduced_classes=classes)
        case "reduced_f1":
            return partial(of.reduced_f1, reduced_classes=classes)
        case "common_recall":
            return partial(of.common_recall, reduced_classes=classes)
        case _ if name in Scores.model_fields:
            return lambda scores: float(getattr(scores, name))
        case _:
            stacked = matrix_scores.score(name, classes)
            return lambda scores: float(stacked(np.array(scores.confusion_matrix)))


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


def regimes_by_counts(cells: Cells) -> dict[tuple[int, ...], list[str]]:
    """Training images per class -> the regimes that share them, in order."""
    shared: dict[tuple[int, ...], dict[str, None]] = {}
    for (_, regime), runs in cells.items():
        shared.setdefault(runs[0].train_counts, {})[regime] = None
    return {counts: list(names) for counts, names in shared.items()}


def reduced_classes(records: Sequence[Record]) -> tuple[int, ...]:
    """Every class that some regime of the study reduces, ascending."""
    return tuple(sorted({c for r in records for c in r.reduced_classes}))


def summarise(
    experiment: Experiment,
    records: Sequence[Record],
    folders: Sequence[str],
    read: Callable[[str], Outcome | None] = lambda folder: None,
) -> tuple[CellSummary, ...]:
    """Reduce runs to the comparison's rows.

    Args:
        experiment: What was asked for; gives the order of the rows.
        records: Finished runs, in any order.
        folders: The folder of each record, relative to the study's.
        read: A run's stored predictions by its folder, where there are any; they add
            scores of the probabilities and bootstrap intervals.

    Returns:
        A row per cell that has a finished run. Its `reduced_recall`, its `reduced_f1`
        and its groups are those of the classes that its own profile reduces, and for a
        cell that reduces none those of the study's other regimes, so that the two
        compare.
    """
    places = dict(zip(map(_run, records), folders, strict=True))
    found = cells(experiment, records)
    everywhere = reduced_classes(records)
    first = next((runs[0] for runs in found.values() if runs[0].reduced_classes), None)
    parted = groups(first.train_counts) if first else None
    rows = []
    for runs in found.values():
        own = bool(runs[0].reduced_classes)
        rows.append(
            _summary(
                runs,
                [places[_run(r)] for r in runs],
                rare=runs[0].reduced_classes if own else everywhere,
                parted=groups(runs[0].train_counts) if own else parted,
                read=read,
            )
        )
    return tuple(rows)


def _run(record: Record) -> tuple[str, str, int]:
    return record.model, record.regime, record.seed


def _summary(
    runs: Sequence[Record],
    folders: Sequence[str],
    *,
    rare: tuple[int, ...],
    parted: Groups | None,
    read: Callable[[str], Outcome | None],
) -> CellSummary:
    first = runs[0]
    outcomes = [read(folder) for folder in folders]
    known = [o for o in outcomes if o is not None]
    complete = known if len(known) == len(runs) else []
    temperatures = [fitted(o) for o in complete]
    warm = [t for t in temperatures if t is not None]
    warm = warm if len(warm) == len(runs) else []
    return CellSummary(
        model=first.model,
        regime=first.regime,
        seeds=tuple(r.seed for r in runs),
        folders=tuple(folders),
        parameters=first.parameters,
        multiply_adds=first.multiply_adds,
        train_seconds=spread([r.train_seconds for r in runs]),
        scores=_read_off(runs, rare, parted)
        | over_seeds([probability_scores(o) for o in complete])
        | over_seeds(
            [
                probability_scores(o, t)
                for o, t in zip(complete if warm else (), warm, strict=True)
            ]
        ),
        per_class_precision=_by_class(runs, attrgetter("precision")),
        per_class_recall=_by_class(runs, attrgetter("recall")),
        per_class_f1=_by_class(runs, attrgetter("f1")),
        train_counts=first.train_counts,
        groups=parted,
        intervals=_side_by_side(
            [run_intervals(o, rare, parted=parted) for o in complete]
        ),
        temperature=spread(warm) if warm else None,
        ensemble=ensemble(complete, [t or 1.0 for t in temperatures], rare)
        if len(complete) > 1
        else None,
    )


def _read_off(
    runs: Sequence[Record], rare: tuple[int, ...], parted: Groups | None
) -> dict[str, Spread]:
    """The scores that the records' confusion matrices decide, as far as they do."""
    wanted = {name: measure(name) for name in SCORES}
    if rare:
        for name in ("reduced_recall", "reduced_f1"):
            wanted[name] = measure(name, rare)
    if parted:
        for name in ("head", "middle", "tail"):
            members = getattr(parted, name)
            if members:
                wanted[f"{name}_recall"] = measure("group_recall", members)
    found = {
        name: spread([read(r.scores) for r in runs]) for name, read in wanted.items()
    }
    # Nothing can be guessed where all test images are of one class.
    return {name: over for name, over in found.items() if not np.isnan(over.mean)}


def _by_class(
    runs: Sequence[Record], read: Callable[[ClassScores], float]
) -> dict[str, Spread]:
    """A score of every class over the seeds, by the class's name."""
    return {
        c.name: spread([read(r.scores.per_class[i]) for r in runs])
        for i, c in enumerate(runs[0].scores.per_class)
    }


def over_seeds(rows: Sequence[dict[str, float]]) -> dict[str, Spread]:
    """Scores by name, a dictionary per seed -> a spread per name."""
    names = rows[0] if rows else ()
    return {name: spread([row[name] for row in rows]) for name in names}


def _side_by_side(
    rows: Sequence[dict[str, Interval]],
) -> dict[str, tuple[Interval, ...]]:
    names = rows[0] if rows else ()
    return {name: tuple(row[name] for row in rows) for name in names}


def shared(runs: Sequence[Record], others: Sequence[Record]) -> tuple[Record, ...]:
    """The runs whose seed the other cell finished too."""
    seeds = {r.seed for r in others}
    return tuple(r for r in runs if r.seed in seeds)


def contrast(
    first: Sequence[Record], second: Sequence[Record], score: Measure
) -> Difference | None:
    """Paired difference of two cells, first - second, over the seeds both finished.

    Returns:
        The difference, or None when no seed is finished in both.
    """
    by_seed = {r.seed: score(r.scores) for r in second}
    both = shared(first, second)
    if not both:
        return None
    return difference([score(r.scores) for r in both], [by_seed[r.seed] for r in both])


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

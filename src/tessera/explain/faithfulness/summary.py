"""Values per image -> means, intervals and paired differences from every control."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Indices, Labels
from tessera.evaluation.faithfulness import (
    Against,
    Interval,
    Measured,
    Metric,
    decide,
)
from tessera.explain.faithfulness import controls, intervals
from tessera.explain.faithfulness.measure import Values


@dataclass(frozen=True, eq=False)
class Strata:
    """Which images count for which class and group; the same for all metrics."""

    classes: Mapping[str, NDArray[np.bool_]]
    groups: Mapping[str, NDArray[np.bool_]]


def strata(
    labels: Labels, class_names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> Strata:
    """Split images by class and by group of classes; parts without images are absent.

    Args:
        labels: int [N].
        class_names: Label k is called `class_names[k]`.
        groups: Class names of each group.
    """
    names = np.array(class_names)[labels]
    classes = {name: names == name for name in class_names if (names == name).any()}
    grouped = {
        group: np.isin(names, list(members)) for group, members in groups.items()
    }
    return Strata(classes, {g: where for g, where in grouped.items() if where.any()})


def measured(
    values: Values,
    metrics: Sequence[Metric],
    method: str,
    parts: Strata,
    *,
    seed: int,
    together: Indices | None = None,
) -> Iterator[Measured]:
    """Reduce every metric of a method, against the controls that `values` holds.

    Args:
        values: Of the method and of controls, image by image.
        metrics: What to reduce; one without values is left out.
        method: The method's name in `values`.
        parts: Classes and groups of the images.
        seed: Of the bootstrap.
        together: Images that it draws as one, see `intervals.means`.
    """
    wanted = [m for m in metrics if m.key in values[method]]
    known = [c for c in controls.NAMES if c in values]
    columns = [(m.key, c, kind) for m in wanted for c, kind in _columns(method, known)]
    table = np.stack([_column(values, method, *c) for c in columns], axis=1)
    place = {column: i for i, column in enumerate(columns)}
    units = np.arange(len(table)) if together is None else together
    whole = intervals.means(table, seed=seed, together=units)
    by_part = {
        part: intervals.means(table[where], seed=seed, together=units[where])
        for part, where in _parts(parts).items()
    }

    def at(part: tuple[str, str], key: str, name: str, kind: str) -> Interval:
        return by_part[part].interval(place[key, name, kind])

    for metric in wanted:
        key = metric.key
        yield Measured(
            metric=key,
            level=whole.interval(place[key, method, "level"]),
            against=tuple(
                _against(metric, name, whole, place)
                for name in known
                if np.isfinite(values[name][key]).any()
            ),
            by_class={p: at(("class", p), key, method, "level") for p in parts.classes},
            by_group={g: at(("group", g), key, method, "level") for g in parts.groups},
            by_group_minus_random={
                g: at(("group", g), key, controls.RANDOM, "difference")
                for g in parts.groups
                if controls.RANDOM in known
            },
        )


def _parts(parts: Strata) -> dict[tuple[str, str], NDArray[np.bool_]]:
    classes = {("class", name): where for name, where in parts.classes.items()}
    return classes | {("group", name): where for name, where in parts.groups.items()}


def _columns(method: str, known: Sequence[str]) -> list[tuple[str, str]]:
    levels = [(name, "level") for name in (method, *known)]
    return levels + [(name, "difference") for name in known]


def _column(
    values: Values, method: str, key: str, name: str, kind: str
) -> NDArray[np.float64]:
    if kind == "level":
        return values[name][key]
    return values[method][key] - values[name][key]


def _against(
    metric: Metric,
    name: str,
    whole: intervals.Means,
    place: Mapping[tuple[str, str, str], int],
) -> Against:
    difference = whole.interval(place[metric.key, name, "difference"])
    return Against(
        control=name,
        level=whole.interval(place[metric.key, name, "level"]),
        difference=difference,
        decision=decide(difference, metric.direction),
    )

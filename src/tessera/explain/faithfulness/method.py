"""A model, a sample and one method -> everything that is measured of its maps."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Indices, Labels
from tessera.evaluation.faithfulness import Check, Curve, Measured, Method, Metric
from tessera.explain.faithfulness import (
    blanks,
    checks,
    controls,
    measure,
    metrics,
    mosaics,
    planted,
    pointing,
    stability,
    summary,
)
from tessera.explain.faithfulness.answers import Mapper, Maps, Predict, bound, predictor
from tessera.explain.faithfulness.measure import Settings, Values
from tessera.explain.faithfulness.mosaics import Located
from tessera.explain.faithfulness.sampling import Sample

Tell = Callable[[str], None]
"""Told what is being measured now."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the images on which maps are measured; the same for all methods."""

    net: keras.Model
    class_names: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    sample: Sample
    others: Sample
    """Training images, explained for their true class: the class-mean control."""
    colour: NDArray[np.float32]
    """Mean training colour, float32 [C]."""
    mosaics: Located | None
    """None where fewer than four classes are ever answered rightly."""


@dataclass(frozen=True, eq=False)
class Glyphs:
    """A tiny model that reads planted glyphs, and glyphs that it never saw."""

    net: keras.Model
    accuracy: float
    truth: Located
    others: Located
    """More of them, for the class-mean control."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A method's record, the metrics it used and the values per image behind it."""

    record: Method
    metrics: tuple[Metric, ...]
    values: dict[str, NDArray[np.float64]]
    """`metric/map` -> one value per image."""
    maps: Heatmaps


def glyphs(*, seed: int) -> Glyphs:
    """Train the reader of planted glyphs: some seconds."""
    net, accuracy = planted.trained_reader(seed=seed)
    truth, others = (planted.plant(200, seed=seed + n).located() for n in (2, 3))
    return Glyphs(net, accuracy, truth, others)


def measure_method(
    subject: Subject,
    mapper: Mapper,
    name: str,
    *,
    layer: str,
    ground: Callable[[], Glyphs],
    reader: Mapper | None,
    more_checks: Callable[[Mapper, Sample, Heatmaps], Iterator[Check]],
    settings: Settings,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Measure one method of explaining one model.

    Args:
        subject: The model and its images.
        mapper: The method.
        name: What tables call it.
        layer: Where it looks, for the record.
        ground: Gives planted glyphs, once it is known that the method explains the
            model; not asked for them without `reader`.
        reader: The method for the model that reads them; None: it cannot explain it.
        more_checks: Checks that need more than the model: another seed, other labels.
        settings: How much to measure.
        tell: Told of every step.
    """
    predict = predictor(subject.net)
    tell(f"{name}: maps")
    sample, classes = subject.sample, len(subject.class_names)
    others = (subject.others.images, subject.others.labels)
    maps_of = with_controls(subject.net, mapper, name, others, classes, settings)
    views = {key: maps(sample.images, sample.targets) for key, maps in maps_of.items()}
    values, curves = _on_sample(predict, maps_of, views, subject, settings, tell, name)
    tell(f"{name}: planted glyphs; a tiny model learns them, once for all runs")
    glyphs_read = None if reader is None else ground()
    tell(f"{name}: known places and small changes")
    parts = [
        Part(values, _metrics(settings), sample.labels, subject.class_names),
        _stable(predict, maps_of, subject, settings),
        *_mosaics(maps_of, subject),
        *_planted(reader, name, glyphs_read, settings),
    ]
    tell(f"{name}: sanity checks")
    few = sample.first(settings.check_images)
    known = mapper(subject.net, few.images, few.targets)
    done = [
        *checks.parameters(subject.net, mapper, few, known, seed=settings.seed),
        *more_checks(mapper, few, known),
    ]
    raw = views[name]
    record = Method(
        name=name,
        layer=layer,
        grid=(raw.shape[1], raw.shape[2]),
        measured=tuple(
            row for part in parts for row in _rows(part, name, subject, settings)
        ),
        checks=tuple(done),
        curves=curves,
        blanks=blanks.by_class(blanks.reasons(raw), sample.labels, subject.class_names),
        notes=_notes(subject, glyphs_read),
    )
    return Outcome(
        record,
        tuple(m for part in parts for m in part.metrics),
        measure.flat(*(part.values for part in parts)),
        raw,
    )


def _on_sample(
    predict: Predict,
    maps_of: dict[str, Maps],
    views: dict[str, Heatmaps],
    subject: Subject,
    settings: Settings,
    tell: Tell,
    name: str,
) -> tuple[Values, tuple[Curve, ...]]:
    """Everything that is measured on the test images as they are."""
    sample = subject.sample
    tell(f"{name}: deletion and insertion")
    taken, curves = measure.removal(predict, sample, views, subject.colour, settings)
    tell(f"{name}: ROAD")
    filled, more_curves = measure.imputed(predict, sample, views, settings)
    tell(f"{name}: masks and classes")
    values = measure.merged(
        taken,
        filled,
        measure.masked(predict, sample, views),
        measure.spread(views),
        measure.random_logit(maps_of, sample, views, seed=settings.seed),
    )
    return values, (*curves, *more_curves)


@dataclass(frozen=True, eq=False)
class Part:
    """Values on one set of images, and the classes of those."""

    values: Values
    metrics: tuple[Metric, ...]
    labels: Labels
    class_names: tuple[str, ...]
    together: Indices | None = None
    """See `mosaics.Located`."""


def with_controls(
    net: keras.Model,
    mapper: Mapper,
    name: str,
    others: tuple[NDArray[Any], Labels],
    classes: int,
    settings: Settings,
) -> dict[str, Maps]:
    """The method and every control on its grid, by name.

    Args:
        net: The model.
        mapper: The method.
        name: The method's.
        others: Images of the class-mean control, [N, H, W, C], and the class that
            each is explained for, int [N].
        classes: Number of classes K.
        settings: Their seed decides the random control.
    """
    maps = mapper(net, *others)
    means = controls.class_means(maps, others[1], classes)
    grid = controls.Grid(maps.shape[1], maps.shape[2])
    return {
        name: bound(mapper, net),
        **controls.controls(grid, means, seed=settings.seed + 1),
    }


def _metrics(settings: Settings) -> tuple[Metric, ...]:
    return (
        *metrics.removal(settings.steps),
        *metrics.imputed(settings.shares),
        *metrics.MASKING,
        *metrics.COMPLEXITY,
        metrics.RANDOM_LOGIT,
    )


def _stable(
    predict: Predict, maps_of: dict[str, Maps], subject: Subject, settings: Settings
) -> Part:
    few = subject.sample.first(settings.check_images)
    found = stability.relative(
        predict, maps_of, few.images, few.targets, seed=settings.seed
    )
    kinds = metrics.stability(stability.NOISE, stability.DRAWS)
    return Part(found, kinds, few.labels, subject.class_names)


def _mosaics(maps_of: dict[str, Maps], subject: Subject) -> list[Part]:
    truth = subject.mosaics
    if truth is None:
        return []
    found = measure.located(maps_of, truth, "mosaic")
    kinds = metrics.located("mosaic", "2x2 mosaic", mosaics.CHANCE)
    return [Part(found, kinds, truth.targets, subject.class_names, truth.together)]


def _planted(
    mapper: Mapper | None, name: str, ground: Glyphs | None, settings: Settings
) -> list[Part]:
    if mapper is None or ground is None:
        return []
    truth = ground.truth
    others = (ground.others.images, ground.others.targets)
    maps_of = with_controls(ground.net, mapper, name, others, planted.CLASSES, settings)
    found = measure.located(maps_of, truth, "planted")
    chance = float(pointing.chance(truth.regions).mean())
    kinds = metrics.located("planted", "planted glyph", chance)
    return [Part(found, kinds, truth.targets, planted.NAMES)]


def _rows(
    part: Part, method: str, subject: Subject, settings: Settings
) -> Iterator[Measured]:
    names = part.class_names
    groups = subject.groups if names == subject.class_names else {}
    return summary.measured(
        part.values,
        part.metrics,
        method,
        summary.strata(part.labels, names, groups),
        seed=settings.seed,
        together=part.together,
    )


def _notes(subject: Subject, ground: Glyphs | None) -> tuple[str, ...]:
    notes = [
        "No planted glyphs: their reader has no attention that could be explained."
        if ground is None
        else "Planted glyphs are read by a tiny model of its own, right on "
        f"{100 * ground.accuracy:.1f} % of glyphs it never saw: they test the method, "
        "not this run's model."
    ]
    if subject.mosaics is None:
        notes.append(
            "No mosaics: they need rightly answered test images of four classes."
        )
    return tuple(notes)

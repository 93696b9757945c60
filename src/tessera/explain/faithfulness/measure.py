"""A sample and maps of it -> the value of every metric for every image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels
from tessera.evaluation.faithfulness import Curve
from tessera.explain.faithfulness import (
    complexity,
    deletion,
    fills,
    masking,
    pointing,
    ranking,
    road,
    similarity,
)
from tessera.explain.faithfulness.answers import Maps, Predict, probability
from tessera.explain.faithfulness.fills import Pixels
from tessera.explain.faithfulness.mosaics import Located
from tessera.explain.faithfulness.sampling import Sample

Views: TypeAlias = Mapping[str, Heatmaps]
"""Maps of the same images: the method's and each control's, by name."""

Values: TypeAlias = dict[str, dict[str, NDArray[np.float64]]]
"""Map name -> metric -> one value per image, float64 [N]; NaN: none."""


@dataclass(frozen=True)
class Settings:
    """How much is measured."""

    images: int = 500
    """Of the test set, equally many of every class."""
    steps: int = 16
    """Of a deletion or insertion curve."""
    shares: tuple[float, ...] = road.SHARES
    """Of the cells that ROAD removes."""
    check_images: int = 100
    """Of the sample, for the sanity checks and the stability."""
    mosaics: int = 100
    """Mosaics; each is explained for its four classes."""
    seed: int = 0


def removal(
    predict: Predict,
    sample: Sample,
    views: Views,
    colour: NDArray[np.float32],
    settings: Settings,
) -> tuple[Values, tuple[Curve, ...]]:
    """Deletion and insertion with both fills, and their difference.

    Returns:
        Values per image, and the mean curves.
    """
    values: Values = {name: {} for name in views}
    drawn: list[Curve] = []
    kinds: dict[str, Pixels] = {
        "mean": fills.mean_fill(sample.images, colour),
        "blur": fills.blur_fill(sample.images),
    }
    ranks = {name: ranking.ranks(m, seed=settings.seed) for name, m in views.items()}
    for kind, fill in kinds.items():
        known = deletion.ends(predict, sample.images, fill, sample.targets)
        for name, order in ranks.items():
            for direction in ("deletion", "insertion"):
                found = deletion.curves(
                    predict,
                    sample.images,
                    order,
                    sample.targets,
                    fill=fill,
                    known=known,
                    direction=direction,
                    steps=settings.steps,
                )
                key = f"{direction}_{kind}"
                values[name][key] = found.areas
                drawn.append(_mean_curve(key, name, found))
    for mine in values.values():
        difference = mine["insertion_blur"] - mine["deletion_mean"]
        mine["insertion_minus_deletion"] = difference
    return values, tuple(drawn)


def _mean_curve(metric: str, name: str, found: deletion.Curves) -> Curve:
    return Curve(
        metric=metric,
        map=name,
        shares=tuple(found.shares.mean(axis=0).round(6).tolist()),
        values=tuple(found.probabilities.mean(axis=0).round(6).tolist()),
    )


def imputed(
    predict: Predict, sample: Sample, views: Views, settings: Settings
) -> tuple[Values, tuple[Curve, ...]]:
    """ROAD in both directions; the noise is the same for every map."""
    values: Values = {}
    drawn: list[Curve] = []
    for name, maps in views.items():
        most, least = road.survival(
            predict,
            sample.images,
            ranking.ranks(maps, seed=settings.seed),
            sample.targets,
            seed=settings.seed,
            shares=settings.shares,
        )
        first, last = most.mean(axis=1), least.mean(axis=1)
        values[name] = {
            "road_morf": first,
            "road_lerf": last,
            "road": (last - first) / 2,
        }
        for key, found in (("road_morf", most), ("road_lerf", least)):
            means = tuple(found.mean(axis=0).round(6).tolist())
            drawn.append(
                Curve(metric=key, map=name, shares=settings.shares, values=means)
            )
    return values, tuple(drawn)


def masked(predict: Predict, sample: Sample, views: Views) -> Values:
    """Average drop, increase and gain, with the mask's mean brightness."""
    whole = probability(sample.logits, sample.targets)
    values: Values = {}
    for name, maps in views.items():
        found = masking.masked(
            predict, sample.images, maps, sample.targets, whole=whole
        )
        values[name] = {
            "average_drop": found.drop,
            "increase": found.increase,
            "average_gain": found.gain,
            "brightness": found.brightness,
        }
    return values


def spread(views: Views) -> Values:
    """Entropy, Gini index and share of bright cells."""
    return {
        name: {
            "entropy": complexity.entropy(maps),
            "gini": complexity.gini(maps),
            "bright_cells": complexity.bright(maps),
        }
        for name, maps in views.items()
    }


def random_logit(
    maps_of: Mapping[str, Maps], sample: Sample, views: Views, *, seed: int
) -> Values:
    """Likeness of the maps for the explained class and for another one.

    Sixt et al. 2020: a map that does not change with the class does not explain it.
    """
    classes = sample.logits.shape[1]
    other = another_class(sample.targets, classes, seed=seed)
    return {
        name: {
            "random_logit": similarity.spearman(views[name], maps(sample.images, other))
        }
        for name, maps in maps_of.items()
    }


def another_class(targets: Labels, classes: int, *, seed: int) -> Labels:
    """For each image a class other than its own, all equally likely, int32 [N]."""
    step = np.random.default_rng(seed).integers(1, classes, len(targets))
    return ((targets + step) % classes).astype(np.int32)


def located(maps_of: Mapping[str, Maps], truth: Located, key: str) -> Values:
    """Pointing game and energy on images whose evidence has a known place."""
    values: Values = {}
    for name, maps in maps_of.items():
        found = maps(truth.images, truth.targets)
        values[name] = {
            f"{key}_pointing": pointing.hits(found, truth.regions),
            f"{key}_energy": pointing.energy(found, truth.regions),
        }
    return values


def flat(*parts: Values) -> dict[str, NDArray[np.float64]]:
    """Every series under `metric/map`, for a file."""
    return {
        f"{metric}/{name}": series
        for part in parts
        for name, mine in part.items()
        for metric, series in mine.items()
    }


def merged(*parts: Values) -> Values:
    """Values of the same images and maps in one table."""
    return {
        name: {k: v for part in parts for k, v in part.get(name, {}).items()}
        for name in parts[0]
    }

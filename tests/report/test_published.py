"""The published ranking beside ours: ranks by SciPy, and only where it compares."""

import numpy as np
import pytest
from scipy import stats

from tessera import catalogue
from tessera.experiment import Exponential, Regime
from tessera.report import published

NAMES = ("plain", "ldam-drw", "balanced-softmax")


def renamed(study, *, data="CIFAR-10 (JPEG re-encoding)", classes=10, factor=100.0):
    """The small study's record as if its regimes were remedies on a long tail."""
    record, profile = study.record, Exponential(factor=factor)
    regimes = [
        Regime(name=name, profile=profile, remedy=catalogue.named(name))
        for name in NAMES
    ]
    known = [regime.name for regime in record.experiment.regimes]
    cells = [
        c.model_copy(update={"regime": NAMES[known.index(c.regime)]})
        for c in record.cells
    ]
    experiment = record.experiment.model_copy(update={"regimes": tuple(regimes)})
    names = tuple(f"class {i}" for i in range(classes))
    facts = record.data.model_copy(update={"name": data, "class_names": names})
    changes = {"experiment": experiment, "cells": tuple(cells), "data": facts}
    return record.model_copy(update=changes)


def test_a_comparable_study_stands_beside_the_published_ranking(study) -> None:
    record = renamed(study)
    text = published.beside_published(record)
    first = record.cells[0]
    ours = 100 * (1 - first.scores["accuracy"].mean)
    row = next(line for line in text.splitlines() if line.startswith("| plain |"))
    assert row.startswith(f"| plain | 29.64 | 3 | {ours:.1f} |")
    assert text.index("| ldam-drw |") < text.index("| balanced-softmax |")


@pytest.mark.parametrize(
    "change", [{"data": "photos"}, {"classes": 7}, {"factor": 10.0}], ids=str
)
def test_another_protocol_is_not_compared(study, change) -> None:
    assert published.beside_published(renamed(study, **change)) == ""


def test_every_published_name_is_a_remedy_of_the_catalogue() -> None:
    assert published.ERRORS.keys() <= catalogue.catalogue().keys()


@pytest.mark.parametrize("seed", range(5))
def test_the_correlation_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 6, (2, 12)).astype(float)
    expected = stats.spearmanr(first, second).statistic
    assert published.rank_correlation(list(first), list(second)) == pytest.approx(
        expected
    )


def test_the_p_value_is_scipys() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, 15))
    found = stats.spearmanr(first, second)
    assert f"p = {found.pvalue:.2f}" in published._sureness(found.statistic, 15)


def test_equal_orders_correlate_fully_and_opposite_ones_inversely() -> None:
    assert published.rank_correlation([1, 2, 3], [10, 20, 40]) == pytest.approx(1)
    assert published.rank_correlation([1, 2, 3], [3, 2, 0]) == pytest.approx(-1)

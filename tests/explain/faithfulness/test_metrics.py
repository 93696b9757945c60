import re

import pytest

from tessera.explain.faithfulness import metrics

EVERY = (
    *metrics.removal(16),
    *metrics.imputed((0.1, 0.5)),
    *metrics.MASKING,
    *metrics.COMPLEXITY,
    metrics.RANDOM_LOGIT,
    *metrics.stability(0.01, 3),
    *metrics.located("mosaic", "mosaic", 0.25),
    *metrics.located("planted", "glyph", 0.08),
)


def test_no_two_share_a_key():
    assert len({m.key for m in EVERY}) == len(EVERY) == 24


@pytest.mark.parametrize("metric", EVERY, ids=lambda m: m.key)
def test_each_says_where_it_comes_from_and_when_it_misleads(metric):
    assert re.search(r"\d{4}|share of", metric.source)
    assert len(metric.fails) > 20
    assert metric.high is None or metric.low < metric.high


def test_each_points_where_its_paper_says():
    arrows = {"↓": set(), "↑": set(), "·": set()}
    for metric in EVERY:
        arrows[metric.arrow].add(metric.key)
    removed = {"deletion_mean", "deletion_blur", "road_morf", "average_drop"}
    changed = {f"stability_{how}" for how in ("shift", "flip", "noise", "worst")}
    assert arrows["↓"] == {*removed, *changed, "random_logit"}
    assert arrows["·"] == {"brightness", "entropy", "gini", "bright_cells"}


def test_the_parameters_are_those_that_were_used():
    for metric in metrics.removal(64):
        assert metric.parameters["steps"] == "64"
        fill = metric.parameters.get("fill", "")
        assert ("blurred" in fill) == metric.key.endswith("_blur")
    for metric in metrics.located("planted", "glyph", 0.079):
        assert metric.parameters["chance"] == "0.079"
    assert metrics.imputed((0.2,))[0].parameters["shares removed"] == "0.2"


def test_ranges_are_those_of_the_formulas():
    ranges = {metric.key: (metric.low, metric.high) for metric in EVERY}
    expected = dict.fromkeys(ranges, (0, 1))
    # Differences of two shares, a correlation, and half a difference.
    expected |= dict.fromkeys(("insertion_minus_deletion", "random_logit"), (-1, 1))
    expected["road"] = (-0.5, 0.5)
    # A map can change by many times its own size.
    changes = [key for key in ranges if key.startswith("stability_")]
    expected |= dict.fromkeys(changes, (0, None))
    assert ranges == expected


def test_the_grid_of_mosaics_and_the_energy_have_each_their_paper():
    (_, mosaic), (_, glyph) = (
        metrics.located(k, k, 0.25) for k in ("mosaic", "planted")
    )
    assert (mosaic.source, glyph.source) == (metrics.GRID, metrics.ENERGY)

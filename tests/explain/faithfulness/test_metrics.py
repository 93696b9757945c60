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


@pytest.mark.parametrize(
    "key, arrow",
    [
        ("deletion_mean", "↓"),
        ("insertion_blur", "↑"),
        ("insertion_minus_deletion", "↑"),
        ("road_morf", "↓"),
        ("road_lerf", "↑"),
        ("road", "↑"),
        ("average_drop", "↓"),
        ("average_gain", "↑"),
        ("brightness", "·"),
        ("random_logit", "↓"),
        ("stability_worst", "↓"),
        ("mosaic_energy", "↑"),
    ],
)
def test_the_arrow_points_where_the_papers_say(key, arrow):
    (metric,) = (m for m in EVERY if m.key == key)
    assert metric.arrow == arrow


def test_the_parameters_are_those_that_were_used():
    deletion = metrics.removal(64)[0]
    assert deletion.parameters["steps"] == "64"
    assert metrics.imputed((0.2,))[0].parameters["shares removed"] == "0.2"

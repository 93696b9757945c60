"""Bootstrap intervals against theory and SciPy."""

import numpy as np
import pytest
from scipy import stats

from tessera.evaluation.faithfulness import decide
from tessera.explain.faithfulness import intervals


def test_the_interval_of_a_mean_is_that_of_the_normal_theory():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = intervals.interval(values, seed=0)
    reach = 1.96 * values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - reach, abs=0.03)
    assert found.high == pytest.approx(values.mean() + reach, abs=0.03)


def test_a_skewed_series_has_scipys_percentile_interval():
    values = np.random.default_rng(1).exponential(1, 60)
    # Hesterberg's wider level for 60 values, by hand: t(59) = 2.00100.
    level = 1 - 2 * stats.norm.cdf(-2.00100 * (60 / 59) ** 0.5)
    expected = stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=level,
        method="percentile",
        n_resamples=20_000,
        rng=1,
    ).confidence_interval
    found = intervals.means(values[:, None], seed=0, resamples=20_000)
    assert found.low[0] == pytest.approx(expected.low, abs=0.02)
    assert found.high[0] == pytest.approx(expected.high, abs=0.02)


def test_it_holds_the_truth_about_95_times_of_100():
    rng = np.random.default_rng(2)
    table = rng.normal(0, 1, (80, 1000))
    found = intervals.means(table, seed=0)
    covered = ((found.low < 0) & (found.high > 0)).mean()
    assert 0.92 < covered < 0.97


@pytest.mark.parametrize(("images", "plain"), [(5, 0.84), (10, 0.90), (20, 0.93)])
def test_of_few_images_it_holds_the_truth_nearly_as_often(images: int, plain: float):
    table = np.random.default_rng(3).normal(0, 1, (images, 2000))
    found = intervals.means(table, seed=0)
    covered = ((found.low < 0) & (found.high > 0)).mean()
    # Percentiles alone hold it `plain` of the time; at least half of what they lack.
    assert covered > (plain + 0.95) / 2


def test_fewer_than_five_images_have_a_mean_and_no_interval():
    found = intervals.interval(np.array([1.0, 2.0, 3.0, 6.0, np.nan]), seed=0)
    assert (found.mean, found.images) == (3.0, 4)
    assert found.low is None and found.high is None
    assert decide(found, "higher") == "undecided"


def test_of_few_images_the_percentiles_lie_further_out():
    # By hand: t(4; 0.975) = 2.776445, times sqrt(5 / 4).
    assert intervals.tail(5) == pytest.approx(stats.norm.cdf(-2.776445 * 1.25**0.5))


def test_as_many_images_are_drawn_as_there_are():
    values = np.array([[0.0], [0.0], [0.0], [0.0], [1.0]])
    found = intervals.means(values, seed=0, resamples=20_000)
    # Of five draws at 1/5 each, 4 or more are the 1 in 0.7 % and all five in 0.03 %.
    assert (found.low[0], found.high[0]) == (0.0, 0.8)


def test_rows_that_share_a_picture_count_as_one():
    rng = np.random.default_rng(4)
    pictures = rng.normal(0, 1, (40, 500))
    rows = np.repeat(pictures, 4, axis=0)  # four rows of each say the same
    unit = np.repeat(np.arange(40), 4)
    apart = intervals.means(pictures, seed=0)
    as_one = intervals.means(rows, seed=0, together=unit)
    np.testing.assert_allclose(as_one.low, apart.low)
    np.testing.assert_allclose(as_one.mean, apart.mean)
    assert as_one.images[0] == 160
    # Taken for independent, they would look twice as sure.
    alone = intervals.means(rows, seed=0)
    ratio = (apart.high - apart.low).mean() / (alone.high - alone.low).mean()
    assert ratio == pytest.approx(2, abs=0.15)


def test_the_dust_of_sums_is_zero():
    dust = np.array([1e-18, -2e-18, 0.0, 3e-18, 1e-18, 1e-18])
    found = intervals.interval(dust, seed=0)
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)
    # Nor a zero below zero, which would be printed with its sign.
    assert not np.signbit([found.mean, found.low, found.high]).any()
    assert decide(found, "lower") == "undecided"


def test_a_missing_value_is_left_out_of_its_own_mean_only():
    table = np.array([[1.0, np.nan], [3.0, 5.0]])
    found = intervals.means(table, seed=0)
    assert found.mean.tolist() == [2, 5]
    assert found.images.tolist() == [2, 1]


def test_images_without_a_value_make_no_resampled_mean_lower():
    table = np.full((20, 2), np.nan)
    table[:5, 0] = table[:4, 1] = 1.0
    found = intervals.means(table, seed=0)  # some draw none of the five
    assert (found.low[0], found.high[0]) == (1, 1)
    assert np.isnan([found.low[1], found.high[1]]).all()  # fewer than five


def test_without_values_there_is_no_interval():
    found = intervals.interval(np.full(3, np.nan), seed=0)
    assert (found.mean, found.low, found.high, found.images) == (None, None, None, 0)
    assert intervals.interval(np.empty(0), seed=0).mean is None


def test_one_seed_gives_one_interval():
    values = np.random.default_rng(0).random(20)
    same = [intervals.interval(values, seed=4) for _ in range(2)]
    assert same[0] == same[1] != intervals.interval(values, seed=5)

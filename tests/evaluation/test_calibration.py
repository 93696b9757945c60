import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tessera.evaluation import calibration as ours

CASES = st.lists(
    st.tuples(st.floats(0.01, 1.0), st.booleans()), min_size=1, max_size=60
).map(lambda pairs: tuple(map(np.array, zip(*pairs, strict=True))))


def binned(confidence, correct, edges):
    return ours.reliability(np.array(confidence), np.array(correct), edges)


def test_bins_by_hand():
    edges = ours.equal_width_edges(2)
    found = binned([0.2, 0.5, 0.8, 0.9], [True, False, True, True], edges)
    # 0.5 lies on the edge and belongs to the lower bin.
    assert found.count.tolist() == [2, 2]
    assert found.confidence == pytest.approx([0.35, 0.85])
    assert found.accuracy == pytest.approx([0.5, 1.0])
    assert ours.expected_error(found) == pytest.approx((0.15 + 0.15) / 2)
    assert ours.largest_error(found) == pytest.approx(0.15)


def test_an_empty_bin_counts_in_no_error():
    found = binned([0.4, 0.4], [True, False], ours.equal_width_edges(4))
    assert found.count.tolist() == [0, 2, 0, 0]
    assert np.isnan([found.confidence[[0, 2, 3]], found.accuracy[[0, 2, 3]]]).all()
    assert ours.expected_error(found) == pytest.approx(0.1)
    assert ours.largest_error(found) == pytest.approx(0.1)


def test_equal_mass_bins_hold_equally_many():
    confidence = np.arange(12, 0, -1) / 12
    edges = ours.equal_mass_edges(confidence, 3)
    assert edges == pytest.approx([0, 4 / 12, 8 / 12, 1])
    found = binned(confidence, np.ones(12, bool), edges)
    assert found.count.tolist() == [4, 4, 4]


def test_equal_confidences_share_a_bin_whatever_their_number():
    confidence = np.array([0.5] * 9 + [0.9])
    found = binned(confidence, np.ones(10, bool), ours.equal_mass_edges(confidence, 5))
    assert found.count.tolist() == [9, 1]


@given(CASES)
def test_a_loop_over_images_gives_the_same_error(case):
    confidence, correct = case
    total = 0.0
    for b in range(15):
        low, high = b / 15, (b + 1) / 15
        inside = [i for i, c in enumerate(confidence) if low < c <= high]
        if inside:
            gap = correct[inside].mean() - confidence[inside].mean()
            total += abs(gap) * len(inside) / len(confidence)
    found = binned(confidence, correct, ours.equal_width_edges())
    assert found.count.sum() == len(confidence)
    # A confidence within rounding of an edge may fall on either side.
    if not np.any(np.isclose((confidence * 15) % 1, 0, atol=1e-9)):
        assert ours.expected_error(found) == pytest.approx(total)


@given(CASES)
def test_no_binning_finds_less_than_the_overall_gap(case):
    confidence, correct = case
    overall = abs(correct.mean() - confidence.mean())
    for edges in (ours.equal_width_edges(), ours.equal_mass_edges(confidence)):
        found = binned(confidence, correct, edges)
        assert ours.expected_error(found) >= overall - 1e-12
        assert ours.largest_error(found) >= ours.expected_error(found) - 1e-12


def test_the_classwise_error_by_hand():
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]])
    labels = np.array([0, 0, 0, 1])
    # Class 0: said 0.9, true in 0.75. Class 1: said 0.1, true in 0.25.
    assert ours.classwise_error(shares, labels) == pytest.approx([0.15, 0.15])


@given(st.integers(0, 200), st.integers(1, 200))
def test_scipy_gives_the_same_wilson_interval(successes, trials):
    successes = min(successes, trials)
    low, high = ours.wilson(np.array([successes]), np.array([trials]))
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_interval_of_none_begins_at_zero_and_that_of_all_ends_at_one():
    trials = np.arange(1, 200)
    assert (ours.wilson(0 * trials, trials)[0] == 0).all()
    assert (ours.wilson(trials, trials)[1] == 1).all()


def test_no_trial_has_no_interval():
    low, high = ours.wilson(np.array([0.0]), np.array([0]))
    assert np.isnan([low, high]).all()

import numpy as np
import pytest

from tessera.evaluation.gap import gap_closed


def test_the_share_is_a_ratio_of_means():
    found = gap_closed([0.55, 0.66], [0.50, 0.60], [0.70, 0.81])
    # Gains 0.05 and 0.06, gaps 0.20 and 0.21.
    assert found.gap == pytest.approx(0.205)
    assert found.value == pytest.approx(0.055 / 0.205)


def test_plain_training_closes_nothing_and_balanced_data_everything():
    plain, balanced = [0.50, 0.52, 0.51], [0.70, 0.73, 0.71]
    none = gap_closed(plain, plain, balanced)
    assert (none.value, none.low, none.high) == pytest.approx((0, 0, 0))
    whole = gap_closed(balanced, plain, balanced)
    assert (whole.value, whole.low, whole.high) == pytest.approx((1, 1, 1))


def test_the_same_share_at_every_seed_leaves_no_doubt_about_it():
    plain = np.array([0.45, 0.41, 0.40, 0.56, 0.58])
    gaps = np.array([0.22, 0.25, 0.21, 0.29, 0.26])
    # Fieller's two roots are one: rounding puts what is under the root below zero.
    found = gap_closed(list(plain + 0.4 * gaps), list(plain), list(plain + gaps))
    assert (found.low, found.high) == pytest.approx((0.4, 0.4))


def test_a_gap_that_is_not_decided_leaves_nothing_to_close():
    found = gap_closed([0.6, 0.7], [0.5, 0.6], [0.52, 0.70])
    assert found.gap == pytest.approx(0.06)
    assert (found.value, found.low, found.high) == (None, None, None)


def test_a_single_seed_has_no_share():
    assert gap_closed([0.6], [0.5], [0.9]).value is None


def test_the_ends_are_where_the_ratios_own_t_test_stands_at_its_limit():
    rng = np.random.default_rng(2)
    plain = 0.5 + rng.normal(0, 0.01, 6)
    balanced = plain + 0.2 + rng.normal(0, 0.02, 6)
    remedy = plain + 0.12 + rng.normal(0, 0.02, 6)
    found = gap_closed(list(remedy), list(plain), list(balanced))
    assert found.low < found.value < found.high
    for rho in (found.low, found.high):
        rest = (remedy - plain) - rho * (balanced - plain)
        t = rest.mean() / (rest.std(ddof=1) / 6**0.5)
        # t(5) at 97.5 %, from a table.
        assert abs(t) == pytest.approx(2.5706, abs=1e-3)


def test_the_interval_covers_the_true_share_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(1500):
        plain = rng.normal(0.5, 0.02, 4)
        balanced = plain + rng.normal(0.2, 0.02, 4)
        remedy = plain + rng.normal(0.1, 0.02, 4)
        found = gap_closed(list(remedy), list(plain), list(balanced))
        if found.low is not None:
            inside.append(found.low <= 0.5 <= found.high)
    assert len(inside) > 1400
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def test_unequal_seeds_are_an_error():
    with pytest.raises(ValueError, match="same seeds"):
        gap_closed([0.6], [0.5, 0.5], [0.9, 0.9])

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from tessera.evaluation import differences as ours

VALUES = st.lists(st.floats(-1, 1), min_size=2, max_size=12)


def test_mean_and_sample_deviation_by_hand():
    over = ours.spread([0.1, 0.3])
    assert over.mean == pytest.approx(0.2)
    assert over.deviation == pytest.approx(0.1 * 2**0.5)


def test_a_single_seed_has_no_spread():
    assert ours.spread([0.5]).deviation is None


@given(VALUES)
def test_scipys_paired_t_test_gives_the_same_interval(values):
    assume(np.std(values) > 1e-6)
    found = ours.difference(values, [0.0] * len(values))
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)


@given(VALUES)
def test_swapping_the_recipes_flips_the_sign_and_the_decision(values):
    zeros = [0.0] * len(values)
    one, other = ours.difference(values, zeros), ours.difference(zeros, values)
    assert other.mean == pytest.approx(-one.mean)
    opposite = {"above": "below", "below": "above", "undecided": "undecided"}
    assert other.decision == opposite[one.decision]


def test_a_clear_difference_is_decided():
    assert ours.of_values([0.10, 0.11, 0.12]).decision == "above"
    assert ours.of_values([-0.10, -0.11, -0.12]).decision == "below"


def test_two_seeds_have_one_degree_of_freedom_and_a_wide_interval():
    found = ours.of_values([0.02, 0.04])
    # t(1) at 97.5 % is tan(0.475 pi) = 12.706; s / sqrt(2) is 0.01.
    assert found.high == pytest.approx(0.03 + 0.01 * np.tan(0.475 * np.pi))
    assert found.decision == "undecided"
    # scipy.stats.nct: the power is 79.8 % with four seeds and 93.6 % with five.
    assert found.seeds_to_decide == 5


def test_a_single_seed_decides_nothing():
    found = ours.of_values([0.5])
    assert (found.decision, found.low, found.n) == ("undecided", None, 1)


def test_equal_differences_are_a_coincidence_and_decide_nothing():
    assert ours.of_values([0.25, 0.25]).decision == "undecided"


def test_a_decided_difference_needs_no_more_seeds():
    assert ours.of_values([0.10, 0.11, 0.12]).seeds_to_decide is None


def test_no_difference_is_beyond_any_number_of_seeds():
    assert ours.of_values([0.1, -0.1]).seeds_to_decide is None


@given(st.floats(0.1, 4), st.integers(2, 60))
def test_power_is_that_of_the_noncentral_t_distribution(effect, seeds):
    critical = stats.t(seeds - 1).ppf(0.975)
    expected = stats.nct(seeds - 1, effect * seeds**0.5).sf(critical)
    assert ours.power(effect, 1.0, seeds) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("effect", [9.0, 9.3])
def test_power_is_one_far_out_where_scipy_has_no_number(effect):
    assert np.isnan(special.nctdtr(19, effect * 20**0.5, stats.t(19).ppf(0.975)))
    assert ours.power(effect, 1.0, 20) == 1.0


@pytest.mark.parametrize(("effect", "seeds"), [(0.5, 34), (0.8, 15), (1.0, 10)])
def test_the_seeds_needed_are_those_of_published_power_tables(effect, seeds):
    # Paired t-test, 80 % power, two-sided 5 %: Cohen 1988; G*Power gives the same.
    assert ours.seeds_to_decide(effect, 1.0, more_than=2) == seeds
    assert ours.seeds_to_decide(-effect, 1.0, more_than=2) == seeds


def test_the_seeds_needed_are_told_up_to_a_thousand():
    def missing(effect):
        critical = stats.t(999).ppf(0.975)
        return stats.nct(999, effect * 1000**0.5).sf(critical) - 0.8

    least = optimize.brentq(missing, 0.05, 0.2)
    assert ours.seeds_to_decide(1.0001 * least, 1.0, more_than=2) == 1000
    assert ours.seeds_to_decide(0.9999 * least, 1.0, more_than=2) is None


def test_the_seeds_needed_exceed_those_already_spent():
    assert ours.seeds_to_decide(3.0, 1.0, more_than=20) == 21


def test_bounds_of_a_deviation_are_those_of_the_chi_square_distribution():
    lower, upper = ours.deviation_bounds(2.0, 5)
    assert lower == pytest.approx(2 * (4 / stats.chi2(4).ppf(0.95)) ** 0.5)
    assert upper == pytest.approx(2 * (4 / stats.chi2(4).ppf(0.05)) ** 0.5)


@pytest.mark.parametrize("bar", [1.6, 2.7])
def test_the_seeds_that_bound_a_deviation_are_the_first_to_part_it_from_the_bar(bar):
    def parted(seeds):
        tails = stats.chi2(seeds - 1).ppf([0.95, 0.05])
        low, high = 2.0 * np.sqrt((seeds - 1) / tails)
        return low > bar or high < bar

    needed = ours.seeds_to_bound(2.0, bar)
    assert parted(needed)
    assert not any(parted(n) for n in range(2, needed))


def test_a_deviation_at_the_bar_is_beyond_any_number_of_seeds():
    assert ours.seeds_to_bound(2.0, 2.0) is None


@pytest.mark.parametrize("seeds", [2, 3, 4, 5, 8])
def test_no_shares_deviate_more_than_the_largest_deviation(seeds):
    ends = [np.std([0] * (seeds - n) + [1] * n, ddof=1) for n in range(seeds + 1)]
    # Half of an odd number of seeds there is not: the bound is then not reached.
    assert ours.largest_deviation(seeds) >= max(ends) - 1e-12
    if seeds % 2 == 0:
        assert ours.largest_deviation(seeds) == pytest.approx(max(ends))


def test_unequal_seeds_are_an_error():
    with pytest.raises(ValueError, match="same seeds"):
        ours.difference([0.1, 0.2], [0.1])


def test_no_value_is_an_error():
    with pytest.raises(ValueError, match="at least one seed"):
        ours.spread([])

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from tessera.evaluation import significance as ours

VALUES = st.lists(st.floats(-1, 1), min_size=2, max_size=8)


def models(b, c, both=5, neither=3):
    """Two models of which the first alone is right b times, the second c times."""
    last = [True] * both + [False] * neither
    first = np.array([True] * b + [False] * c + last)
    second = np.array([False] * b + [True] * c + last)
    return first, second


@given(st.integers(0, 12), st.integers(0, 12))
@example(0, 0)
@example(12, 12)
def test_few_discordant_images_get_the_exact_binomial_test(b, c):
    found = ours.mcnemar(*models(b, c))
    assert (found.first_only, found.second_only, found.exact) == (b, c, True)
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert found.p == pytest.approx(expected)


@given(st.integers(13, 60), st.integers(12, 60))
def test_many_get_the_continuity_corrected_chi_square_test(b, c):
    found = ours.mcnemar(*models(b, c))
    statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
    assert not found.exact
    assert found.p == pytest.approx(stats.chi2(1).sf(statistic))


def test_swapping_the_models_swaps_the_counts_and_keeps_the_p():
    one, other = ours.mcnemar(*models(7, 2)), ours.mcnemar(*models(2, 7))
    assert (one.first_only, one.second_only) == (other.second_only, other.first_only)
    assert one.p == other.p


@given(VALUES)
def test_scipy_gives_the_same_paired_t_test(values):
    assume(np.std(values) > 1e-6)
    expected = stats.ttest_1samp(values, 0.0).pvalue
    assert ours.paired_t(values) == pytest.approx(expected, abs=1e-9)


def test_a_single_seed_and_equal_seeds_have_no_t_test():
    assert ours.paired_t([0.3]) is None
    assert ours.paired_t([0.25, 0.25, 0.25]) is None


@given(st.lists(st.integers(-99, 99).map(lambda n: n / 100), min_size=2, max_size=8))
def test_scipy_gives_the_same_sign_flip_test(values):
    found = stats.permutation_test(
        (np.array(values),), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    means = np.abs(np.asarray(found.null_distribution))
    expected = np.mean(means >= abs(np.mean(values)) - 1e-9)
    assert ours.sign_flips(values) == pytest.approx(expected)


@pytest.mark.parametrize("seeds", [1, 2, 5, 14])
def test_clear_differences_reach_the_floor_and_not_below(seeds):
    values = [0.1 + 0.01 * i for i in range(seeds)]
    assert ours.sign_flips(values) == ours.sign_floor(seeds) == 2 / 2**seeds


def test_many_seeds_are_flipped_at_random_and_repeatably():
    rng = np.random.default_rng(3)
    values = list(rng.normal(0.3, 1, 20))
    found = ours.sign_flips(values)
    assert found == ours.sign_flips(values)
    assert found == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.03)


def test_what_was_found_is_one_of_the_random_flips_so_that_no_p_is_zero():
    # Of 2^14 choices of signs, no other reaches a mean whose signs all agree.
    assert ours.sign_flips([0.1 + 0.01 * i for i in range(20)]) == 1 / 2**14


def test_holms_example_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04: times 4, 3, 2, 1, never falling.
    found = ours.holm([0.01, 0.04, 0.03, 0.005])
    assert found == pytest.approx((0.03, 0.06, 0.06, 0.02))


def test_a_comparison_without_a_test_still_counts_in_the_family():
    assert ours.holm([0.01, None]) == (pytest.approx(0.02), None)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_no_correction_and_bonferronis(p_values):
    found = ours.holm(p_values)
    for p, adjusted in zip(p_values, found, strict=True):
        assert p <= adjusted <= min(1.0, len(p_values) * p) + 1e-12


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.randoms())
def test_holm_does_not_depend_on_the_order(p_values, random):
    order = random.sample(range(len(p_values)), len(p_values))
    found, shuffled = ours.holm(p_values), ours.holm([p_values[i] for i in order])
    assert shuffled == tuple(found[i] for i in order)


def test_holm_keeps_the_rate_of_any_false_claim_below_five_percent():
    rng = np.random.default_rng(0)
    trials = rng.uniform(size=(4000, 6))
    wrong = np.mean([min(ours.holm(list(row))) < 0.05 for row in trials])
    assert wrong == pytest.approx(0.05, abs=0.012)

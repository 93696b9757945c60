"""An ablation's intervals: seeds are blocks, and one variance serves all variants."""

import numpy as np
import pytest
from scipy import stats

from tessera.evaluation.blocks import against_first
from tessera.evaluation.differences import difference


def test_two_variants_are_compared_as_paired_seeds_are() -> None:
    first, second = [0.61, 0.64, 0.60, 0.66], [0.66, 0.65, 0.64, 0.69]
    (found,) = against_first([first, second])
    paired = difference(second, first)
    assert (found.mean, found.low, found.high) == pytest.approx(
        (paired.mean, paired.low, paired.high)
    )
    assert found.p_value == pytest.approx(stats.ttest_rel(second, first).pvalue)


def test_three_variants_by_hand() -> None:
    # Residuals of rows (1, 3), (2, 2), (6, 7) about rows and columns: +-1/2, 0.5, 0.
    found = against_first([[1.0, 3.0], [2.0, 2.0], [6.0, 7.0]])
    square_sum = 4 * 0.25  # rows 1 and 2 are off by -+0.5, row 3 by nothing
    half = stats.t.ppf(0.975, 2) * np.sqrt(2 * square_sum / 2 / 2)
    assert [c.mean for c in found] == [0.0, 4.5]
    assert [c.high - c.mean for c in found] == pytest.approx([half, half])
    assert [c.mean - c.low for c in found] == pytest.approx([half, half])
    alone = 2 * stats.t.sf(4.5 / np.sqrt(0.5), 2)
    assert found[1].p_value == pytest.approx(2 * alone)  # Holm: times two


def test_what_all_variants_gain_on_one_seed_changes_nothing() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 3))
    shifted = scores + np.array([0.0, 5.0, -2.0])
    for one, other in zip(against_first(scores), against_first(shifted), strict=True):
        assert one.low == pytest.approx(other.low)
        assert one.p_value == pytest.approx(other.p_value)


def test_equal_scores_are_not_decided() -> None:
    (found,) = against_first([[0.5, 0.5], [0.5, 0.5]])
    assert (found.mean, found.p_value, found.decided) == (0.0, 1.0, False)


@pytest.mark.parametrize("second", [0.805, 0.5])
def test_a_difference_without_scatter_is_a_coincidence_of_rounding(second) -> None:
    scores = [[0.80, 0.81], [second, second + 0.01], [0.7, 0.71]]
    for found in against_first(scores):
        assert (found.low, found.high, found.decided) == (None, None, False)


def test_a_clear_difference_is_decided() -> None:
    rng = np.random.default_rng(1)
    scores = 0.5 + 0.001 * rng.normal(size=(5, 3))
    scores[4] -= 0.1
    found = against_first(scores)
    assert found[3].decided
    assert found[3].high < 0


@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (4,)], ids=str)
def test_one_seed_or_one_variant_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 2 variants and 2 seeds"):
        against_first(np.zeros(shape))

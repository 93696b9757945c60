"""Rank correlation against SciPy, SSIM against its definition window by window."""

import numpy as np
import pytest
from scipy import stats

from tessera.explain.faithfulness import similarity

RNG = np.random.default_rng(0)
FIRST = RNG.normal(size=(5, 8, 8)).astype(np.float32)
SECOND = (FIRST + RNG.normal(size=(5, 8, 8))).astype(np.float32)


def test_spearman_is_scipys_even_with_ties():
    tied = [np.maximum(x, 0) for x in (FIRST, SECOND)]
    for one, two in ((FIRST, SECOND), tied):
        expected = [
            stats.spearmanr(a.ravel(), b.ravel()).statistic
            for a, b in zip(one, two, strict=True)
        ]
        np.testing.assert_allclose(similarity.spearman(one, two), expected)


def test_spearman_knows_the_extremes():
    assert similarity.spearman(FIRST, np.exp(FIRST)) == pytest.approx(np.ones(5))
    assert similarity.spearman(FIRST, -FIRST) == pytest.approx(-np.ones(5))


def test_a_map_without_order_has_no_rank_correlation():
    broken = np.where(np.arange(8) == 3, np.nan, FIRST)
    endless = np.where(np.arange(8) == 3, np.inf, FIRST)
    for maps in (np.zeros_like(FIRST), broken, endless):
        assert np.isnan(similarity.spearman(FIRST, maps)).all()


def by_definition(one: np.ndarray, two: np.ndarray, side: int) -> float:
    one, two = (np.maximum(x, 0) / np.maximum(x, 0).max() for x in (one, two))
    values = []
    for i in range(one.shape[0] - side + 1):
        for j in range(one.shape[1] - side + 1):
            a = one[i : i + side, j : j + side].astype(np.float64).ravel()
            b = two[i : i + side, j : j + side].astype(np.float64).ravel()
            cov = np.cov(a, b)
            top = (2 * a.mean() * b.mean() + 1e-4) * (2 * cov[0, 1] + 9e-4)
            bottom = (a.mean() ** 2 + b.mean() ** 2 + 1e-4) * (np.trace(cov) + 9e-4)
            values.append(top / bottom)
    return float(np.mean(values))


@pytest.mark.parametrize("cells, side", [(8, 7), (5, 5), (4, 3)])
def test_ssim_follows_its_definition(cells, side):
    one, two = FIRST[:, :cells], SECOND[:, :cells]
    expected = [by_definition(a, b, side) for a, b in zip(one, two, strict=True)]
    np.testing.assert_allclose(similarity.ssim(one, two), expected, atol=1e-6)


def test_two_blank_maps_are_alike():
    blank = np.zeros_like(FIRST)
    assert similarity.ssim(blank, blank).tolist() == [1] * 5


def test_a_map_is_like_itself_however_strong_it_is():
    for times in (9, 0.01):
        found = similarity.ssim(FIRST, np.float32(times) * FIRST)
        np.testing.assert_allclose(found, 1, atol=1e-5)


def test_the_change_is_relative_to_the_map_before():
    before = np.float32([[[3], [4]], [[0], [2]]])
    after = np.float32([[[3], [0]], [[6], [2]]])
    assert similarity.change(before, after).tolist() == pytest.approx([4 / 5, 3])
    assert similarity.change(before, before).tolist() == [0, 0]
    assert np.isnan(similarity.change(np.zeros_like(before), after)).all()

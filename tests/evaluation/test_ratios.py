"""Shares and means where the divisor may be zero."""

import numpy as np

from tessera.evaluation.ratios import known_mean, ratio


def test_a_ratio_broadcasts_and_names_what_is_over_zero() -> None:
    above, below = np.array([[1, 2], [3, 4]]), np.array([[2], [0]])
    np.testing.assert_array_equal(ratio(above, below), [[0.5, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(ratio([1, 0], 0, np.nan), [np.nan, np.nan])


def test_a_mean_leaves_out_what_is_not_known_and_nothing_else() -> None:
    values = np.array([[1.0, np.nan, 4.0], [np.nan] * 3, [0.0, -np.inf, np.nan]])
    np.testing.assert_array_equal(known_mean(values), [2.5, np.nan, -np.inf])
    np.testing.assert_array_equal(known_mean(values[:1], axis=0), [1.0, np.nan, 4.0])

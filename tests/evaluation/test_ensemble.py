"""Runs asked together: the mean of their probabilities."""

import numpy as np
import pytest

from tessera.evaluation.ensemble import mean_probabilities


def test_probabilities_are_averaged_and_not_logits() -> None:
    # ln 3 and 0: (3/4, 1/4). ln 1 and 0: (1/2, 1/2). Mean: (5/8, 3/8).
    one = np.array([[np.log(3), 0]], np.float32)
    other = np.array([[0, 0]], np.float32)
    found = mean_probabilities([one, other], [1.0, 1.0])
    assert found == pytest.approx(np.array([[5 / 8, 3 / 8]]))


def test_each_member_has_a_temperature_of_its_own() -> None:
    # 2 ln 3 / 2 = ln 3: (3/4, 1/4); 0.5 ln 3 / 0.5 as well.
    one = np.array([[2 * np.log(3), 0]], np.float32)
    other = np.array([[0.5 * np.log(3), 0]], np.float32)
    found = mean_probabilities([one, other], [2.0, 0.5])
    assert found == pytest.approx(np.array([[3 / 4, 1 / 4]]))

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.evaluation import selection as ours


def test_risk_by_hand():
    over = ours.risks(np.array([0.9, 0.6, 0.8]), np.array([True, False, False]))
    # Surest first: right, wrong, wrong.
    assert over == pytest.approx([0, 1 / 2, 2 / 3])
    assert ours.area(over) == pytest.approx((0 + 1 / 2 + 2 / 3) / 3)


def test_answering_everything_has_the_risk_of_the_error_rate():
    over = ours.risks(np.array([0.4, 0.9, 0.5, 0.7]), np.array([1, 0, 1, 1], bool))
    assert over[-1] == pytest.approx(1 / 4)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.5, 0.7]), st.booleans()), min_size=1, max_size=6
    )
)
def test_ties_count_as_all_their_orders_do_on_average(pairs):
    confidence, correct = map(np.array, zip(*pairs, strict=True))
    orders = [
        [correct[i] for i in order]
        for order in itertools.permutations(range(len(pairs)))
        if all(confidence[a] >= confidence[b] for a, b in itertools.pairwise(order))
    ]
    ranks = np.arange(1, len(pairs) + 1)
    curves = [np.cumsum(~np.array(order)) / ranks for order in orders]
    assert ours.risks(confidence, correct) == pytest.approx(np.mean(curves, axis=0))


def test_the_best_possible_order_has_the_lowest_area():
    correct = np.array([True] * 8 + [False] * 2)
    best = ours.area(ours.risks(np.linspace(1, 0.1, 10), correct))
    worst = ours.area(ours.risks(np.linspace(0.1, 1, 10), correct))
    assert best == pytest.approx((1 / 9 + 2 / 10) / 10)
    assert best < worst

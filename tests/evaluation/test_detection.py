import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics

from tessera.evaluation import detection as ours

CASES = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8]), st.booleans()),
    min_size=2,
    max_size=40,
).map(lambda pairs: tuple(map(np.array, zip(*pairs, strict=True))))


@given(CASES)
def test_scikit_learn_gives_the_same_areas_ties_included(case):
    scores, positive = case
    assume(0 < positive.sum() < len(positive))
    found = ours.curve(scores, positive)
    assert ours.area(found) == pytest.approx(metrics.roc_auc_score(positive, scores))
    expected = metrics.average_precision_score(positive, scores)
    assert ours.average_precision(found) == pytest.approx(expected)


def test_a_curve_by_hand():
    found = ours.curve(np.array([0.9, 0.7, 0.5]), np.array([True, False, True]))
    assert found.hits == pytest.approx([0, 0.5, 0.5, 1])
    assert found.false_alarms == pytest.approx([0, 0, 1, 1])
    assert found.precision == pytest.approx([1, 1, 0.5, 2 / 3])
    assert ours.area(found) == pytest.approx(0.5)
    assert ours.average_precision(found) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_scores_that_say_nothing_have_half_the_area_and_the_share_as_precision():
    found = ours.curve(np.full(5, 0.2), np.array([True, False, False, False, True]))
    assert ours.area(found) == 0.5
    assert ours.average_precision(found) == pytest.approx(0.4)


def test_a_class_without_images_has_no_curve_and_counts_in_no_mean():
    shares = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.5, 0.4, 0.1]])
    found = ours.curves(shares, np.array([0, 1, 1]))
    assert found[2] is None
    auc, precision = ours.macro(found)
    assert (auc, precision) == (1.0, 1.0)


def test_scikit_learn_gives_the_same_macro_area():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(4), 200)
    labels = rng.integers(0, 4, 200)
    expected = metrics.roc_auc_score(labels, shares, multi_class="ovr")
    assert ours.macro(ours.curves(shares, labels))[0] == pytest.approx(expected)


def test_a_single_class_has_no_area():
    with pytest.raises(ValueError, match="at least two classes"):
        ours.macro(ours.curves(np.array([[0.6, 0.4]]), np.array([0])))

"""Intervals against another library, and against repeated draws."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix

from tessera.evaluation import outcomes, scores
from tessera.export import uncertainty


@pytest.mark.parametrize(("right", "trials"), [(0, 10), (5, 10), (93, 100), (7, 7)])
def test_wilsons_interval_is_scipys(right: int, trials: int) -> None:
    expected = stats.binomtest(right, trials).proportion_ci(method="wilson")
    found = uncertainty.wilson(right, trials)
    np.testing.assert_allclose(found, [expected.low, expected.high], atol=1e-12)
    assert (found[0] == 0.0) == (right == 0)
    assert (found[1] == 1.0) == (right == trials)


def test_without_trials_nothing_is_known() -> None:
    assert uncertainty.wilson(0, 0) == (0.0, 1.0)


def test_the_bootstrap_of_one_classs_recall_has_the_binomials_width() -> None:
    matrix = np.array([[700, 300], [0, 1000]])
    found = uncertainty.bootstrap(matrix, "worst_class_recall")
    assert found is not None
    low, high = found
    deviation = np.sqrt(0.7 * 0.3 / 1000)
    assert low == pytest.approx(0.7 - 1.96 * deviation, abs=0.005)
    assert high == pytest.approx(0.7 + 1.96 * deviation, abs=0.005)


def test_a_perfect_model_has_no_spread_and_an_empty_class_no_say() -> None:
    matrix = np.diag([10, 20, 0])
    assert uncertainty.bootstrap(matrix, "macro_f1") == (1.0, 1.0)


def test_a_class_of_few_images_leaves_no_interval() -> None:
    assert uncertainty.bootstrap(np.diag([10, 4]), "macro_f1") is None
    assert uncertainty.bootstrap(np.diag([10, 5]), "macro_f1") is not None


def test_the_interval_holds_the_score() -> None:
    matrix = np.array([[8, 2, 0], [1, 5, 4], [0, 0, 10]])
    score = scores.from_confusion(matrix, ("a", "b", "c")).macro_f1
    found = uncertainty.bootstrap(matrix, "macro_f1")
    assert found is not None and found[0] < score < found[1]


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "g_mean"])
def test_a_card_and_a_report_give_one_interval(name: str) -> None:
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(3, size=200), rng.normal(size=(200, 3))
    matrix = confusion_matrix(labels, logits.argmax(axis=1))
    outcome = outcomes.Outcome(logits.astype(np.float32), labels.astype(np.int32), None)
    reported = outcomes.run_intervals(outcome, replicates=uncertainty.DRAWS)[name]
    assert uncertainty.bootstrap(matrix, name) == (reported.low, reported.high)

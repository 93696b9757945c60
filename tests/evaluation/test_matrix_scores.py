import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from tessera.evaluation import matrix_scores as ours
from tessera.evaluation.scores import confusion_matrix


@st.composite
def predictions(draw, least=1):
    """Labels of 2 to 6 classes; some absent, some never predicted."""
    classes = draw(st.integers(2, 6))
    size = draw(st.integers(least, 40))
    label = st.integers(0, classes - 1)
    labels, predicted = (
        np.array(draw(st.lists(label, min_size=size, max_size=size)), np.int32)
        for _ in range(2)
    )
    return labels, predicted, confusion_matrix(labels, predicted, classes)


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(predictions())
def test_scikit_learn_gives_the_same_correlation(case):
    labels, predicted, matrix = case
    expected = metrics.matthews_corrcoef(labels, predicted)
    assert ours.mcc(matrix) == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@given(predictions())
def test_scikit_learn_gives_the_same_chance_adjusted_balanced_accuracy(case):
    labels, predicted, matrix = case
    if len(np.unique(labels)) < 2:
        assert np.isnan(ours.chance_adjusted(matrix))
        return
    expected = metrics.balanced_accuracy_score(labels, predicted, adjusted=True)
    assert ours.chance_adjusted(matrix) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_scikit_learn_gives_the_scores_of_every_matrix_of_a_stack():
    labels, said = np.random.default_rng(0).integers(0, 4, (2, 5, 60))
    labels[0] %= 3  # the first has no test image of class 3
    stack = np.stack(
        [confusion_matrix(y, p, 4) for y, p in zip(labels, said, strict=True)]
    )
    found = {name: ours.score(name)(stack) for name in ours.SCORES}
    for i, (y, p) in enumerate(zip(labels, said, strict=True)):
        present = {"labels": np.unique(y), "average": None}
        recalls = metrics.recall_score(y, p, **present)
        assert {name: values[i] for name, values in found.items()} == pytest.approx(
            {
                "accuracy": metrics.accuracy_score(y, p),
                "balanced_accuracy": metrics.balanced_accuracy_score(y, p),
                "macro_f1": metrics.f1_score(y, p, **present).mean(),
                "worst_class_recall": recalls.min(),
                "chance_adjusted": metrics.balanced_accuracy_score(y, p, adjusted=True),
                "g_mean": stats.gmean(recalls),
                "mcc": metrics.matthews_corrcoef(y, p),
            }
        )


def test_the_geometric_mean_by_hand():
    # Recalls 1/2, 1/4 and 1: the cube root of 1/8.
    matrix = np.array([[2, 2, 0], [3, 1, 0], [0, 0, 5]])
    assert ours.g_mean(matrix) == pytest.approx(0.5)


def test_one_class_that_is_never_found_makes_the_geometric_mean_zero():
    matrix = np.array([[4, 0], [4, 0]])
    assert ours.g_mean(matrix) == 0


def test_many_small_recalls_do_not_underflow():
    classes = 400
    matrix = np.full((classes, classes), 1)
    # Every recall is 1/400; their product, 400^-400, is no float.
    assert ours.g_mean(matrix) == pytest.approx(1 / classes)


def test_a_class_without_test_images_counts_in_no_average():
    matrix = np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    assert ours.balanced_accuracy(matrix) == pytest.approx((0.75 + 1) / 2)
    assert ours.g_mean(matrix) == pytest.approx(0.75**0.5)
    assert np.isnan(ours.group_recall(matrix, [2]))


@given(predictions(), st.randoms())
def test_renaming_the_classes_changes_no_average(case, random):
    *_, matrix = case
    order = np.array(random.sample(range(len(matrix)), len(matrix)))
    renamed = matrix[np.ix_(order, order)]
    for name in ("macro_f1", "g_mean", "mcc", "balanced_accuracy"):
        score = ours.score(name)
        assert score(renamed) == pytest.approx(score(matrix), nan_ok=True)


def test_the_recall_of_a_group_is_the_mean_of_its_members():
    matrix = np.diag([1, 2, 3]) + np.array([[0, 3, 0], [2, 0, 0], [0, 0, 0]])
    of_group = ours.score("group_recall", [0, 1])
    assert of_group(matrix) == pytest.approx((0.25 + 0.5) / 2)


def test_an_unknown_score_is_refused_by_name():
    with pytest.raises(ValueError, match="'f2'"):
        ours.score("f2")

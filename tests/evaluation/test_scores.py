import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tessera.evaluation import scores as ours


def names(classes):
    return [f"class {i}" for i in range(classes)]


@st.composite
def predictions(draw):
    """Labels of up to 6 classes; some absent, some never predicted."""
    classes = draw(st.integers(1, 6))
    size = draw(st.integers(1, 40))
    label = st.integers(0, classes - 1)
    return (
        np.array(draw(st.lists(label, min_size=size, max_size=size)), np.int32),
        np.array(draw(st.lists(label, min_size=size, max_size=size)), np.int32),
        classes,
    )


def test_rows_are_true_classes_and_columns_predicted_ones():
    matrix = ours.confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    assert matrix.tolist() == [[1, 1], [0, 1]]


def test_every_score_of_a_small_matrix_by_hand():
    scores = ours.from_confusion(np.array([[3, 1], [2, 2]]), ["cat", "dog"])
    assert scores.accuracy == 5 / 8
    cat, dog = scores.per_class
    assert (cat.precision, cat.recall, cat.support) == (3 / 5, 3 / 4, 4)
    assert (dog.precision, dog.recall, dog.support) == (2 / 3, 2 / 4, 4)
    assert cat.f1 == pytest.approx(2 * 3 / (4 + 5))
    assert dog.f1 == pytest.approx(2 * 2 / (4 + 3))
    assert scores.macro_f1 == pytest.approx((6 / 9 + 4 / 7) / 2)
    assert scores.balanced_accuracy == (3 / 4 + 2 / 4) / 2
    assert scores.worst_class_recall == 1 / 2


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(predictions())
def test_scikit_learn_agrees_on_the_matrix_and_on_every_class(case):
    labels, predicted, classes = case
    scores = ours.scores(labels, predicted, names(classes))
    every = range(classes)
    assert np.array_equal(
        scores.confusion_matrix,
        metrics.confusion_matrix(labels, predicted, labels=every),
    )
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=0
    )
    for i, c in enumerate(scores.per_class):
        assert c.precision == pytest.approx(precision[i])
        assert c.recall == pytest.approx(recall[i])
        assert c.f1 == pytest.approx(f1[i])
        assert c.support == support[i]


@given(predictions())
def test_scikit_learn_agrees_on_the_averages_over_classes_with_test_images(case):
    labels, predicted, classes = case
    scores = ours.scores(labels, predicted, names(classes))
    present = np.unique(labels)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(labels, predicted))
    for average in ("macro", "weighted"):
        expected = metrics.precision_recall_fscore_support(
            labels, predicted, labels=present, average=average, zero_division=0
        )[:3]
        for name, value in zip(("precision", "recall", "f1"), expected, strict=True):
            assert getattr(scores, f"{average}_{name}") == pytest.approx(value)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@given(predictions())
def test_scikit_learn_agrees_on_balanced_accuracy(case):
    labels, predicted, classes = case
    scores = ours.scores(labels, predicted, names(classes))
    expected = metrics.balanced_accuracy_score(labels, predicted)
    assert scores.balanced_accuracy == pytest.approx(expected)


@given(predictions(), st.randoms())
def test_renaming_the_classes_permutes_the_scores(case, random):
    labels, predicted, classes = case
    order = np.array(random.sample(range(classes), classes))
    before = ours.scores(labels, predicted, names(classes))
    after = ours.scores(order[labels], order[predicted], names(classes))
    assert after.macro_f1 == pytest.approx(before.macro_f1)
    for i in range(classes):
        assert after.per_class[order[i]].f1 == before.per_class[i].f1


def test_a_class_that_is_never_predicted_has_precision_zero_and_is_named():
    scores = ours.scores(np.array([0, 1]), np.array([0, 0]), ["cat", "dog"])
    assert scores.per_class[1].precision == 0
    assert scores.never_predicted == ("dog",)
    assert scores.macro_precision == 1 / 4


def test_a_class_without_test_images_stays_out_of_every_average():
    with_absent = ours.scores(np.array([0, 1, 1]), np.array([0, 1, 0]), names(3))
    without = ours.scores(np.array([0, 1, 1]), np.array([0, 1, 0]), names(2))
    assert with_absent.macro_f1 == without.macro_f1
    assert with_absent.worst_class_recall == 1 / 2


def test_micro_averaging_would_be_accuracy_so_weighted_recall_is_accuracy():
    labels, predicted = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 0])
    scores = ours.scores(labels, predicted, names(3))
    assert scores.weighted_recall == pytest.approx(scores.accuracy)


def test_only_right_answers_score_1_and_no_more():
    # 15/50 + 27/50 + 3/50 + 5/50 is more than 1 in floating point.
    found = ours.from_confusion(np.diag([15, 27, 3, 5]), names(4))
    assert found.weighted_precision == found.weighted_recall == found.weighted_f1 == 1.0


def test_the_recall_of_reduced_and_common_classes_share_out_the_classes():
    matrix = np.diag([9, 5, 3]) + np.array([[0, 1, 0], [5, 0, 0], [0, 7, 0]])
    scores = ours.from_confusion(matrix, names(3))
    assert ours.reduced_recall(scores, (1, 2)) == pytest.approx((0.5 + 0.3) / 2)
    assert ours.common_recall(scores, (1, 2)) == pytest.approx(0.9)
    one, two = scores.per_class[1:]
    assert ours.reduced_f1(scores, (1, 2)) == pytest.approx((one.f1 + two.f1) / 2)


def test_means_over_some_classes_are_plain_and_leave_out_those_without_test_images():
    recalls = [0.2, 0.9, 1.0, 0.3, 0.5, 0.7]
    right = np.array([round(10 * recall) for recall in recalls])
    # The last two classes have no test images; all wrong answers are of the last.
    matrix = np.pad(np.diag(right), (0, 2))
    matrix[:6, 7] = 10 - right
    scores = ours.from_confusion(matrix, names(8))
    assert ours.reduced_recall(scores, (0, 1, 2, 6)) == pytest.approx(2.1 / 3)
    assert ours.common_recall(scores, (0, 1, 2, 6)) == pytest.approx(1.5 / 3)
    # No class is answered but its own, so F1 is 2 r / (1 + r): 1/3, 18/19 and 1.
    mean = (1 / 3 + 18 / 19 + 1) / 3
    assert ours.reduced_f1(scores, (0, 1, 2, 7)) == pytest.approx(mean)


def test_no_reduced_class_is_an_error_that_says_so():
    scores = ours.from_confusion(np.eye(2, dtype=np.int64), ["cat", "dog"])
    with pytest.raises(ValueError, match="at least one with test images"):
        ours.reduced_recall(scores, ())


def test_rows_are_normalised_and_an_empty_row_stays_zero():
    shares = ours.row_normalised(np.array([[3, 1, 0], [0, 0, 0], [2, 2, 4]]))
    assert shares.tolist() == [[0.75, 0.25, 0.0], [0.0] * 3, [0.25, 0.25, 0.5]]


def test_the_balanced_accuracy_of_logits_is_that_of_the_highest():
    logits = np.array([[0.1, 0.9, 0.0], [0.5, 0.2, 0.1], [0.3, 0.6, 0.1], [0, 0, 1]])
    # Answers 1, 0, 1, 2: class 0 is found, of class 1 one of two, of class 2 none.
    found = ours.balanced_accuracy(logits, np.array([1, 0, 2, 1]))
    assert found == pytest.approx((1 + 1 / 2 + 0) / 3)


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [
        ([], [], "at least 1"),
        ([0, 1], [0], "same length"),
        ([[0], [1]], [[0], [1]], "two vectors"),
        ([0, 2], [0, 1], r"labels: expected classes 0\.\.1\. Received: 0\.\.2"),
        ([0, 1], [0, -1], r"predicted: expected classes 0\.\.1"),
    ],
)
def test_labels_that_cannot_be_scored_are_errors_that_teach(labels, predicted, message):
    with pytest.raises(ValueError, match=message):
        ours.scores(np.array(labels), np.array(predicted), ["cat", "dog"])

"""A question is a direction in the space of logits."""

import numpy as np
import pytest

from tessera.explain.graph import ExplainError
from tessera.explain.targets import Contrast, question

PREDICTED = np.array([2, 0], np.int32)


def test_the_predicted_class_is_left_to_the_model():
    asked = question("predicted", 2, 3)
    assert not asked.directions.any() and asked.predicted == 1
    assert asked.classes(PREDICTED)[0].tolist() == [2, 0]
    assert asked.classes(PREDICTED)[1] is None


@pytest.mark.parametrize("target", [1, np.int64(1), [1, 1], np.array([1, 1])])
def test_a_class_is_one_row_of_the_identity_per_image(target):
    asked = question(target, 2, 3)
    assert asked.directions.tolist() == [[0, 1, 0], [0, 1, 0]]
    assert asked.predicted == 0
    assert asked.classes(PREDICTED)[0].tolist() == [1, 1]


def test_a_contrast_is_the_difference_of_two_rows():
    asked = question(Contrast([0, 1], 2), 2, 3)
    assert asked.directions.tolist() == [[1, 0, -1], [0, 1, -1]]
    assert [c.tolist() for c in asked.classes(PREDICTED)] == [[0, 1], [2, 2]]


def test_the_predicted_class_may_stand_on_either_side_of_a_contrast():
    for_it, against_it = (
        question(Contrast("predicted", 1), 2, 3),
        question(Contrast(1, "predicted"), 2, 3),
    )
    assert for_it.directions.tolist() == [[0, -1, 0]] * 2 and for_it.predicted == 1
    assert against_it.directions.tolist() == [[0, 1, 0]] * 2
    assert against_it.predicted == -1
    assert [c.tolist() for c in against_it.classes(PREDICTED)] == [[1, 1], [2, 0]]


@pytest.mark.parametrize(
    "target, message",
    [
        ("true", "expected 'predicted', a class index"),
        ([0], r"one class index per image, int \[2\]"),
        ([0.0, 1.0], "Received: float64"),
        (3, r"classes from 0 to 2. Received: 3\."),
        (Contrast(0, -1), r"Received: -1\."),
        (Contrast("predicted", "predicted"), "the predicted one, twice"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(target, message):
    with pytest.raises(ExplainError, match=message):
        question(target, 2, 3)


@pytest.mark.parametrize("target", [Contrast(1, 1), Contrast([0, 2], [0, 2])])
def test_a_class_against_itself_is_refused(target):
    with pytest.raises(ExplainError, match="the same, twice"):
        question(target, 2, 3)


def test_answers_may_be_set_against_labels_where_some_are_right():
    asked = question(Contrast([0, 2], [0, 1]), 2, 3)
    assert asked.directions.tolist() == [[0, 0, 0], [0, -1, 1]]


def test_of_a_single_output_it_is_said_where_the_evidence_against_it_is():
    with pytest.raises(ExplainError, match=r"expected 0, .* against it. Received: 1\."):
        question(1, 2, 1)

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import f1_score, matthews_corrcoef

from tessera.evaluation.baselines import baselines


def test_the_majority_class_by_hand():
    majority, _ = baselines([10, 90], [40, 60], reduced=[0])
    assert majority.scores["accuracy"] == pytest.approx(0.6)
    assert majority.scores["balanced_accuracy"] == pytest.approx(0.5)
    # F1 of class 1: precision 0.6, recall 1.
    assert majority.scores["macro_f1"] == pytest.approx(0.75 / 2)
    assert majority.scores["reduced_recall"] == 0
    assert majority.scores["g_mean"] == 0


def test_of_equally_common_classes_each_is_chosen_equally_often():
    # Always answering class 0 is right for 0.1 of the test images, class 1 for 0.6;
    # class 2 is rarer in training and never chosen.
    majority, _ = baselines([11, 11, 10], [10, 60, 30], reduced=[0, 2])
    assert majority.scores["accuracy"] == pytest.approx((0.1 + 0.6) / 2)
    assert majority.scores["balanced_accuracy"] == pytest.approx(1 / 3)
    # F1 of the class that is answered: precision 0.1 or 0.6, recall 1.
    f1 = (2 * 0.1 / 1.1, 2 * 0.6 / 1.6)
    assert majority.scores["macro_f1"] == pytest.approx(sum(f1) / 2 / 3)
    # Of the classes 0 and 2, one is found when class 0 is chosen.
    assert majority.scores["reduced_recall"] == pytest.approx((1 / 2 + 0) / 2)
    assert majority.scores["reduced_f1"] == pytest.approx(f1[0] / 2 / 2)
    assert majority.scores["worst_class_recall"] == 0


def test_on_a_balanced_test_set_a_tie_changes_neither_accuracy_nor_f1():
    tied, _ = baselines([9] * 10, [100] * 10)
    one, _ = baselines([10, *[9] * 9], [100] * 10)
    for score in ("accuracy", "balanced_accuracy", "macro_f1", "worst_class_recall"):
        assert tied.scores[score] == pytest.approx(one.scores[score])


def test_guesses_by_frequency_by_hand():
    _, guesses = baselines([10, 90], [40, 60])
    assert guesses.scores["accuracy"] == pytest.approx(0.4 * 0.1 + 0.6 * 0.9)
    assert guesses.scores["balanced_accuracy"] == pytest.approx(0.5)
    f1 = [2 * 0.4 * 0.1 / 0.5, 2 * 0.6 * 0.9 / 1.5]
    assert guesses.scores["macro_f1"] == pytest.approx(np.mean(f1))
    assert guesses.scores["g_mean"] == pytest.approx((0.1 * 0.9) ** 0.5)


def test_scikit_learns_dummies_score_the_same():
    train, test = [50, 300, 150], [4000, 3000, 3000]
    labels = np.repeat(np.arange(3), test)
    seen = np.repeat(np.arange(3), train)
    names = ("most_frequent", "stratified")
    for found, strategy in zip(baselines(train, test), names, strict=True):
        dummy = DummyClassifier(strategy=strategy, random_state=0)
        said = dummy.fit(seen[:, None], seen).predict(labels[:, None])
        assert found.scores["accuracy"] == pytest.approx(
            np.mean(said == labels), abs=0.015
        )
        expected = f1_score(labels, said, average="macro", zero_division=0)
        assert found.scores["macro_f1"] == pytest.approx(expected, abs=0.015)
        correlation = matthews_corrcoef(labels, said)
        assert found.scores["mcc"] == pytest.approx(correlation, abs=0.015)


def test_renaming_the_classes_changes_no_score():
    before = baselines([5, 30, 65], [10, 20, 30])
    after = baselines([65, 5, 30], [30, 10, 20])
    for one, other in zip(before, after, strict=True):
        assert one.scores == pytest.approx(other.scores)


def test_a_class_without_test_images_counts_in_no_average():
    _, guesses = baselines([10, 10, 20], [5, 5, 0], reduced=[2])
    assert guesses.scores["balanced_accuracy"] == pytest.approx(0.25)
    assert "reduced_recall" not in guesses.scores

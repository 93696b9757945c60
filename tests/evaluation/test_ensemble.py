"""Runs asked together: the mean of their probabilities."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from tessera.evaluation import bootstrap
from tessera.evaluation.ensemble import ensemble, mean_probabilities
from tessera.evaluation.outcomes import Outcome
from tessera.evaluation.probabilities import softmax

RARE = (0, 2)


def outcomes(members: int, groups: bool = False) -> list[Outcome]:
    """Answers to 60 images of three classes, right more often than not."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat([0, 1, 2], 20)).astype(np.int32)
    names = np.array([f"film {i % 30}" for i in range(60)]) if groups else None
    logits = rng.normal(size=(members, 60, 3)) + 1.2 * np.eye(3)[labels]
    return [Outcome(one.astype(np.float32), labels, None, names) for one in logits]


def test_probabilities_are_averaged_and_not_logits() -> None:
    # ln 3 and 0: (3/4, 1/4). Zeros: (1/2, 1/2). Mean: (5/8, 3/8).
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


def test_the_scores_are_scikit_learns_of_the_mean() -> None:
    members, temperatures = outcomes(3), [1.0, 0.5, 2.0]
    found = ensemble(members, temperatures, RARE, replicates=10).scores
    parts = zip(members, temperatures, strict=True)
    shares = np.mean([softmax(one.logits, t) for one, t in parts], axis=0)
    labels, said = members[0].labels, shares.argmax(axis=1)
    recalls = metrics.recall_score(labels, said, average=None)
    expected = {
        "accuracy": metrics.accuracy_score(labels, said),
        "macro_f1": metrics.f1_score(labels, said, average="macro"),
        "worst_class_recall": recalls.min(),
        "reduced_recall": recalls[list(RARE)].mean(),
        "nll": metrics.log_loss(labels, shares),
        "brier": ((shares - np.eye(3)[labels]) ** 2).sum(axis=1).mean(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("groups", [False, True])
def test_a_gain_is_over_the_mean_of_the_members_on_the_same_drawn_images(
    groups: bool,
) -> None:
    members = outcomes(2, groups)
    labels, n = members[0].labels, 25
    found = ensemble(members, [1.0, 1.0], RARE, replicates=n).gains
    shares = mean_probabilities([one.logits for one in members], [1.0, 1.0])

    def scores(logits: NDArray[np.floating], drawn: NDArray[np.int64]) -> list[float]:
        true, said = labels[drawn], logits.argmax(axis=1)[drawn]
        recalls = metrics.recall_score(true, said, average=None, zero_division=0)
        return [
            metrics.accuracy_score(true, said),
            metrics.f1_score(true, said, average="macro"),
            recalls[list(RARE)].mean(),
        ]

    gains = []
    for block in bootstrap.draws(labels, groups=members[0].groups, replicates=n):
        for times in block:
            drawn = np.repeat(np.arange(60), times.astype(np.int64))
            each = [scores(one.logits, drawn) for one in members]
            gains.append(np.array(scores(shares, drawn)) - np.mean(each, axis=0))
    low, high = np.quantile(gains, [0.025, 0.975], axis=0)
    names = ("accuracy", "macro_f1", "reduced_recall")
    assert tuple(found) == names
    for k, name in enumerate(names):
        interval = (found[name].low, found[name].high)
        assert interval == pytest.approx((low[k], high[k])), name


def test_no_interval_rests_on_a_class_of_few_test_images() -> None:
    few = np.r_[np.zeros(30), np.ones(30), [2, 2]].astype(np.int32)
    logits = np.eye(3, dtype=np.float32)[few]
    found = ensemble([Outcome(logits, few, None)] * 2, [1.0, 1.0], (0,), replicates=9)
    assert found.gains["macro_f1"].low is None
    assert found.gains["accuracy"].low == found.gains["reduced_recall"].low == 0.0
    rare = ensemble([Outcome(logits, few, None)] * 2, [1.0, 1.0], (2,), replicates=9)
    assert rare.gains["reduced_recall"].low is None


def test_without_rare_classes_their_recall_is_no_score() -> None:
    found = ensemble(outcomes(2), [1.0, 1.0], replicates=5)
    assert "reduced_recall" not in found.scores and len(found.gains) == 2


def test_members_that_were_tested_on_other_images_are_refused() -> None:
    one, other = outcomes(2)
    turned = Outcome(other.logits, other.labels[::-1], None)
    with pytest.raises(ValueError, match="expected the same test images"):
        ensemble([one, turned], [1.0, 1.0])

import tracemalloc

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from tessera.evaluation import bootstrap as ours
from tessera.evaluation import calibration, matrix_scores, selection
from tessera.evaluation.scores import confusion_matrix


def answers(seed=0, size=90, classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, size)
    said = np.where(rng.uniform(size=size) < 0.7, labels, rng.integers(0, 3, size))
    return labels, said


def test_every_replicate_keeps_the_number_of_images_of_each_class():
    labels, said = answers()
    stack = ours.confusions(labels, said, 3, replicates=50)
    assert (stack.sum(axis=2) == np.bincount(labels)).all()
    for block in ours.draws(labels, replicates=50):
        for k in range(3):
            assert (block[:, labels == k].sum(axis=1) == (labels == k).sum()).all()


@pytest.mark.parametrize(("held", "sizes"), [(200, [2, 2, 1]), (50, [1] * 5)])
def test_blocks_of_replicates_are_small_and_add_up(monkeypatch, held, sizes):
    labels, _ = answers(size=90)
    monkeypatch.setattr(ours, "_AT_ONCE", held)
    assert [len(block) for block in ours.draws(labels, replicates=5)] == sizes


def test_replicates_average_to_the_matrix_itself():
    labels, said = answers()
    stack = ours.confusions(labels, said, 3, replicates=20_000)
    expected = confusion_matrix(labels, said, 3)
    assert stack.mean(axis=0) == pytest.approx(expected, abs=0.15)


def test_a_seed_repeats_and_another_differs():
    labels, said = answers()
    right = {"accuracy": ours.mean_of((labels == said).astype(float))}
    for one, again, other in (
        [ours.confusions(labels, said, 3, replicates=30, seed=s) for s in (0, 0, 1)],
        [ours.replicated(labels, right, seed=s)["accuracy"] for s in (0, 0, 1)],
    ):
        assert (one == again).all()
        assert (one != other).any()


def test_the_interval_of_one_class_is_the_binomial_distributions():
    labels, said = np.zeros(200, int), np.repeat([0, 1], [150, 50])
    stack = ours.confusions(labels, said, 2, replicates=40_000)
    found = ours.interval(matrix_scores.accuracy(stack))
    low, high = stats.binom(200, 0.75).ppf([0.025, 0.975]) / 200
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.005)


def test_intervals_cover_the_true_score_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    true = np.array([0.9, 0.6])
    labels = np.repeat([0, 1], 150)
    inside = []
    for trial in range(300):
        right = rng.uniform(size=300) < true[labels]
        said = np.where(right, labels, 1 - labels)
        stack = ours.confusions(labels, said, 2, replicates=400, seed=trial)
        found = ours.interval(matrix_scores.balanced_accuracy(stack))
        inside.append(found.low <= true.mean() <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.035)


def test_both_ways_of_drawing_give_the_same_distribution():
    labels, said = answers(size=120)
    stack = ours.confusions(labels, said, 3, replicates=20_000)
    right = (labels == said).astype(float)
    drawn = ours.replicated(
        labels, {"accuracy": ours.mean_of(right)}, replicates=20_000
    )["accuracy"]
    whole = matrix_scores.accuracy(stack)
    assert np.quantile(drawn, [0.025, 0.5, 0.975]) == pytest.approx(
        np.quantile(whole, [0.025, 0.5, 0.975]), abs=0.01
    )


@pytest.fixture(scope="module")
def sure():
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 3, 60)
    confidence = rng.uniform(0.34, 1, 60)
    return labels, confidence, rng.uniform(size=60) < confidence


def resampled(labels, replicates):
    """The drawn images of every replicate, one index per draw."""
    rows = np.concatenate(list(ours.draws(labels, replicates=replicates)))
    return [np.repeat(np.arange(len(labels)), row.astype(int)) for row in rows]


def test_calibration_of_a_replicate_is_that_of_its_images(sure):
    labels, confidence, correct = sure
    edges = calibration.equal_width_edges(5)
    where = calibration.bin_of(confidence, edges)
    score = ours.calibration_of(where, correct - confidence)
    found = ours.replicated(labels, {"ece": score}, replicates=8)["ece"]
    expected = [
        calibration.expected_error(
            calibration.reliability(confidence[images], correct[images], edges)
        )
        for images in resampled(labels, 8)
    ]
    assert found == pytest.approx(expected)


def test_the_largest_gap_of_a_replicate_is_that_of_its_images(sure):
    labels, confidence, correct = sure
    edges = calibration.equal_width_edges(5)
    where = calibration.bin_of(confidence, edges)
    score = ours.largest_gap_of(where, correct - confidence)
    found = ours.replicated(labels, {"mce": score}, replicates=8)["mce"]
    expected = [
        calibration.largest_error(
            calibration.reliability(confidence[images], correct[images], edges)
        )
        for images in resampled(labels, 8)
    ]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("true", range(3))
def test_scikit_learn_gives_the_areas_of_a_replicates_images(sure, true, monkeypatch):
    labels, confidence, _ = sure
    monkeypatch.setattr(ours, "_AT_ONCE", 3 * len(labels))  # blocks of 3, 3 and 2
    tied = confidence.round(1)
    both = {"areas": ours.areas_of(tied, labels == true)}
    areas, precisions = ours.replicated(labels, both, replicates=8)["areas"]
    for i, images in enumerate(resampled(labels, 8)):
        truth, score = labels[images] == true, tied[images]
        assert areas[i] == pytest.approx(metrics.roc_auc_score(truth, score))
        assert precisions[i] == pytest.approx(
            metrics.average_precision_score(truth, score)
        )


def test_a_mean_over_scores_is_taken_replicate_by_replicate(sure):
    labels, confidence, _ = sure
    both = [ours.mean_of(confidence), ours.mean_of(1 - confidence)]
    found = ours.replicated(labels, {"m": ours.mean_over(both)}, replicates=5)["m"]
    assert found == pytest.approx(0.5)


@pytest.mark.parametrize("digits", [9, 1, 0])  # no ties, some, one
def test_risk_of_a_replicate_is_that_of_its_images(sure, digits):
    labels, confidence, correct = sure
    confidence = confidence.round(digits)
    score = ours.selection_of(confidence, correct)
    found = ours.replicated(labels, {"aurc": score}, replicates=8)["aurc"]
    expected = [
        selection.area(selection.risks(confidence[images], correct[images]))
        for images in resampled(labels, 8)
    ]
    assert found == pytest.approx(expected)


def test_an_interval_is_the_middle_95_percent():
    found = ours.interval(np.linspace(0, 1, 41))
    assert (found.low, found.high) == pytest.approx((0.025, 0.975))


def test_invalid_replicates_are_counted_and_not_dropped_silently():
    found = ours.interval(np.array([0.5, np.nan, 0.7, np.nan]))
    assert found.invalid == 2
    assert 0.5 <= found.low <= found.high <= 0.7
    nothing = ours.interval(np.array([np.nan]))
    assert (nothing.low, nothing.high, nothing.invalid) == (None, None, 1)


def test_a_class_is_thin_with_one_to_four_images_and_not_without():
    assert ours.thin(np.array([0, 1, 4, 5, 90])).tolist() == [0, 1, 1, 0, 0]


def in_groups(sizes, seed=0):
    """Labels of two classes, answers that a group shares, and the groups."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    labels = (group % 2).astype(int)
    right = rng.uniform(size=len(sizes)) < 0.7
    return labels, np.where(right[group], labels, 1 - labels), group.astype(str)


def test_images_of_one_group_and_class_are_drawn_together():
    labels, _, group = in_groups([3, 1, 4, 2, 6, 5])
    for block in ours.draws(labels, groups=group, replicates=50):
        for name in set(group):
            assert np.ptp(block[:, group == name], axis=1).max() == 0
        for k in (0, 1):
            drawn = [block[:, group == name][:, 0] for name in set(group[labels == k])]
            assert (np.sum(drawn, axis=0) == 3).all()


def test_groups_of_one_image_are_drawn_as_images_are():
    labels, said = answers()
    alone = np.arange(len(labels)).astype(str)
    for one, other in zip(
        ours.draws(labels, replicates=20),
        ours.draws(labels, groups=alone, replicates=20),
        strict=True,
    ):
        # the same numbers of images, by another order of their names
        assert (np.sort(one) == np.sort(other)).all()
    exact = ours.confusions(labels, said, 3, replicates=20_000)
    found = ours.confusions(labels, said, 3, groups=alone, replicates=20_000)
    assert found.mean(axis=0) == pytest.approx(exact.mean(axis=0), abs=0.2)
    assert found.std(axis=0) == pytest.approx(exact.std(axis=0), abs=0.1)


def test_confusions_of_groups_are_those_of_the_images_drawn():
    labels, said, group = in_groups([3, 1, 4, 2, 6, 5])
    stack = ours.confusions(labels, said, 2, groups=group, replicates=9, seed=4)
    (block,) = ours.draws(labels, groups=group, replicates=9, seed=4)
    for counts, times in zip(stack, block.astype(int), strict=True):
        drawn = np.repeat(np.arange(len(labels)), times)
        assert (counts == confusion_matrix(labels[drawn], said[drawn], 2)).all()


def test_of_many_classes_no_more_is_held_than_their_matrices():
    labels, said = np.arange(1000) % 100, np.arange(1000) % 99
    groups = np.array([str(n // 2) for n in range(1000)])
    tracemalloc.start()
    stack = ours.confusions(labels, said, 100, groups=groups, replicates=20)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5 * stack.nbytes


def test_of_answers_that_groups_share_only_intervals_over_groups_cover_the_score():
    inside, narrow = [], []
    for trial in range(200):
        labels, said, group = in_groups([8] * 60, seed=trial)
        for of, hits in ((group, inside), (None, narrow)):
            stack = ours.confusions(
                labels, said, 2, groups=of, replicates=300, seed=trial
            )
            found = ours.interval(matrix_scores.accuracy(stack))
            hits.append(found.low <= 0.7 <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.045)
    assert np.mean(narrow) < 0.7


def test_a_class_is_drawn_from_its_images_or_their_groups():
    labels = np.array([0, 0, 0, 2, 2])
    assert ours.drawn_from(labels, None, 4).tolist() == [3, 0, 2, 0]
    named = np.array(list("aabbc"))
    assert ours.drawn_from(labels, named, 4).tolist() == [2, 0, 2, 0]

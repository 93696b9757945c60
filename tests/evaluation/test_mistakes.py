import numpy as np
import pytest

from tessera.evaluation import mistakes as ours


def logits_of(shares):
    return np.log(np.array(shares)).astype(np.float32)


def test_the_surest_wrong_answers_come_first():
    logits = logits_of([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    found = ours.mistakes(logits, np.array([1, 1, 1, 1]), surest=2)
    assert found.surest.tolist() == [0, 2]


def test_the_temperature_decides_which_answer_is_the_surer():
    # softmax(z / T) by hand. T = 1: 1 / (1 + e^-0.5 + e^-14) = 0.62 before
    # 1 / (1 + 2 e^-1.3) = 0.65; T = 4: 0.52 before 0.41.
    logits = np.array([[4.0, 3.5, -10.0], [2.0, 0.7, 0.7]], np.float32)
    labels = np.array([1, 1])
    assert ours.mistakes(logits, labels).surest.tolist() == [1, 0]
    assert ours.mistakes(logits, labels, temperature=4).surest.tolist() == [0, 1]


def test_answers_that_are_equally_sure_stand_in_the_order_of_the_test_set():
    # Every other one of 200 wrong answers is the surer.
    shares = np.tile([[0.3, 0.7], [0.2, 0.8]], (100, 1))
    expected = [*range(1, 200, 2), *range(0, 200, 2)]
    found = ours.mistakes(logits_of(shares), np.zeros(200, int), surest=200)
    assert found.surest.tolist() == expected
    # With one image of class 1, whose threshold 0.7 is then reached by all.
    shares, labels = np.vstack([shares, [[0.3, 0.7]]]), np.arange(201) == 200
    assert ours.doubtful_labels(shares, labels.astype(int)).tolist() == expected


def test_confusions_of_equal_shares_stand_in_the_order_of_the_classes():
    # In each of 10 classes every other class gets one image of ten.
    found = ours.confused(np.ones((10, 10), int), 90)
    pairs = [(i, j) for i in range(10) for j in range(10) if i != j]
    assert [(p.true, p.predicted) for p in found] == pairs


def test_no_more_doubtful_labels_are_listed_than_surest_wrong_answers():
    shares = np.array([[0.2, 0.8], [0.3, 0.7], [0.1, 0.9], [0.4, 0.6]])
    labels = np.array([0, 0, 0, 1])
    # Thresholds 0.2 and 0.6: the first three are candidates, the third the clearest.
    found = ours.mistakes(logits_of(shares), labels, surest=2)
    assert found.doubtful.tolist() == [2, 0]


def test_there_may_be_fewer_images_than_classes():
    found = ours.mistakes(logits_of([[0.1, 0.2, 0.7]]), np.array([0]))
    assert found.pairs == (ours.Confused(true=0, predicted=2, count=1, share=1.0),)


def test_the_commonest_confusion_is_a_share_of_its_class():
    matrix = np.array([[90, 10, 0], [0, 6, 4], [1, 0, 0]])
    found = ours.confused(matrix, 2)
    assert [(p.true, p.predicted, p.count) for p in found] == [(2, 0, 1), (1, 2, 4)]
    assert [p.share for p in found] == pytest.approx([1.0, 0.4])


def test_without_an_error_there_is_nothing_to_show():
    found = ours.mistakes(logits_of([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]))
    assert (len(found.surest), found.pairs, len(found.all())) == (0, (), 0)


def test_examples_of_a_pair_are_of_that_pair():
    logits = logits_of([[0.6, 0.4], [0.9, 0.1], [0.3, 0.7], [0.1, 0.9]])
    found = ours.mistakes(logits, np.array([1, 1, 0, 1]), pairs=2, each=1)
    assert [(p.true, p.predicted) for p in found.pairs] == [(0, 1), (1, 0)]
    assert [list(images) for images in found.typical] == [[2], [1]]
    assert set(found.all()) >= {1, 2}
    # One and two, both of class 0, are taken for different classes.
    logits = logits_of([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]])
    found = ours.mistakes(logits, np.array([0, 0, 0]))
    assert [p.predicted for p in found.pairs] == [1, 2]
    assert [list(images) for images in found.typical] == [[1], [2]]


def test_a_planted_wrong_label_is_found_first():
    rng = np.random.default_rng(0)
    true = np.repeat([0, 1, 2], 60)
    shares = 0.08 + 0.76 * np.eye(3)[true] + rng.uniform(0, 0.02, (180, 3))
    shares /= shares.sum(axis=1, keepdims=True)
    labels = true.copy()
    labels[[7, 100]] = [2, 0]
    found = ours.doubtful_labels(shares, labels)
    assert set(found[:2]) == {7, 100}


def test_the_thresholds_by_hand():
    shares = np.array([[0.9, 0.1], [0.5, 0.5], [0.4, 0.6], [0.35, 0.65]])
    labels = np.array([0, 0, 1, 0])
    # Thresholds: class 0 (0.9 + 0.5 + 0.35) / 3 = 0.583, class 1 0.6.
    assert ours.doubtful_labels(shares, labels).tolist() == [3]


def test_only_classes_whose_threshold_is_reached_contradict_a_label():
    # Thresholds: class 0 (0.3 + 0.4) / 2 = 0.35, class 1 0.9, class 2 (no label) none.
    shares = np.array([[0.3, 0.6, 0.1], [0.4, 0.5, 0.1], [0.05, 0.9, 0.05]])
    # The first reaches none, and the second 0 alone, though both say 1.
    assert ours.doubtful_labels(shares, np.array([0, 0, 1])).tolist() == []


def test_a_class_whose_images_are_all_alike_reaches_its_own_threshold():
    # In floating point the mean of three times 0.8 is above 0.8.
    assert np.mean([0.8, 0.8, 0.8]) > 0.8
    shares = np.array([[0.1, 0.9], [0.2, 0.8], [0.2, 0.8], [0.2, 0.8]])
    assert ours.doubtful_labels(shares, np.array([0, 1, 1, 1])).tolist() == [0]


def test_every_candidate_is_one_by_the_definition_image_by_image():
    rng = np.random.default_rng(5)
    shares, labels = rng.dirichlet(np.ones(4), 200), rng.integers(0, 3, 200)
    means = [shares[labels == j, j].mean() for j in range(3)]
    margins = {}
    for i, (row, label) in enumerate(zip(shares, labels, strict=True)):
        reached = [j for j in range(3) if row[j] >= means[j]]
        said = int(row.argmax()) != label
        if said and reached and max(reached, key=lambda j: row[j]) != label:
            margins[i] = row[label] - row.max()
    assert 20 < len(margins) < 150
    found = ours.doubtful_labels(shares, labels).tolist()
    assert found == sorted(margins, key=margins.__getitem__)


def test_renaming_the_classes_finds_the_same_images():
    rng = np.random.default_rng(4)
    shares, labels = rng.dirichlet(np.ones(4), 80), rng.integers(0, 4, 80)
    order = np.array([2, 0, 3, 1])
    renamed = np.empty_like(shares)
    renamed[:, order] = shares
    assert ours.doubtful_labels(renamed, order[labels]).tolist() == (
        ours.doubtful_labels(shares, labels).tolist()
    )


def test_the_suggestion_is_the_likeliest_class_whose_threshold_is_reached():
    # Thresholds: class 0 0.9, class 1 (0.6 + 0.3) / 2 = 0.45, class 2 none.
    shares = np.array([[0.9, 0.1, 0.0], [0.35, 0.6, 0.05], [0.5, 0.45, 0.05]])
    shares = np.concatenate([shares, [[0.6, 0.3, 0.1]]])
    labels = np.array([0, 1, 2, 1])
    # The only image of class 2 reaches its own threshold, 0.05; class 1 is likelier.
    assert ours.confident_classes(shares, labels).tolist() == [0, 1, 1, 2]


def test_a_label_that_is_the_likeliest_of_all_is_not_doubted():
    # Thresholds: class 0 (0.9 + 0.6) / 2 = 0.75, class 1 (0.1 + 0.5) / 2 = 0.3. The
    # second reaches 1 alone, and yet is likelier 0, as it is labelled.
    shares = np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1], [0.5, 0.5]])
    assert ours.confident_classes(shares, np.array([0, 0, 1, 1]))[1] == 1
    assert 1 not in ours.doubtful_labels(shares, np.array([0, 0, 1, 1])).tolist()

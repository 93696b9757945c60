from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from tessera import files
from tessera.evaluation import bootstrap
from tessera.evaluation import outcomes as ours
from tessera.evaluation.groups import groups
from tessera.evaluation.scores import scores
from tessera.record import RunFolder


@pytest.fixture(scope="module")
def outcome():
    rng = np.random.default_rng(0)

    def answers(size):
        labels = rng.integers(0, 3, size).astype(np.int32)
        logits = rng.normal(0, 2, (size, 3)) + 2 * np.eye(3)[labels]
        return logits.astype(np.float32), labels

    return ours.Outcome(*answers(400), validation=answers(200))


def shares(outcome, temperature=1.0):
    scaled = np.exp(outcome.logits.astype(float) / temperature)
    return scaled / scaled.sum(axis=1, keepdims=True)


def test_scikit_learn_gives_the_same_scores(outcome):
    found = ours.probability_scores(outcome)
    nll = metrics.log_loss(outcome.labels, shares(outcome))
    assert found["nll"] == pytest.approx(nll)
    auc = metrics.roc_auc_score(outcome.labels, shares(outcome), multi_class="ovr")
    assert found["macro_auc"] == pytest.approx(auc)
    one_hot = np.eye(3)[outcome.labels]
    precision = metrics.average_precision_score(one_hot, shares(outcome))
    assert found["macro_ap"] == pytest.approx(precision)


def test_the_temperature_is_that_of_the_validation_set(outcome):
    found = ours.fitted(outcome)

    def nll(temperature):
        validation = ours.Outcome(*outcome.validation, validation=None)
        return metrics.log_loss(validation.labels, shares(validation, temperature))

    assert nll(found) < min(nll(0.98 * found), nll(1.02 * found))


def test_scores_after_scaling_have_names_of_their_own(outcome):
    found = ours.probability_scores(outcome, 2.0)
    nll = metrics.log_loss(outcome.labels, shares(outcome, 2.0))
    assert found["nll_scaled"] == pytest.approx(nll)
    assert not set(found) & set(ours.probability_scores(outcome))


def test_a_run_without_validation_answers_has_no_temperature(outcome):
    bare = ours.Outcome(outcome.logits, outcome.labels, validation=None)
    assert ours.fitted(bare) is None
    empty = (outcome.logits[:0], outcome.labels[:0])
    assert ours.fitted(replace(bare, validation=empty)) is None


def test_every_interval_holds_its_score(outcome):
    found = ours.run_intervals(outcome, (0, 2), replicates=500)
    point = ours.probability_scores(outcome)
    read = scores(outcome.labels, outcome.logits.argmax(axis=1), ["a", "b", "c"])
    point |= {n: getattr(read, n) for n in ("accuracy", "macro_f1")}
    for name in ("accuracy", "macro_f1", "nll", "brier", "aurc"):
        assert found[name].low < point[name] < found[name].high
    # The calibration error of resampled images is larger: it cannot fall below chance.
    assert found["ece"].high > point["ece"]
    assert found["macro_auc"].low < point["macro_auc"] < found["macro_auc"].high
    assert found["reduced_recall"].invalid == 0


def test_where_every_image_is_drawn_once_the_interval_is_the_score(
    outcome, monkeypatch
):
    def once(labels, *, groups, replicates, seed):
        yield np.ones((replicates, len(labels)))

    monkeypatch.setattr(bootstrap, "draws", once)
    # A fourth class, which no test image has, is sometimes answered.
    fourth = np.random.default_rng(1).normal(0, 1, (400, 1)).astype(np.float32)
    wider = ours.Outcome(np.hstack([outcome.logits, fourth]), outcome.labels, None)
    for answers in (outcome, wider):
        found = ours.run_intervals(answers, replicates=20)
        for name, value in ours.probability_scores(answers).items():
            ends = found[name].low, found[name].high
            assert ends == pytest.approx((value, value)), name


def test_every_score_of_the_probabilities_has_an_interval(outcome):
    parted = groups([500, 200, 5])
    found = ours.run_intervals(outcome, parted=parted, replicates=20)
    assert set(ours.probability_scores(outcome)) <= set(found)
    assert {"head_recall", "tail_recall"} <= set(found)
    assert "reduced_recall" not in found


def of_classes(*sizes):
    """Answers of which some are wrong, for classes of these numbers of images."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1, (len(labels), len(sizes))) + np.eye(len(sizes))[labels]
    return ours.Outcome(logits.astype(np.float32), labels, None)


def known(sizes, parted=None):
    found = ours.run_intervals(of_classes(*sizes), (2,), parted=parted, replicates=20)
    return {name for name, one in found.items() if one.low is not None}


def test_a_class_of_few_test_images_leaves_averages_over_classes_without_interval():
    parted = groups([500, 50, 5])
    enough, few = known((40, 20, 5), parted), known((40, 20, 4), parted)
    assert enough - few == {
        *("balanced_accuracy", "macro_f1", "worst_class_recall", "chance_adjusted"),
        *("g_mean", "ece_classwise", "macro_auc", "macro_ap"),
        *("reduced_recall", "tail_recall"),
    }
    assert {"accuracy", "mcc", "nll", "ece", "aurc", "head_recall"} <= few


def test_where_most_test_images_are_of_such_classes_nothing_has_an_interval():
    assert known((4, 4, 8)) != set()
    assert known((4, 4, 3)) == set()
    assert known((1, 1, 1)) == set()


def test_a_group_of_classes_is_known_where_each_of_them_is():
    parted = groups([500, 500, 5])
    assert parted.head == (0, 1)
    answers = {"enough": of_classes(40, 5, 20), "few": of_classes(40, 4, 20)}
    low = {
        name: ours.run_intervals(one, parted=parted, replicates=20)["head_recall"].low
        for name, one in answers.items()
    }
    assert low["enough"] is not None and low["few"] is None


@pytest.mark.parametrize(
    ("classes", "replicates", "fewer"),
    [(4, 400, 40), (16, 400, 25), (40, 400, 20), (4, 5, 1)],
)
def test_scores_of_every_threshold_take_a_tenth_of_the_replicates_or_less(
    monkeypatch, classes, replicates, fewer
):
    asked = []

    def once(labels, *, groups, replicates, seed):
        asked.append(replicates)
        yield np.ones((replicates, len(labels)))

    monkeypatch.setattr(bootstrap, "draws", once)
    answers = of_classes(*(5 for _ in range(classes)))
    alone = np.arange(5 * classes).astype(str)
    ours.run_intervals(replace(answers, groups=alone), replicates=replicates)
    assert asked == [replicates, replicates, fewer]


def test_a_class_of_many_images_of_few_groups_is_one_of_few():
    answers = of_classes(40, 40, 40)
    group = np.array([f"{n // 4}" for n in range(120)])
    few = np.where(
        answers.labels == 2, np.array([f"{n % 4}" for n in range(120)]), group
    )
    for named, without in ((group, False), (few, True)):
        found = ours.run_intervals(replace(answers, groups=named), replicates=20)
        assert (found["macro_f1"].low is None) == without
        assert found["accuracy"].low is not None


def test_every_interval_over_groups_that_share_their_answers_is_wider():
    one = of_classes(12, 12, 12)
    eight = ours.Outcome(
        np.repeat(one.logits, 8, axis=0), np.repeat(one.labels, 8), None
    )
    group = np.repeat(np.arange(36), 8).astype(str)
    narrow = ours.run_intervals(eight, replicates=400)
    wide = ours.run_intervals(replace(eight, groups=group), replicates=400)
    for name in ("accuracy", "macro_f1", "nll", "brier", "aurc", "macro_auc"):
        widths = [one[name].high - one[name].low for one in (wide, narrow)]
        assert widths[0] > 1.8 * widths[1], name


def test_what_a_run_left_is_read_back(outcome, tmp_path):
    run = RunFolder(tmp_path)
    assert ours.read(run) is None
    logits, labels = outcome.logits, outcome.labels
    files.write_arrays(run.predictions, logits=logits, labels=labels)
    assert ours.read(run).validation is None
    held = dict(zip(("logits", "labels"), outcome.validation, strict=True))
    files.write_arrays(run.validation_predictions, **held)
    found = ours.read(run)
    assert (found.logits == logits).all()
    assert (found.validation[1] == held["labels"]).all()
    assert found.groups is None
    groups = np.arange(len(labels)).astype(str)
    files.write_arrays(run.predictions, logits=logits, labels=labels, groups=groups)
    assert (ours.read(run).groups == groups).all()


def test_test_images_of_a_single_class_have_no_curve():
    lonely = ours.Outcome(np.eye(2, dtype=np.float32), np.zeros(2, int), None)
    assert "macro_auc" not in ours.probability_scores(lonely)
    assert "macro_auc" not in ours.run_intervals(lonely, replicates=20)


def test_a_class_without_test_images_is_left_out_of_the_curves(outcome):
    never = np.full((400, 1), -1, np.float32)
    answers = ours.Outcome(np.hstack([outcome.logits, never]), outcome.labels, None)
    found = ours.probability_scores(answers)
    each = [
        (
            metrics.roc_auc_score(mine, share),
            metrics.average_precision_score(mine, share),
        )
        for mine, share in zip(
            np.eye(3)[outcome.labels].T, shares(answers).T[:3], strict=True
        )
    ]
    macro = found["macro_auc"], found["macro_ap"]
    assert macro == pytest.approx(tuple(np.mean(each, axis=0)))

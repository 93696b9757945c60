import numpy as np
import pytest

from tessera.evaluation import comparison, matrix_scores
from tessera.evaluation.outcomes import Outcome
from tessera.experiment import Cnn, Experiment, Hybrid, Regime
from tessera.record import CellSummary

from .studies import REDUCED, flat, folders, record, records

STUDY = Experiment(seeds=(0, 1))


COUNTS = (4500, 4500, 4500, 900, 900, 900, 4500, 4500, 4500, 4500)
"""Training images of the regimes that reduce classes."""


def recalls(model, regime, seed):
    reduced = {"balanced": 0.7, "imbalanced": 0.4, "weighted": 0.6}[regime]
    return flat(0.8 + 0.01 * seed, reduced + 0.02 * seed)


def test_rows_follow_the_experiments_order_whatever_the_records_order():
    found = records(STUDY, recalls)
    rows = comparison.summarise(STUDY, found[::-1], folders(STUDY)[::-1])
    assert [(r.model, r.regime) for r in rows][:4] == [
        ("cnn", "balanced"),
        ("cnn", "imbalanced"),
        ("cnn", "weighted"),
        ("transformer", "balanced"),
    ]
    assert rows[0].seeds == (0, 1)
    assert rows[0].folders == (
        "runs/cnn--balanced-dddddddd/seed-0",
        "runs/cnn--balanced-dddddddd/seed-1",
    )


def test_a_row_holds_mean_and_deviation_by_hand():
    rows = comparison.summarise(STUDY, records(STUDY, recalls), folders(STUDY))
    accuracy = rows[0].scores["accuracy"]
    # Seven classes at 0.80 and three at 0.70; with seed 1, 0.81 and 0.72.
    assert accuracy.values == pytest.approx((0.77, 0.783))
    assert accuracy.mean == pytest.approx(0.7765)
    assert accuracy.deviation == pytest.approx(0.013 / 2**0.5)


def test_reduced_recall_of_balanced_cells_is_of_the_same_classes():
    rows = comparison.summarise(STUDY, records(STUDY, recalls), folders(STUDY))
    by_regime = {r.regime: r.scores["reduced_recall"].values for r in rows}
    assert by_regime["balanced"] == pytest.approx((0.7, 0.72))
    assert by_regime["imbalanced"] == pytest.approx((0.4, 0.42))


def test_reduced_f1_by_hand_of_balanced_cells_too():
    rows = comparison.summarise(STUDY, records(STUDY, recalls), folders(STUDY))
    by_regime = {r.regime: r.scores["reduced_f1"].values[0] for r in rows}
    # Every miss goes to the next class. Of 1,000 images a class, cat is answered 700 +
    # 200 times, deer and dog 700 + 300; under imbalance 400 + 200 and 400 + 600 times.
    balanced = (1400 / 1900 + 2 * 1400 / 2000) / 3
    imbalanced = (800 / 1600 + 2 * 800 / 2000) / 3
    assert by_regime["balanced"] == pytest.approx(balanced)
    assert by_regime["imbalanced"] == pytest.approx(imbalanced)


def test_precision_recall_and_f1_of_every_class_stand_in_every_row():
    rows = comparison.summarise(STUDY, records(STUDY, recalls), folders(STUDY))
    first = rows[0]
    # Cat, balanced: 700 and 720 found, 200 and 190 birds taken for one.
    precision, f1 = (700 / 900, 720 / 910), (1400 / 1900, 1440 / 1910)
    assert first.per_class_precision["cat"].values == pytest.approx(precision)
    assert first.per_class_recall["cat"].values == pytest.approx((0.7, 0.72))
    assert first.per_class_f1["cat"].values == pytest.approx(f1)


def test_a_row_of_an_earlier_version_is_still_read():
    rows = comparison.summarise(STUDY, records(STUDY, recalls), folders(STUDY))
    added = {"per_class_precision", "per_class_f1"}
    old = CellSummary.model_validate_json(rows[0].model_dump_json(exclude=added))
    assert old.per_class_f1 == old.per_class_precision == {}
    assert old.per_class_recall == rows[0].per_class_recall


def test_a_study_that_reduces_nothing_has_no_reduced_recall():
    balanced = Experiment(regimes=(Regime(name="balanced"),))
    rows = comparison.summarise(balanced, records(balanced, recalls), folders(balanced))
    assert not {"reduced_recall", "reduced_f1"} & set(rows[0].scores)


def test_unfinished_cells_have_no_row():
    one = Experiment(models=(Cnn(), Hybrid()), seeds=(0,))
    finished = records(one, recalls)[:2]
    rows = comparison.summarise(one, finished, folders(one)[:2])
    assert [(r.model, r.regime) for r in rows] == [
        ("cnn", "balanced"),
        ("cnn", "imbalanced"),
    ]


def test_differences_pair_the_seeds_that_both_cells_finished():
    balanced, imbalanced = STUDY.regimes[:2]
    first = [record("cnn", imbalanced, s, flat(0.8, 0.4 + s / 100)) for s in (0, 1, 2)]
    second = [record("cnn", balanced, s, flat(0.8, 0.7)) for s in (2, 1)]
    score = comparison.measure("reduced_recall", REDUCED)
    found = comparison.contrast(first, second, score)
    assert found is not None
    assert found.values == pytest.approx((-0.29, -0.28))


def test_the_shared_runs_of_a_cell_are_its_own():
    regime = STUDY.regimes[0]
    first, second = (
        [record(model, regime, s, flat(0.8, 0.7)) for s in seeds]
        for model, seeds in (("cnn", (0, 1, 2)), ("hybrid", (2, 1, 3)))
    )
    found = comparison.shared(first, second)
    assert [(r.model, r.seed) for r in found] == [("cnn", 1), ("cnn", 2)]


def test_cells_without_a_common_seed_have_no_difference():
    balanced = STUDY.regimes[0]
    first = [record("cnn", balanced, 0, flat(0.8, 0.7))]
    second = [record("hybrid", balanced, 1, flat(0.8, 0.7))]
    score = comparison.measure("accuracy")
    assert comparison.contrast(first, second, score) is None


def test_pooled_confusion_adds_the_seeds():
    runs = [record("cnn", STUDY.regimes[0], s, flat(0.8, 0.7)) for s in (0, 1)]
    matrix = comparison.pooled_confusion(runs)
    assert matrix.sum() == 20_000
    assert np.diag(matrix)[[0, 3]].tolist() == [1600, 1400]


def test_a_mean_curve_ends_where_the_shortest_does():
    found = comparison.mean_curve([np.array([1.0, 2.0, 9.0]), np.array([3.0, 6.0])])
    assert found.tolist() == [2.0, 4.0]


def test_groups_and_their_recall_stand_in_every_row():
    rows = comparison.summarise(STUDY, records(STUDY, recalls), folders(STUDY))
    for row in rows[:2]:
        assert row.groups.tail == REDUCED
        tail = row.scores["tail_recall"].values
        assert tail == pytest.approx(row.scores["reduced_recall"].values)
        assert row.scores["head_recall"].values == pytest.approx((0.80, 0.81))


def test_a_regimes_groups_are_those_of_its_own_images():
    long_tail = (4500, 2697, 1616, 969, 580, 348, 208, 125, 74, 45)
    found = [
        r.model_copy(update={"train_counts": long_tail})
        if r.regime == "weighted"
        else r
        for r in records(STUDY, recalls)
    ]
    _, cut, tailed, *_ = comparison.summarise(STUDY, found, folders(STUDY))
    assert (cut.groups.head, cut.groups.tail) == ((0, 1, 2, 6, 7, 8, 9), REDUCED)
    assert (tailed.groups.head, tailed.groups.tail) == ((0, 1, 2), (7, 8, 9))
    assert (cut.train_counts, tailed.train_counts) == (COUNTS, long_tail)


def test_reduced_recall_is_of_the_classes_that_the_rows_own_profile_reduces():
    def by_class(model, regime, seed):
        return [k / 10 for k in range(10)]

    own = {"balanced": (), "imbalanced": (8,), "weighted": (1, 2)}
    found = [
        r.model_copy(update={"reduced_classes": own[r.regime]})
        for r in records(STUDY, by_class)
    ]
    rows = comparison.summarise(STUDY, found, folders(STUDY))[:3]
    means = [row.scores["reduced_recall"].mean for row in rows]
    # Of the balanced regime those of the others together: (0.1 + 0.2 + 0.8) / 3.
    assert means == pytest.approx([1.1 / 3, 0.8, 0.15])
    assert comparison.reduced_classes(found) == (1, 2, 8)


def test_regimes_that_train_on_as_many_images_of_each_class_are_told_together():
    found = comparison.cells(STUDY, records(STUDY, recalls))
    assert comparison.regimes_by_counts(found) == {
        (4500,) * 10: ["balanced"],
        COUNTS: ["imbalanced", "weighted"],
    }


def test_stored_predictions_add_calibration_and_intervals():
    rng = np.random.default_rng(0)

    def read(folder):
        labels = np.repeat(np.arange(10), 5)
        logits = rng.normal(0, 1, (50, 10)).astype(np.float32)
        held = None if "cnn" in folder else (logits, labels)
        return Outcome(logits, labels, held)

    rows = comparison.summarise(STUDY, records(STUDY, recalls), folders(STUDY), read)
    assert {"nll", "ece", "aurc"} <= set(rows[0].scores)
    for name in ("macro_f1", "reduced_recall", "head_recall", "tail_recall"):
        assert len(rows[0].intervals[name]) == 2
    # What docs/methods.md says has none; macro recall is the balanced accuracy.
    without = {"macro_precision", "macro_recall", "weighted_f1", "reduced_f1"}
    assert set(rows[0].scores) - set(rows[0].intervals) == without
    # The first model's validation answers were not kept.
    assert rows[0].temperature is None
    assert "nll_scaled" not in rows[0].scores
    assert len(rows[-1].temperature.values) == 2
    assert "nll_scaled" in rows[-1].scores


def test_where_a_seed_left_no_answers_its_row_tells_nothing_of_the_others():
    study = Experiment(models=(Cnn(), Hybrid()), regimes=STUDY.regimes[:1])
    logits = np.random.default_rng(0).normal(0, 1, (50, 10)).astype(np.float32)
    labels = np.repeat(np.arange(10), 5)

    def read(folder):
        held = None if folder.endswith("seed-1") else (logits, labels)
        lost = "hybrid" in folder and held is None
        return None if lost else Outcome(logits, labels, held)

    tested, untested = comparison.summarise(
        study, records(study, recalls), folders(study), read
    )
    assert "nll" in tested.scores and len(tested.intervals["accuracy"]) == 2
    assert not {"nll", "nll_scaled"} & set(untested.scores)
    assert untested.intervals == {}
    # The second seed's validation answers were not kept.
    assert "nll_scaled" not in tested.scores
    assert tested.temperature is None and untested.temperature is None


def test_a_score_that_is_added_to_both_tables_is_summarised_with_its_intervals(
    monkeypatch: pytest.MonkeyPatch,
):
    def largest_recall(stack):
        return matrix_scores.recalls(stack).max(axis=-1)

    new = matrix_scores.Score(largest_recall, by_class=True)
    monkeypatch.setitem(matrix_scores.SCORES, "largest_recall", new)
    monkeypatch.setattr(comparison, "SCORES", (*comparison.SCORES, "largest_recall"))
    logits = np.random.default_rng(0).normal(0, 1, (50, 10)).astype(np.float32)
    outcome = Outcome(logits, np.repeat(np.arange(10), 5), None)
    rows = comparison.summarise(
        STUDY, records(STUDY, recalls), folders(STUDY), lambda _: outcome
    )
    assert rows[0].scores["largest_recall"].values == pytest.approx((0.8, 0.81))
    assert rows[0].intervals["largest_recall"][0].low is not None

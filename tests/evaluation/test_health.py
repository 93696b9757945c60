"""A run that went wrong says so, and a run that went well says nothing."""

import numpy as np
import pytest

from tessera.evaluation import health, scores
from tessera.record import Scores

NAMES = ["cat", "dog", "owl"]
LABELS = np.array([0, 0, 1, 1, 2, 2])


def answers(*predicted: int) -> Scores:
    return scores.scores(LABELS, np.array(predicted), NAMES)


def gradients(median: float, largest: float) -> dict[str, float]:
    return {"gradient_median": median, "gradient_largest": largest}


def history(*losses: float, val: tuple[float, ...] | None = None) -> list:
    values = val or tuple(1.0 / n for n in range(1, len(losses) + 1))
    return [
        {"epoch": n, "loss": loss, "val_loss": other} | gradients(1.0, 6.0)
        for n, (loss, other) in enumerate(zip(losses, values, strict=True), start=1)
    ]


WELL = history(2.0, 1.0, 0.9)
ALL = answers(0, 0, 1, 1, 2, 2)


def test_a_run_that_went_well_has_nothing_to_remark() -> None:
    assert health.remarks(WELL, ALL) == ()


def test_a_constant_prediction_is_named_with_its_class() -> None:
    (note,) = health.remarks(WELL, answers(1, 1, 1, 1, 1, 1))
    assert "Constant prediction: every test image was answered with dog" in note


def test_the_only_class_of_a_test_set_may_be_the_answer_to_all_of_it() -> None:
    owls = np.array([2, 2])
    assert health.remarks(WELL, scores.scores(owls, owls, NAMES)) == ()
    (note,) = health.remarks(WELL, scores.scores(owls, np.array([1, 1]), NAMES))
    assert "Constant prediction: every test image was answered with dog" in note


def test_a_class_without_test_images_is_not_missed_among_the_answers() -> None:
    labels, predicted = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert health.remarks(WELL, scores.scores(labels, predicted, NAMES)) == ()


def test_classes_that_vanished_are_named() -> None:
    (note,) = health.remarks(WELL, answers(0, 0, 1, 1, 1, 0))
    assert note == "Never predicted on the test set: owl."


@pytest.mark.parametrize(
    ("classes", "end"), [(20, "c10, c11 and 8 more."), (12, "c10, c11.")]
)
def test_of_many_vanished_classes_ten_are_listed(classes: int, end: str) -> None:
    labels = np.arange(classes)
    found = scores.scores(labels, labels % 2, [f"c{n}" for n in labels])
    (note,) = health.remarks(WELL, found)
    assert note == (
        f"Never predicted on the test set: c2, c3, c4, c5, c6, c7, c8, c9, {end}"
    )


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ((2.0, 1.0, 50.0, 0.5), "rose from 1 in epoch 2 to 50 in epoch 3"),
        ((2.0, 1.0, 5.0), "rose from 1 in epoch 2 to 5 in epoch 3"),
        # Above log 2 = 0.693.
        ((2.0, 0.01, 0.7), "rose from 0.01 in epoch 2 to 0.7 in epoch 3"),
    ],
)
def test_a_loss_that_exploded_is_named_with_its_epochs(losses, said: str) -> None:
    (note,) = health.remarks(history(*losses), ALL)
    assert f"training loss {said}" in note


def test_a_validation_loss_that_exploded_is_named() -> None:
    (note,) = health.remarks(history(2.0, 1.0, val=(0.5, 400.0)), ALL)
    assert "validation loss rose from 0.5 in epoch 1 to 400 in epoch 2" in note


@pytest.mark.parametrize("usual", [2.0, 0.005])
def test_a_gradient_that_exploded_is_named_even_where_the_loss_healed(usual) -> None:
    rows = [row | gradients(usual, 6 * usual) for row in history(2.0, 1.0, 0.9)]
    rows[1] |= gradients(4 * usual, 100 * usual)
    rows[2] |= gradients(usual / 2, 6 * usual)
    (note,) = health.remarks(rows, ALL)
    assert (
        f"in epoch 2 a step's gradient had the norm {100 * usual:g}; the median of the "
        f"epochs before was {usual:g}" in note
    )
    rows[1] |= gradients(4 * usual, 99.9 * usual)
    assert health.remarks(rows, ALL) == ()


def test_gradients_that_grow_by_and_by_have_not_exploded() -> None:
    # Each epoch's median a fifth above the last: 1 to 95 over 26 epochs, then a spike.
    rows = [
        row | gradients(1.2**epoch, 5 * 1.2**epoch)
        for epoch, row in enumerate(history(*[1.0 - n / 100 for n in range(26)]))
    ]
    assert rows[-1]["gradient_largest"] > health.SPIKE * rows[0]["gradient_median"]
    assert health.remarks(rows, ALL) == ()
    # Of the 25 medians before it the 13th is in the middle: 1.2^12 = 8.92.
    rows[25] |= gradients(95.0, 100 * 1.2**12)
    (note,) = health.remarks(rows, ALL)
    assert "in epoch 26 a step's gradient had the norm 892;" in note
    assert "before was 8.92" in note


def test_a_first_epoch_is_measured_by_itself() -> None:
    rows = [row | gradients(2.0, 199.0) for row in history(2.0, 1.0)]
    assert health.remarks(rows, ALL) == ()
    rows[0] |= gradients(2.0, 200.0)
    (note,) = health.remarks(rows, ALL)
    assert "in epoch 1 a step's gradient had the norm 200;" in note


def test_a_history_that_does_not_tell_gradients_is_read_without() -> None:
    old = [{k: row[k] for k in ("epoch", "loss", "val_loss")} for row in WELL]
    assert health.remarks(old, ALL) == ()
    # Begun by an earlier version, and continued.
    assert health.remarks([*old[:2], WELL[2]], ALL) == ()


def test_a_model_without_any_gradient_has_none_that_exploded() -> None:
    rows = [row | gradients(0.0, 0.0) for row in history(2.0, 1.0)]
    assert health.remarks(rows, ALL) == ()


def test_a_gradient_after_none_at_all_has_exploded() -> None:
    rows = [row | gradients(0.0, 0.0) for row in history(2.0, 1.0)]
    rows[1] |= gradients(0.0, 3.0)
    (note,) = health.remarks(rows, ALL)
    assert "in epoch 2 a step's gradient had the norm 3; the median" in note
    assert "epochs before was 0." in note


def test_an_explosion_in_the_first_epoch_is_named_by_what_guessing_costs() -> None:
    # Three classes: guessing costs log 3 = 1.0986; ten times that is 10.986.
    (note,) = health.remarks(history(2.0, 1.0, val=(11.0, 0.9)), ALL)
    assert "the validation loss was 11, 10 times that of guessing" in note
    assert health.remarks(history(2.0, 1.0, val=(10.9, 0.9)), ALL) == ()


@pytest.mark.parametrize("losses", [(2.0, 1.0, 4.9), (2.0, 0.01, 0.3), (2.0, 0.0, 0.2)])
def test_a_rise_that_is_moderate_or_small_is_none(losses) -> None:
    assert health.remarks(history(*losses), ALL) == ()


@pytest.mark.parametrize("losses", [(2.0, 2.0), (2.0, 2.0, 2.1)])
def test_a_loss_that_never_fell_is_named(losses) -> None:
    (note,) = health.remarks(history(*losses), ALL)
    assert "never fell below its first epoch's (2)" in note


def test_a_rise_from_one_phase_to_the_next_is_none_and_one_within_it_is() -> None:
    # A second stage begins with a last layer drawn anew.
    rows = history(2.0, 0.004, 1.7, 1.5, val=(2.0, 0.01, 1.8, 1.6))
    assert health.remarks(rows, ALL, starts=(0, 2)) == ()
    assert len(health.remarks(rows, ALL)) == 2
    worse = history(2.0, 0.004, 1.7, 9.0)
    (note,) = health.remarks(worse, ALL, starts=(0, 2))
    assert "training loss rose from 1.7 in epoch 3 to 9 in epoch 4" in note


def test_a_training_that_ended_before_a_phase_has_nothing_of_it_to_compare() -> None:
    assert health.remarks(WELL, ALL, starts=(0, 3)) == ()


def test_one_epoch_is_too_few_to_say() -> None:
    assert health.remarks(history(2.0), ALL) == ()


def test_a_vanished_class_with_a_comma_in_its_name_stays_one_class() -> None:
    found = scores.scores(
        LABELS, np.array([0] * 4 + [2] * 2), ["cat", "dog, old", "owl"]
    )
    assert health.remarks(WELL, found) == (
        'Never predicted on the test set: "dog, old".',
    )

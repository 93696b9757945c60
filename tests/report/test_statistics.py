import dataclasses

import pytest

from tessera.evaluation.groups import groups
from tessera.evaluation.ranking import family
from tessera.record import StudyRecord
from tessera.report import statistics
from tessera.results import GapClosed, Interval, Spread

from .folders import without_test_images

ZERO = Spread(mean=0.1, deviation=0.1, values=(0.0, 0.2))


def test_a_gap_is_a_share_with_its_interval_and_nothing_where_undefined():
    found = GapClosed(gap=0.2, value=0.482, low=-0.05, high=1.1)
    text = statistics.gap(found).replace("\N{NO-BREAK SPACE}", " ")
    assert text == "48 % (\N{MINUS SIGN}5 to 110 %)"
    undefined = GapClosed(gap=0.2, value=None, low=None, high=None)
    assert statistics.gap(undefined) == statistics.gap(None) == ""


def test_both_p_values_stand_together():
    # t(2) = 11 / sqrt(3) * sqrt(3) by hand: mean 0.11, deviation 0.01, so 19.05.
    assert statistics.both_p(family([[0.10, 0.11, 0.12]])[0]) == "0.003; 0.250"
    assert statistics.both_p(family([[0.1]])[0]) == "1.000"


def test_a_score_before_and_after_the_temperature(study):
    cell = study.record.cells[0]
    before, after = (cell.scores[n].mean for n in ("nll", "nll_scaled"))
    arrow = "\N{RIGHTWARDS ARROW}"
    text = statistics.before_after(cell, "nll", 1, 2)
    assert text == f"{before:.2f} {arrow} {after:.2f}"
    assert arrow not in statistics.before_after(cell, "macro_auc", 1, 3)
    assert statistics.before_after(cell, "no such score", 1, 3) == ""


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Interval(low=0.412, high=0.55), "41.2 to 55.0"),
        (Interval(low=0.4, high=0.5, invalid=3), "40.0 to 50.0 (3 invalid)"),
        (Interval(low=None, high=None, invalid=9), "undefined"),
    ],
)
def test_intervals_in_words(found, text):
    assert statistics.between(found) == text


def test_classes_that_some_seed_does_not_find_are_named(study):
    cell = study.record.cells[0]
    recalls = cell.per_class_recall | {"cat": ZERO, "dog": ZERO}
    poor = cell.model_copy(update={"per_class_recall": recalls})
    assert statistics.not_found(cell, study.record.data) == ""
    assert statistics.not_found(poor, study.record.data) == "cat and dog"
    none = cell.model_copy(update={"per_class_recall": dict.fromkeys(recalls, ZERO)})
    assert statistics.not_found(none, study.record.data) == "10 classes"
    untested = without_test_images(study, 3).record.data
    assert statistics.not_found(poor, untested) == "dog"


def comma(text):
    """The text with another name for the cat."""
    return text.replace('"cat"', '"cat, black"')


def test_a_class_with_a_comma_in_its_name_stays_one_class(many):
    record = StudyRecord.model_validate_json(comma(many.record.model_dump_json()))
    poor = record.cells[0].model_copy(
        update={
            "per_class_recall": record.cells[0].per_class_recall
            | dict.fromkeys(("cat, black", "dog"), ZERO)
        }
    )
    assert statistics.not_found(poor, record.data) == '"cat, black" and dog'
    assert ': "cat, black", deer and dog.' in statistics.groups_in_words(record)


def test_groups_of_two_counts_are_named_with_these(study):
    text = statistics.groups_in_words(study.record)
    assert "head (4,500 training images): plane, car" in text
    assert "tail (900): cat, deer and dog." in text


def test_groups_that_differ_between_regimes_are_told_apart(study):
    cell = study.record.cells[0]
    other = groups([500, 101, 100, 20, 19, 5, 5, 5, 5, 5])
    cells = (cell.model_copy(update={"groups": other}), *study.record.cells[1:])
    text = statistics.groups_in_words(study.record.model_copy(update={"cells": cells}))
    assert "Groups of classes (balanced): head (more than 100 training" in text
    assert "middle (between): bird and cat; tail (fewer than 20)" in text
    assert "Groups of classes (imbalanced, weighted and balanced): head" in text


def test_the_best_remedy_meets_plain_training_image_by_image(study, many):
    found = statistics.duels(study)
    assert [(d.model, d.regime, d.seed) for d in found][:2] == [
        ("cnn", "weighted", 0),
        ("cnn", "weighted", 1),
    ]
    # 20 images of a reduced class, 12 right with weights and 8 without, three times.
    assert found[0].test.first_only - found[0].test.second_only == 3 * 4
    assert {d.regime for d in statistics.duels(many)} == {"remedy-0"}


def test_few_seeds_are_said_to_be_too_few_for_the_sign_flip_test(study):
    found = statistics.values(study)
    assert (found["few_seeds"], found["floor"]) == (2, 0.5)


def test_a_temperature_of_one_was_not_fitted(study):
    cells = {
        warmth: study.record.cells[0].model_copy(
            update={
                "temperature": Spread(mean=2.0, deviation=1.0, values=(warmth, 3.0))
            }
        )
        for warmth in (1.0, 1.5)
    }
    for warmth, cell in cells.items():
        record = study.record.model_copy(update={"cells": (cell,)})
        told = statistics.values(dataclasses.replace(study, record=record))
        assert told["unfitted"] == (warmth == 1.0)


def test_a_number_below_zero_has_a_minus_sign():
    below = Spread(mean=-0.044, deviation=None, values=(-0.044,))
    assert statistics.plain_number(below) == "\N{MINUS SIGN}0.04"

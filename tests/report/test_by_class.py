"""Precision, recall and F1 of every class, in the report's tables."""

import dataclasses

from tessera.report import by_class

from .folders import without_test_images


def test_a_model_has_a_table_with_three_scores_of_every_regime(study):
    first, second = by_class.tables(study)
    assert (first.model, second.model) == ("cnn", "hybrid")
    assert first.regimes == ("balanced", "imbalanced", "weighted")
    # Every miss goes to the next class. Cat under imbalance, of 1,000 images a class:
    # 400 and 415 found (seeds 0 and 1) with 200 and 190 birds among those called cat.
    # Precision 400/600 and 415/605, F1 800/1,600 and 830/1,605.
    cat = first.rows[3]
    assert cat.name == "cat"
    assert cat.scores[3:6] == ("67.6", "40.8", "50.9")


def test_classes_that_some_regime_reduces_are_marked(study):
    rows = by_class.tables(study)[0].rows
    assert [row.name for row in rows if row.rare] == ["cat", "deer", "dog"]


def test_a_class_without_test_images_has_no_scores(study):
    rows = by_class.tables(without_test_images(study, 0))[0].rows
    assert rows[0].scores == ("",) * 9
    assert "" not in rows[1].scores


def test_many_regimes_stand_in_several_tables_that_hold_all(many):
    found = by_class.tables(many)
    assert [len(table.regimes) for table in found] == [4, 4, 1]
    held = [regime for table in found for regime in table.regimes]
    assert held == [cell.regime for cell in many.record.cells]


def test_a_study_of_an_earlier_version_has_no_table(study):
    cells = tuple(c.model_copy(update={"per_class_f1": {}}) for c in study.record.cells)
    old = study.record.model_copy(update={"cells": cells})
    assert by_class.tables(dataclasses.replace(study, record=old)) == ()

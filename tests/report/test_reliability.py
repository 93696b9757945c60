import dataclasses

from unpainted import charts

from tessera.record import RunFolder
from tessera.report.reliability import reliability

from .folders import with_temperatures


def test_every_shown_cell_has_a_panel_with_both_states(drawn):
    found = drawn.reliability
    assert found.svg.count("after temperature scaling</text>") == 1
    assert "Squares: after temperature scaling" in found.caption
    assert found.alternative.count("after scaling") == 6


def test_the_error_in_words_is_the_records(study, drawn):
    error = study.record.cells[0].scores["ece"].mean
    assert f"cnn, balanced: expected calibration error {100 * error:.1f} %" in (
        drawn.reliability.alternative
    )


@charts()
def test_without_validation_answers_the_caption_says_so(study):
    bare = [c.model_copy(update={"temperature": None}) for c in study.record.cells]
    record = study.record.model_copy(update={"cells": tuple(bare)})
    drawn = reliability(dataclasses.replace(study, record=record))
    assert "Temperature scaling is not shown" in drawn.caption


@charts()
def test_a_cell_without_a_temperature_is_named_where_others_have_one(study):
    first, *others = study.record.cells
    bare = first.model_copy(update={"temperature": None})
    record = study.record.model_copy(update={"cells": (bare, *others)})
    caption = reliability(dataclasses.replace(study, record=record)).caption
    assert "None for cnn, balanced: some validation answers are gone." in caption


@charts()
def test_a_cell_whose_temperature_was_not_fitted_is_named(study):
    caption = reliability(with_temperatures(study, 1.0)).caption
    assert " T is 1 for cnn, balanced: too few validation images, or" in caption
    assert "T is 1" not in reliability(with_temperatures(study)).caption
    none = reliability(with_temperatures(study, *[1.0] * len(study.record.cells)))
    assert " T is 1 for every cell: too few" in none.caption


def test_without_predictions_there_is_no_diagram(study, tmp_path):
    empty = dict.fromkeys(study.folders, RunFolder(tmp_path))
    assert reliability(dataclasses.replace(study, folders=empty)) is None


@charts()
def test_many_regimes_leave_a_note(many):
    assert "Of 9 regimes 6 are drawn" in reliability(many).caption

"""The statistics' values survive JSON, and are as optional as old files need."""

import pytest
from pydantic import ValidationError

from tessera.record import CellSummary, StudyRecord
from tessera.results import Change, GapClosed, Interval, RankedRemedy, Ranking


def test_a_value_survives_the_trip_through_json() -> None:
    gap = GapClosed(gap=0.1 + 0.2, value=None, low=None, high=None)
    assert GapClosed.model_validate_json(gap.model_dump_json()) == gap


def test_a_decision_is_one_of_three() -> None:
    with pytest.raises(ValidationError, match="decision"):
        Change(
            mean=0.1,
            deviation=None,
            low=None,
            high=None,
            values=(0.1,),
            p=None,
            p_signs=1.0,
            p_adjusted=None,
            decision="perhaps",
            seeds_to_decide=None,
        )


def test_values_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Interval(low=0.1, high=0.2).low = 0.0


def test_files_without_statistics_are_read_as_files_without_them() -> None:
    new = ("train_counts", "groups", "intervals", "temperature")
    assert not any(CellSummary.model_fields[name].is_required() for name in new)
    assert not StudyRecord.model_fields["rankings"].is_required()
    assert not StudyRecord.model_fields["baselines"].is_required()
    assert not RankedRemedy.model_fields["same_answers"].is_required()
    assert not Ranking.model_fields["levelled"].is_required()

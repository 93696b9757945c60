"""Records are values: they survive JSON, and say where each file lies."""

import json
from pathlib import Path

import pytest
import toy_run
from pydantic import ValidationError

from tessera.experiment import Cnn
from tessera.record import (
    ClassScores,
    RunFolder,
    Spread,
    StudyFolder,
    StudyRecord,
    finished,
)

STUDY = Path(__file__).parents[1] / "results" / "study" / "study.json"


def test_a_value_survives_the_trip_through_json() -> None:
    spread = Spread(mean=0.1 + 0.2, deviation=None, values=(0.1 + 0.2,))
    assert Spread.model_validate_json(spread.model_dump_json()) == spread


def test_a_field_that_the_schema_does_not_know_is_refused() -> None:
    known = ClassScores(name="cat", precision=1, recall=1, f1=1, support=1)
    with pytest.raises(ValidationError, match="extra"):
        ClassScores.model_validate(known.model_dump() | {"extra": 1})


def test_runs_of_one_cell_share_a_folder_and_seeds_have_their_own() -> None:
    study = StudyFolder(Path("out"))
    folder = study.run("hybrid--weighted", "0123456789abcdef", 3)
    assert folder.path == Path("out/runs/hybrid--weighted-01234567/seed-3")


def test_every_file_of_a_run_has_a_name_of_its_own() -> None:
    folder = RunFolder(Path("run"))
    properties = [n for n, v in vars(RunFolder).items() if isinstance(v, property)]
    assert len({getattr(folder, name) for name in properties}) == len(properties) == 13


def test_a_folder_is_finished_with_a_whole_record_of_just_that_run(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path)
    assert finished(folder, "abc") is None
    folder.record.write_text('{"digest": "abc"')
    assert finished(folder, "abc") is None
    run = toy_run.experiment([Cnn()]).runs()[0]
    record = toy_run.write_run(folder, run)
    assert finished(folder, record.digest) == record
    assert finished(folder, "abc") is None


@pytest.mark.parametrize(
    "place", ["../other", "/etc", "runs/../../x", "C:\\x", "\\\\host\\x", "runs\\..\\x"]
)
def test_a_study_names_no_folder_outside_its_own(place: str) -> None:
    study = json.loads(STUDY.read_text(encoding="utf-8"))
    study["cells"][0]["folders"][0] = place
    with pytest.raises(ValidationError, match="expected a folder in the study's"):
        StudyRecord.model_validate_json(json.dumps(study))

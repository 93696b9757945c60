"""What a tracker is told is what the folders hold."""

import json
from pathlib import Path

import pytest

from tessera.track.runs import TrackError, finished, needs_extra


def test_every_finished_run_is_found_and_named_as_a_study_names_its_folder(
    study: Path,
) -> None:
    found = finished(study)
    mark = found[0].record.digest[:8]
    names = [run.name for run in found]
    assert names == [f"cnn--balanced-{mark}/seed-{seed}" for seed in (0, 1)]
    (alone,) = finished(study / "runs" / "cnn--balanced" / "seed-1")
    assert alone.name == names[1]


def test_parameters_are_settings_by_dotted_name(study: Path) -> None:
    parameters = finished(study)[0].parameters()
    assert parameters["training.epochs"] == "1"
    assert parameters["model.kind"] == "cnn"
    assert parameters["seed"] == "0"


def test_scores_are_the_records(study: Path) -> None:
    run = finished(study)[0]
    stored = json.loads(run.folder.record.read_text())["scores"]
    scores = run.scores()
    assert scores["test/macro_f1"] == stored["macro_f1"]
    assert scores["test/recall/4"] == stored["per_class"][4]["recall"]


def test_pictures_say_what_was_answered(study: Path) -> None:
    ((name, pixels),) = finished(study)[0].pictures()
    assert name == "2 answered 7 (0)"
    assert pixels.shape == (128, 128, 3)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackError, match=r"expected the folder of a study.*no folder"):
        finished(tmp_path / "gone")
    with pytest.raises(TrackError, match=r"expected the folder of a study.*no record"):
        finished(tmp_path)
    assert "'.[track]'" in str(needs_extra("tensorboard"))

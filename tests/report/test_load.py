import numpy as np
import pytest

from tessera import files
from tessera.record import RunFolder
from tessera.report.load import StudyError, explained, load


def test_a_study_is_read_cell_by_cell(study):
    assert list(study.cells)[:2] == [("cnn", "balanced"), ("cnn", "imbalanced")]
    assert [r.seed for r in study.cells["hybrid", "weighted"]] == [0, 1]


def test_histories_have_a_value_per_epoch(study):
    first, _ = study.histories("cnn", "balanced")
    assert first["epoch"].tolist() == [1, 2, 3]
    assert "val_accuracy" in first


def test_a_folder_without_a_study_is_an_error_that_names_it(tmp_path):
    with pytest.raises(StudyError, match=r"study\.json: expected a finished study"):
        load(tmp_path)


def test_a_torn_study_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "study.json").write_text('{"schema_version": 1')
    with pytest.raises(StudyError) as torn:
        load(tmp_path)
    said = str(torn.value)
    assert "study.json: expected a StudyRecord" in said and "Delete it and" in said
    assert "pydantic" not in said and "\n" not in said


def test_a_study_of_a_later_version_is_kept(tmp_path):
    (tmp_path / "study.json").write_text('{"schema_version": 3, "colours": []}')
    with pytest.raises(StudyError, match=r"a study\.json of a later Tessera") as later:
        load(tmp_path)
    assert "Delete" not in str(later.value)


def test_a_run_that_explained_nothing_has_no_explanations(tmp_path):
    run = RunFolder(tmp_path)
    assert explained(run.heatmaps) is None
    files.write_arrays(run.heatmaps, labels=np.zeros(0, np.int32))
    assert explained(run.heatmaps) is None


def test_explanations_keep_the_reason_of_a_blank_map(study):
    found = explained(study.folders["cnn", "balanced", 0].heatmaps)
    assert found is not None
    assert (found.layer, found.method) == ("features", "Grad-CAM")
    assert found.reasons[-1] == "no positive evidence"

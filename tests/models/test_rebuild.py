"""A run's model comes back from settings and weights, or an error says why not."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tessera import files
from tessera.data import source
from tessera.models.rebuild import (
    RunError,
    predictions,
    read_record,
    rebuild,
)
from tessera.record import RunFolder
from tessera.training import predict


@pytest.fixture
def copy(toy: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(toy.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def test_the_model_gives_the_runs_stored_answers(toy: RunFolder) -> None:
    rebuilt = rebuild(toy)
    images = source.load(rebuilt.run.data).test.images
    stored = files.read_arrays(toy.predictions)["logits"]
    np.testing.assert_allclose(predict.logits(rebuilt.net, images), stored, atol=1e-5)
    assert rebuilt.record.model == rebuilt.run.model.label == "hybrid"
    assert rebuilt.folder == toy
    assert images.shape[1:3] == (rebuilt.image_size,) * 2
    assert rebuilt.class_names == source.load(rebuilt.run.data).class_names


def test_a_folder_without_a_record_is_no_finished_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"finished run.*no record\.json"):
        rebuild(RunFolder(tmp_path))


def test_a_damaged_record_is_said_to_be_damaged(copy: RunFolder) -> None:
    copy.record.write_text("{}")
    with pytest.raises(RunError, match=r"a damaged record\.json"):
        read_record(copy)


def test_a_record_of_a_later_version_is_not_called_damaged(copy: RunFolder) -> None:
    later = copy.record.read_text().replace(
        '"schema_version": 2', '"schema_version": 3'
    )
    copy.record.write_text(later)
    with pytest.raises(RunError, match=r"a record\.json of a later Tessera") as caught:
        read_record(copy)
    assert "schema_version 3, where this one reads up to 2" in str(caught.value)
    assert "Delete" not in str(caught.value)


def test_a_file_in_place_of_a_run_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").touch()
    with pytest.raises(RunError, match=r"Received: a file\.$"):
        read_record(RunFolder(tmp_path / "cat.jpg"))


def test_missing_weights_are_named(copy: RunFolder) -> None:
    copy.weights.unlink()
    with pytest.raises(RunError, match=r"best\.weights\.h5: expected the weights of"):
        rebuild(copy)


@pytest.mark.parametrize("content", [None, b"not a zip"])
def test_validation_predictions_that_cannot_be_read_are_named(
    copy: RunFolder, content: bytes | None
) -> None:
    copy.validation_predictions.unlink()
    if content is not None:
        copy.validation_predictions.write_bytes(content)
    with pytest.raises(RunError, match=r"validation_predictions\.npz: expected"):
        predictions(copy.validation_predictions)


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n"])
def test_broken_weights_are_named(copy: RunFolder, content: bytes) -> None:
    copy.weights.write_bytes(content)
    with pytest.raises(RunError, match=r"[Tt]rain the run again"):
        rebuild(copy)


def test_weights_of_another_architecture_are_refused(copy: RunFolder) -> None:
    text = copy.experiment.read_text().replace("width = 128", "width = 64")
    copy.experiment.write_text(text)
    with pytest.raises(RunError, match=r"expected the weights of the model .hybrid."):
        rebuild(copy)


def test_what_is_no_finished_run_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    found = {"nowhere": "no such folder", "empty": "no record", ".": "a study. Name"}
    for name, expected in found.items():
        with pytest.raises(RunError, match=f"Received: {expected}"):
            read_record(RunFolder(tmp_path / name))


def test_where_a_study_would_do_as_well_the_error_says_so(tmp_path: Path) -> None:
    for or_study, expected in ((False, "run, such as"), (True, "run or study, such")):
        with pytest.raises(RunError, match=f"folder of a finished {expected}"):
            read_record(RunFolder(tmp_path), or_study=or_study)

"""A run's model, its data and the images it was validated on."""

import json

import numpy as np
import pytest

from tessera.data import digits
from tessera.data.dataset import DataError
from tessera.experiment import Cnn, Digits, Folder, Hybrid, HybridPlus, Transformer
from tessera.explain import trained
from tessera.explain.graph import ExplainError
from tessera.models import build
from tessera.record import RunFolder


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    """A finished run whose stored weights are those of seed 7."""
    return finished(tmp_path_factory.mktemp("run"), Hybrid(), seed=7)


def test_the_model_is_the_runs_own_with_its_best_weights(folder):
    found = trained.load(folder)
    expected = build.build(Hybrid(), (16, 16, 3), 10, seed=7)
    for one, other in zip(found.net.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert found.class_names == tuple("0123456789")
    assert found.image_size == 16 and found.run.model == Hybrid()


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(ExplainError, match=r"finished run.*no record.json"):
        trained.load(RunFolder(tmp_path))


def test_a_damaged_record_is_refused(tmp_path):
    (tmp_path / "record.json").write_text("{}")
    with pytest.raises(ExplainError, match=r"a damaged record.json"):
        trained.load(RunFolder(tmp_path))


def test_the_data_is_that_of_the_run(folder):
    found = trained.data(trained.load(folder))
    assert found.fingerprint == digits.load(16).fingerprint


def test_data_that_has_changed_is_refused(finished, tmp_path):
    run = finished(tmp_path, Cnn())
    record = json.loads(run.record.read_text())
    record["data"]["fingerprint"] = "0" * 64
    run.record.write_text(json.dumps(record))
    found = trained.load(run)
    with pytest.raises(ExplainError, match="expected the images it was trained on"):
        trained.data(found)
    with pytest.raises(ExplainError, match=r"\). Name them\.$"):
        trained.data(found, way_out="Name them.")


def test_data_that_moved_can_be_named(folder, tmp_path):
    found = trained.load(folder)
    dataset = trained.data(found, Digits(image_size=16))
    assert dataset.fingerprint == digits.load(16).fingerprint
    with pytest.raises(ExplainError, match="expected the images it was trained on"):
        trained.data(found, Digits(image_size=32))
    with pytest.raises(DataError):
        trained.data(found, Folder(path=str(tmp_path / "gone")))


def test_validation_images_are_those_of_the_manifest(folder):
    dataset = digits.load(16)
    held = trained.validation(folder, dataset)
    np.testing.assert_array_equal(held.images, dataset.train.images[:20])
    np.testing.assert_array_equal(held.labels, dataset.train.labels[:20])


@pytest.mark.parametrize("text", [None, "{}", "no JSON", '{"indices": []}'])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path, text):
    run = RunFolder(tmp_path)
    if text is not None:
        run.manifest.write_text(text)
    with pytest.raises(ExplainError, match="expected the manifest of a finished run"):
        trained.validation(run, digits.load(16))


@pytest.mark.parametrize(
    "model, grid, readout",
    [
        (Cnn(), None, "mean"),
        (Hybrid(), (2, 2), "mean"),  # a 4x4 map in patches of 2x2
        (Hybrid(patch=3), (2, 2), "mean"),  # padded to 6x6
        (Transformer(), (4, 4), "pool_weights"),
        (HybridPlus(), (4, 4), "pool_weights"),
    ],
    ids=["cnn", "hybrid", "padded", "transformer", "plus"],
)
def test_the_grid_of_own_tokens_is_known_from_the_settings(
    finished, tmp_path, model, grid, readout
):
    found = trained.load(finished(tmp_path, model))
    assert trained.token_grid(found) == grid
    assert trained.readout(found) == readout

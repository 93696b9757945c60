"""What a run writes is read back as it was."""

from pathlib import Path

import numpy as np

from tessera import artefacts, files
from tessera.data.dataset import Split


def test_predictions_hold_logits_labels_and_places(tmp_path: Path) -> None:
    split = Split(np.zeros((2, 4, 4, 3), np.uint8), np.array([1, 0], np.int32))
    logits = np.array([[0.5, -1.0], [2.0, 3.0]], np.float32)
    artefacts.write_predictions(tmp_path / "p.npz", logits, split, np.array([7, 3]))
    found = files.read_arrays(tmp_path / "p.npz")
    np.testing.assert_array_equal(found["logits"], logits)
    assert found["labels"].tolist() == [1, 0]
    assert found["indices"].tolist() == [7, 3]
    assert "groups" not in found


def test_predictions_of_images_in_groups_name_them(tmp_path: Path) -> None:
    images, labels = np.zeros((2, 4, 4, 3), np.uint8), np.array([1, 0], np.int32)
    split = Split(images, labels, groups=("anna", "bert"))
    logits = np.zeros((2, 2), np.float32)
    artefacts.write_predictions(tmp_path / "p.npz", logits, split, np.arange(2))
    found = files.read_arrays(tmp_path / "p.npz")
    assert found["groups"].tolist() == ["anna", "bert"]

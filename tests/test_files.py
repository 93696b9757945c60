"""Atomic files: the old content or the new, never half."""

from pathlib import Path

import numpy as np
import pytest

from tessera import files


def test_a_write_that_fails_midway_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    files.write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        files.write_json(path, {"new": object()})
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == '{\n  "old": 1\n}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.json"]


def test_nan_is_not_written_as_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "value.json", {"score": float("nan")})


def test_arrays_come_back_as_they_went(tmp_path: Path) -> None:
    logits = np.arange(6, dtype=np.float32).reshape(2, 3)
    files.write_arrays(tmp_path / "p.npz", logits=logits)
    np.testing.assert_array_equal(
        files.read_arrays(tmp_path / "p.npz")["logits"], logits
    )


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", bad=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        files.read_arrays(tmp_path / "bad.npz")

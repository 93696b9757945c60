"""A checkpoint comes back bit by bit or not at all, and leaves the older ones alone."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from tessera import checkpoint, files

ARRAYS = {
    "kernel": np.linspace(-1, 1, 60, dtype=np.float32).reshape(3, 4, 5),
    "step": np.array(7, dtype=np.int64),
    "nothing": np.zeros((0, 4), dtype=np.float64),
    "mask": np.array([True, False]),
    "odd/name: ü": np.array([np.nan, -0.0, np.inf, 5e-324]),
}
STATE = {"history": [{"loss": 0.1 + 0.2}], "best": None, "name": "Größe"}


def save(folder: Path, step: int, **changes: Any) -> None:
    given_ = {"arrays": ARRAYS, "state": STATE | {"at": step}, "digest": "d1"} | changes
    checkpoint.save(
        folder, step, given_["arrays"], given_["state"], digest=given_["digest"]
    )


def load(folder: Path, digest: str = "d1") -> tuple[int | None, list[str]]:
    """The step that would be resumed from, and what was said on the way."""
    notes: list[str] = []
    found = checkpoint.load(folder, digest=digest, note=notes.append)
    return (None if found is None else found.step), notes


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_arrays_and_state_come_back_bit_by_bit(tmp_path: Path) -> None:
    save(tmp_path, 3)
    found = checkpoint.load(tmp_path, digest="d1")
    assert found is not None
    assert list(found.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found.arrays[name].tobytes() == array.tobytes()
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
    assert found.state == STATE | {"at": 3}
    found.arrays["kernel"][0] = 5


NUMBERS = (
    arrays_of.integer_dtypes()
    | arrays_of.floating_dtypes()
    | arrays_of.boolean_dtypes()
)
ANY_ARRAYS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"])),
    arrays_of.arrays(NUMBERS, arrays_of.array_shapes(min_dims=0, min_side=0)),
    max_size=4,
)
ANY_STATE = st.dictionaries(
    st.text(),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        # JSON has no infinity; save refuses it.
        .filter(np.isfinite)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
        max_leaves=8,
    ),
    max_size=4,
).map(
    lambda state: {k.encode("utf-8", "replace").decode(): v for k, v in state.items()}
)


@settings(max_examples=40)
@given(arrays=ANY_ARRAYS, state=ANY_STATE, step=st.integers(0, 10**9 - 1))
def test_any_numbers_and_any_plain_data_come_back(
    tmp_path_factory: pytest.TempPathFactory, arrays, state, step
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with mock.patch("os.fsync"):  # that waits for the disk, hundreds of times
        checkpoint.save(folder, step, arrays, state, digest="d")
    found = checkpoint.load(folder, digest="d")
    assert found is not None and found.step == step and found.state == state
    assert {n: (a.dtype, a.shape, a.tobytes()) for n, a in found.arrays.items()} == {
        n: (a.dtype, a.shape, a.tobytes()) for n, a in arrays.items()
    }
    shutil.rmtree(folder)


def test_columns_first_arrays_keep_their_values(tmp_path: Path) -> None:
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    save(tmp_path, 1, arrays={"a": array})
    found = checkpoint.load(tmp_path, digest="d1")
    assert found is not None
    np.testing.assert_array_equal(found.arrays["a"], array)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3, 10):
        save(tmp_path, step)
    assert names(tmp_path) == ["step-000000003", "step-000000010"]
    assert load(tmp_path) == (10, [])


def test_a_future_that_was_given_up_is_forgotten(tmp_path: Path) -> None:
    for step in (4, 5, 9):
        save(tmp_path, step)
    save(tmp_path, 6)
    assert names(tmp_path) == ["step-000000005", "step-000000006"]


def test_the_same_step_can_be_saved_again(tmp_path: Path) -> None:
    save(tmp_path, 1)
    save(tmp_path, 1, state={"again": True})
    found = checkpoint.load(tmp_path, digest="d1")
    assert found is not None and found.state == {"again": True}


def test_nothing_saved_is_nothing_to_load(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == (None, [])


def test_what_a_killed_save_left_is_passed_over_and_removed(tmp_path: Path) -> None:
    save(tmp_path, 1)
    half = tmp_path / f"{files.PARTIAL}abc"
    half.mkdir()
    (half / "arrays.bin").write_bytes(b"half")
    assert load(tmp_path) == (1, [])
    save(tmp_path, 2)
    assert not half.exists()


def test_the_hashes_are_those_of_sha256sum(tmp_path: Path) -> None:
    save(tmp_path, 1)
    place = tmp_path / "step-000000001"
    lines = (place / "SHA256SUMS").read_text().splitlines()
    assert lines == [
        f"{hashlib.sha256((place / name).read_bytes()).hexdigest()}  {name}"
        for name in ("arrays.bin", "state.json")
    ]
    if tool := shutil.which("sha256sum"):
        done = subprocess.run([tool, "--check", "--strict", "SHA256SUMS"], cwd=place)
        assert done.returncode == 0


def test_a_flipped_bit_anywhere_is_found_and_the_previous_is_used(
    tmp_path: Path,
) -> None:
    for step in (1, 2):
        save(tmp_path, step)
    spots = [
        (file, offset)
        for file in sorted((tmp_path / "step-000000002").iterdir())
        for offset in range(file.stat().st_size)
    ]
    rng = np.random.default_rng(0)
    for index in rng.choice(len(spots), size=150, replace=False):
        file, offset = spots[index]
        whole = file.read_bytes()
        broken = bytearray(whole)
        broken[offset] ^= 1 << int(rng.integers(8))
        file.write_bytes(broken)
        step, notes = load(tmp_path)
        assert (step, len(notes)) == (1, 1), (file.name, offset)
        assert "step-000000002: this checkpoint is not used" in notes[0]
        file.write_bytes(whole)
    assert load(tmp_path) == (2, [])


@pytest.mark.parametrize("name", ["arrays.bin", "state.json", "SHA256SUMS"])
def test_a_file_cut_short_missing_or_longer_is_found(tmp_path: Path, name) -> None:
    for step in (1, 2):
        save(tmp_path, step)
    file = tmp_path / "step-000000002" / name
    whole = file.read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"\0", None):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        step, (note,) = load(tmp_path)
        assert step == 1 and name in note
        file.write_bytes(whole)


def test_another_experiments_checkpoint_is_refused_loudly(tmp_path: Path) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2, digest="another")
    step, (note,) = load(tmp_path)
    assert step == 1 and "belongs to other settings, data or versions" in note


def test_without_a_usable_one_training_starts_over_and_says_why(
    tmp_path: Path, capsys
) -> None:
    save(tmp_path, 1, digest="another")
    assert checkpoint.load(tmp_path, digest="d1") is None
    assert "this checkpoint is not used" in capsys.readouterr().err


def forge(folder: Path, **changes: Any) -> None:
    """A checkpoint of step 1 with other facts and hashes that fit them."""
    save(folder, 1, arrays={"a": np.arange(3.0)})
    place = folder / "step-000000001"
    facts = json.loads((place / "state.json").read_bytes()) | changes
    (place / "state.json").write_text(json.dumps(facts))
    lines = [
        f"{hashlib.sha256((place / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("arrays.bin", "state.json")
    ]
    (place / "SHA256SUMS").write_text("".join(lines))


@pytest.mark.parametrize(
    "layout",
    [
        {"a": ["<f8", [4]]},
        {"a": ["<f8", [2]]},
        {"a": ["<f8", [10**30]]},
        {"a": ["<f8", [-1, -3]]},
        {"a": ["<f8", [1.5, 2]]},
        {"a": ["<f8", None]},
        {"a": ["|O", [3]]},
        {"a": ["<f8,<f8", [3]]},
        {"a": ["<f3", [8]]},
        {"a": [8, [3]]},
        {"a": "<f8"},
        ["a"],
        None,
    ],
)
def test_a_layout_that_does_not_fit_the_bytes_is_refused(tmp_path, layout) -> None:
    forge(tmp_path, arrays=layout)
    step, (note,) = load(tmp_path)
    assert step is None
    assert "do not fit arrays.bin" in note or "bytes too many" in note


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 1}, "version 1, not 2"),
        ({"step": 5}, "not the state of step 1"),
        ({"step": "1"}, "not the state of step 1"),
        ({"state": [1]}, "not the state of step 1"),
    ],
)
def test_facts_that_are_no_checkpoints_are_refused(tmp_path, changes, message) -> None:
    forge(tmp_path, **changes)
    step, (note,) = load(tmp_path)
    assert step is None and message in note


def test_objects_and_nan_states_are_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="expected an array of numbers"):
        save(tmp_path, 1, arrays={"a": np.array([None])})
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path, 1, state={"loss": float("nan")})
    assert names(tmp_path) == []


@pytest.mark.parametrize("refused", range(5))
def test_a_disk_that_refuses_any_write_leaves_the_older_ones_alone(
    tmp_path: Path, monkeypatch, refused: int
) -> None:
    """A save flushes three files, their folder and, once in place, the parent."""
    for step in (1, 2):
        save(tmp_path, step)
    calls = iter(range(100))
    real = os.fsync

    def full(handle: int) -> None:
        if next(calls) == refused:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(files.CannotWrite, match="No space left"):
            save(tmp_path, 3)
    assert load(tmp_path) == (2 if refused < 4 else 3, [])
    assert not list(tmp_path.glob(f"{files.PARTIAL}*"))


def test_a_finished_training_leaves_no_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    for step in (1, 2):
        save(folder, step)
    checkpoint.clear(folder)
    assert not folder.exists()
    checkpoint.clear(folder)

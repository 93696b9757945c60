"""A folder is one command's at a time, and free again whatever ends the command."""

from pathlib import Path

import pytest

from tessera import files, locks


def test_a_folder_that_is_held_is_refused_until_it_is_let_go(tmp_path: Path) -> None:
    with locks.held(tmp_path):
        refused = pytest.raises(locks.FolderInUse, match="working in this folder")
        with refused, locks.held(tmp_path):
            pytest.fail("two hold it")
    with locks.held(tmp_path):
        pass


@pytest.mark.parametrize("name", ["a file", "a file/below"])
def test_a_folder_that_cannot_be_is_named_and_left_as_it_is(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "a file").write_text("kept")
    refused = pytest.raises(files.CannotWrite, match=r"a file.*A file stands where")
    with refused, locks.held(tmp_path / name):
        pytest.fail("there is no such folder")
    assert (tmp_path / "a file").read_text() == "kept"


def test_an_error_of_the_work_itself_is_passed_on_and_the_folder_is_free(
    tmp_path: Path,
) -> None:
    with pytest.raises(OSError, match="of the work"), locks.held(tmp_path):
        raise OSError("of the work")
    with locks.held(tmp_path):
        pass

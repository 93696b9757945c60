"""A folder is one command's at a time, and free again whatever ends the command."""

import fcntl
import subprocess
import sys
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


def left(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("before", [[], ["out/deep"], ["out/deep", "out/other"]])
def test_work_that_leaves_nothing_leaves_no_folder_that_was_not_there(
    tmp_path: Path, before: list[str]
) -> None:
    for place in before:
        (tmp_path / place).mkdir(parents=True)
    there = left(tmp_path)
    for folder in (tmp_path / "out/deep", tmp_path / "out/deep/more/run"):
        with pytest.raises(OSError, match="refused"), locks.held(folder):
            assert (folder / ".lock").exists()
            raise OSError("refused")
        assert left(tmp_path) == there


def test_the_lock_stays_where_work_left_something_or_it_was_there(
    tmp_path: Path,
) -> None:
    with locks.held(tmp_path / "run"):
        (tmp_path / "run" / "record.json").touch()
    with locks.held(tmp_path / "run"):
        pass
    assert left(tmp_path) == {"run", "run/.lock", "run/record.json"}


def test_a_folder_that_another_put_something_into_meanwhile_is_left(
    tmp_path: Path,
) -> None:
    with locks.held(tmp_path / "out"), locks.held(tmp_path / "out" / "runs" / "a"):
        (tmp_path / "out" / "runs" / "a" / "record.json").touch()
    assert "out/runs/a/record.json" in left(tmp_path)


def test_one_who_is_refused_takes_nothing_from_the_one_at_work(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with locks.held(folder):
        with pytest.raises(locks.FolderInUse), locks.held(folder):
            pytest.fail("two hold it")
        assert left(tmp_path) == {"out", "out/.lock"}
    assert left(tmp_path) == set()


def test_a_lock_that_lost_its_name_while_one_waited_is_not_taken_for_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is opened, then its holder ends and takes it away, then it is locked."""
    folder, taken = tmp_path / "out", fcntl.flock
    holder = locks.held(folder)
    holder.__enter__()
    inner: list[bool] = []

    def late(handle: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", taken)
        holder.__exit__(None, None, None)
        assert not folder.exists()
        taken(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with locks.held(folder):
        inner.append((folder / ".lock").exists())
        refused = pytest.raises(locks.FolderInUse)
        with refused, locks.held(folder):
            pytest.fail("two hold it")
    assert inner == [True]


TURNS = """
import sys, os, pathlib
from tessera import locks
folder, mark = map(pathlib.Path, sys.argv[1:])
held = 0
while held < 100:
    try:
        with locks.held(folder):
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
            held += 1
            mark.unlink()
    except locks.FolderInUse:
        pass
"""


def test_many_at_once_in_a_folder_that_comes_and_goes_never_hold_it_together(
    tmp_path: Path,
) -> None:
    place = [str(tmp_path / "out" / "run"), str(tmp_path / "mark")]
    turns = [
        subprocess.Popen(
            [sys.executable, "-c", TURNS, *place], stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    ends = [(turn.communicate(timeout=120)[1], turn.returncode) for turn in turns]
    assert ends == [("", 0)] * 3
    # One may leave a folder that another had made, but no lock.
    assert left(tmp_path) <= {"out", "out/run"}

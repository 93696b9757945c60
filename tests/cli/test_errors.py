"""Errors that a user can mend become a message; others keep their traceback."""

import errno
import io
import sys

import pytest

from cli.inside import tessera
from tessera.cli import errors
from tessera.data.dataset import DataError
from tessera.settings import ExperimentError


def raising(error: Exception) -> None:
    raise error


def test_a_known_error_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert errors.guarded(lambda: raising(ExperimentError("epochs: too few"))) == 2
    assert capsys.readouterr().err == "tessera: epochs: too few\n"


def test_a_kind_of_a_known_error_is_known_too() -> None:
    class SpecialDataError(DataError):
        pass

    assert errors.guarded(lambda: raising(SpecialDataError("x"))) == 2


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        errors.guarded(lambda: raising(ZeroDivisionError("ours")))


def test_success_is_0() -> None:
    assert errors.guarded(lambda: None) == 0


def test_every_listed_name_is_an_error_that_exists() -> None:
    from tessera import engines, files, locks, runtime, search, settings, study
    from tessera.data import dataset
    from tessera.explain import graph
    from tessera.export import errors as export
    from tessera.imbalance import guards, profiles
    from tessera.models import blocks, rebuild
    from tessera.report import load
    from tessera.track import runs as track
    from tessera.training import validation

    modules = (
        *(
            files,
            locks,
            runtime,
            settings,
            study,
            engines,
            search,
            dataset,
            graph,
            track,
        ),
        *(guards, profiles, blocks, rebuild, load, validation, export),
    )
    known = {name for module in modules for name in vars(module)}
    assert set(errors.MENDABLE) <= known


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_name_that_a_pipe_has_no_letters_for_is_shown_with_escapes(
    encoding: str, monkeypatch
) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", pipe)
    assert errors.guarded(lambda: print("\u72ac \udcff")) == 0
    pipe.flush()
    shown = pipe.buffer.getvalue().decode(encoding).strip()
    assert shown == ("\u72ac \\udcff" if encoding == "utf-8" else "\\u72ac \\udcff")


def test_a_full_or_locked_disk_is_one_line(capsys) -> None:
    def refused() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert errors.guarded(refused) == 2
    said = capsys.readouterr().err
    assert "the system refused" in said and "No space left on device" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("study", "--data"),
        ("study", "--data", "digits", "--out"),
        *(("report",), ("track", "--to", "mlflow"), ("export", "--to", "x")),
    ],
    ids=" ".join,
)
def test_a_path_longer_than_any_is_a_message(words: tuple[str, ...]) -> None:
    ended = tessera(*words, "n" * 5000)
    assert ended.returncode == 2
    assert ended.stderr.startswith("tessera: ")


def test_links_that_lead_to_each_other_are_a_message(tmp_path, capsys) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert errors.guarded(lambda: (tmp_path / "one").read_bytes()) == 2
    assert "the system refused" in capsys.readouterr().err


def test_another_error_of_the_system_is_a_fault_of_ours() -> None:
    def fault() -> None:
        raise FileNotFoundError(errno.ENOENT, "no such file")

    with pytest.raises(FileNotFoundError):
        errors.guarded(fault)

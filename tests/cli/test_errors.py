"""Errors that a user can mend become a message; others keep their traceback."""

import errno
import io
import os
import struct
import subprocess
import sys
from pathlib import Path

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


def test_a_text_cannot_steer_a_terminal() -> None:
    text = "a\x1b[2J\n\u202eb"
    assert errors.plain(text) == "a\ufffd[2J\ufffd\ufffdb"
    assert errors.plain(text, lines=True) == "a\ufffd[2J\n\ufffdb"


@pytest.mark.parametrize("code", ["ENOSPC", "EDQUOT", "EFBIG", "ESTALE", "EROFS"])
def test_a_full_or_locked_disk_or_share_is_one_line(capsys, code: str) -> None:
    def refused() -> None:
        raise OSError(getattr(errno, code), "No space left on device")

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


@pytest.mark.parametrize(
    ("words", "behind"),
    [
        (["predict", "runs/photos", ""], "runs/photos"),
        (["study", "--data", "none", "--out", ""], "--out"),
        (["study", "--out=", "--data", "none"], "--out="),
        ([""], "tessera"),
    ],
)
def test_an_empty_word_is_refused_before_it_means_the_current_folder(
    words: list[str], behind: str
) -> None:
    ended = tessera(*words)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"tessera: {behind}: expected a value behind it.")


def test_a_setting_may_be_given_an_empty_text() -> None:
    errors.refuse_empty(["config", "--set", "data.name="])


def test_an_image_of_too_many_pixels_is_told_of_once(tmp_path: Path) -> None:
    # A bitmap's header alone: 54 bytes that promise a picture of 9500 x 9500.
    facts = (40, 9500, 9500, 1, 24, 0, 0, 0, 0, 0, 0)
    header = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54)
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        bitmap = header + struct.pack("<IiiHHIIiiII", *facts)
        (tmp_path / "images" / name / "1.bmp").write_bytes(bitmap)
    # A program of its own: here, tests make errors of warnings.
    ended = subprocess.run(
        [sys.executable, "-m", "tessera", "data", tmp_path / "images"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"TESSERA_CACHE": str(tmp_path / "cache")},
    )
    assert "9500 x 9500 pixels are more than" in ended.stdout
    assert "Warning" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("study", "--epochs", "x"),
            "--epochs: expected a whole number. Received: 'x'.",
        ),
        (
            ("study", "--epochs", "9" * 5000),
            "--epochs: expected a whole number of fewer digits. Received: "
            f"'{'9' * 40}'.",
        ),
        (
            ("train", "--seed", "-3"),
            "--seed: expected a number of at least 0. Received: '-3'.",
        ),
        (("study", "--gpus", "some"), "--gpus: expected a number. Received: 'some'."),
        (
            ("serve", "RUN", "--port", "65536"),
            "--port: expected a number of at most 65535. Received: '65536'.",
        ),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else "",
)
def test_a_wrong_number_is_told_like_any_other_mistake(
    words: tuple[str, ...], said: str
) -> None:
    ended = tessera(*words)
    assert (ended.returncode, ended.stderr) == (2, f"tessera: {said}\n")


def test_what_only_the_parser_knows_it_says_itself() -> None:
    ended = tessera("export", "RUN")
    assert ended.returncode == 2
    assert "Missing option '--to'" in ended.stderr

"""Ctrl-C says what is kept and gives the command again."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from cli.inside import tessera
from tessera.cli import stopping


def test_an_interrupted_block_ends_the_command_with_what_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/tessera", "search", "--out", "my search"])
    console, kept = Console(file=io.StringIO()), []
    with (
        pytest.raises(SystemExit) as ended,
        stopping.telling(console, lambda: f"Kept: {len(kept)}."),
    ):
        kept.append("one")
        raise KeyboardInterrupt
    assert ended.value.code == 130
    text = console.file.getvalue()
    assert text == "\nStopped. Kept: 1.\n  tessera search --out 'my search'\n"


def test_other_errors_pass() -> None:
    console = Console(file=io.StringIO())
    with pytest.raises(ValueError, match="other"), stopping.telling(console, str):
        raise ValueError("other")
    assert not console.file.getvalue()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_interrupted_search_says_how_many_trials_it_keeps(tmp_path: Path) -> None:
    out = tmp_path / "search"
    words = ["search", "--data", "digits", "--epochs", "1", "--models", "cnn"]
    words += ["--set", "data.image_size=8", "--out", str(out)]
    program = "from tessera.cli import main; main()"
    command = [sys.executable, "-c", program, *words, "--trials", "99"]
    printed = tmp_path / "printed"
    with printed.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    while "cnn 1/99" not in printed.read_text():
        assert process.poll() is None, printed.read_text()
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) == 130, printed.read_text()
    text = printed.read_text()
    assert f"of 99 trials are finished and kept in {out}" in text
    assert "tessera search --data digits --epochs 1" in text
    assert "Traceback" not in text
    done = int(text.split("Stopped. ")[1].split()[0])
    again = tessera(*words, "--trials", "2")
    assert again.returncode == 0, again.stderr
    first = [line for line in text.splitlines() if line.startswith("  cnn ")]
    assert len(first) == done
    assert again.stdout.replace("\n", "").count("cnn ") >= 2
    assert first[0].split(":")[1] in again.stdout

"""The verbs for trained models are there, and a mistake is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tessera.record import RunFolder


def tessera(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tessera", *arguments],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "no-such-run", "x.png"], "no-such-run: expected the folder of a"),
        (["export", "no-such-run", "--to", "onnx"], "no-such-run: expected the folder"),
        (["export", "no-such-run", "--to", "pickle"], "expected one of keras, onnx"),
    ],
)
def test_a_mistake_gets_one_message_and_no_traceback(
    arguments: list[str], message: str
) -> None:
    result = tessera(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_export_ends_with_its_paths(toy: RunFolder, tmp_path: Path) -> None:
    out = str(tmp_path / "model")
    result = tessera("export", str(toy.path), "--to", "onnx", "--out", out)
    assert result.returncode == 0, result.stderr
    assert "Checked on 359 test images" in result.stdout
    assert f"{out}/model.onnx" in result.stdout and f"{out}/card.md" in result.stdout
    again = tessera("export", str(toy.path), "--to", "onnx", "--out", out)
    assert again.returncode == 2 and "holds something" in again.stderr

"""What is done with a trained model from the command line."""

from pathlib import Path

import pytest

from cli.inside import tessera
from tessera import runtime
from tessera.record import RunFolder


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_export_ends_with_its_paths(toy: RunFolder, tmp_path: Path) -> None:
    out = str(tmp_path / "model")
    result = tessera("export", str(toy.path), "--to", "onnx", "--out", out)
    assert result.returncode == 0, result.stderr
    assert "Checked on 1,000 images, 359 of them test images" in result.stdout
    assert f"{out}/model.onnx" in result.stdout and f"{out}/card.md" in result.stdout
    again = tessera("export", str(toy.path), "--to", "onnx", "--out", out)
    assert again.returncode == 2 and "holds something" in again.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "no-run", "cat.jpg"),
        ("explain", "no-run", "cat.jpg"),
        ("export", "no-run", "--to", "onnx"),
        ("serve", "no-run"),
        ("faithfulness", "no-run"),
    ],
    ids=lambda words: words[0],
)
def test_a_folder_without_a_run_is_named_before_a_framework_loads(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "load_backend", lambda **_: pytest.fail("loaded"))
    result = tessera(*words)
    assert result.returncode == 2
    assert "no-run: expected the folder of a finished run or study" in result.stderr


def test_an_unknown_format_of_answers_is_refused_before_a_framework_loads(
    toy: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "load_backend", lambda **_: pytest.fail("loaded"))
    result = tessera("predict", toy.path, "cat.jpg", "--format", "xml")
    assert result.returncode == 2
    told = "--format: expected one of table, jsonl, csv. Received: 'xml'."
    assert told in result.stderr

"""A trained model is exported from the command line."""

from pathlib import Path

import pytest

from cli.inside import tessera
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

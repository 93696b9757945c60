"""What is done with a trained model from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
import toy_run
from PIL import Image

from cli.inside import tessera
from tessera import runtime
from tessera.ensembled import Ensemble
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


def test_a_study_answers_with_the_mean_of_its_seeds(
    two_seeds: Path, pair: Ensemble, tmp_path: Path
) -> None:
    images = toy_run.digits().test.images[:2]
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    words = ("predict", two_seeds, tmp_path, "--format", "jsonl", "--ensemble")
    ended = tessera(*words)
    assert ended.returncode == 0, ended.stderr
    rows = [json.loads(line)["probabilities"] for line in ended.stdout.splitlines()]
    found = np.array([list(row.values()) for row in rows])
    apart = [member.probabilities(images) for member in pair.members]
    np.testing.assert_allclose(found, np.mean(apart, axis=0), atol=1e-5)
    assert "The runs used are all 2 of hybrid, balanced" in ended.stderr
    assert f"{pair.folder.path.parent}, seeds 0 and 1. Each run is" in ended.stderr


@pytest.mark.parametrize("words", [("predict", "cat.jpg"), ("export", "--to", "onnx")])
def test_an_ensemble_of_one_run_is_refused_before_a_framework_loads(
    words: tuple[str, ...], toy: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "load_backend", lambda **_: pytest.fail("loaded"))
    ended = tessera(words[0], toy.path, *words[1:], "--ensemble")
    assert ended.returncode == 2
    assert "expected a study, of which all seeds' runs" in ended.stderr


def test_a_heatmap_is_of_one_run_and_the_command_that_shows_it_is_named(
    two_seeds: Path, tmp_path: Path
) -> None:
    out = tmp_path / "maps"
    words = ("--heatmap", "--out", out, "--ensemble")
    ended = tessera("predict", two_seeds, "cat.jpg", *words)
    assert ended.returncode == 2 and not out.exists()
    assert ended.stderr == (
        "tessera: --heatmap: expected one run, for a map is of one model. Received: "
        "--ensemble as well. Leave either out; `tessera predict RUN|STUDY IMAGE "
        "--heatmap` shows the maps of one run.\n"
    )

"""The documentation's code runs, and its site builds without a warning."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy_run
from PIL import Image

from tessera.experiment import Hybrid
from tessera.export import command
from tessera.models import build
from tessera.record import RunFolder

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHORTER = {"epochs=40": "epochs=1"}
"""What the test changes in a page's code, so that it takes seconds."""

WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.fixture
def folder(toy: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with what the pages speak of."""
    data = toy_run.digits().train
    for name, label in (("cats", 0), ("dogs", 1)):
        chosen = data.images[data.labels == label][: 30 + 60 * label]
        for index, image in enumerate(chosen):
            for place in (tmp_path / "photos" / name, tmp_path / "new-photos"):
                place.mkdir(parents=True, exist_ok=True)
                Image.fromarray(image).save(place / f"{name}-{index}.png")
    command.export(toy.path, "onnx", out=tmp_path / "my-model")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
@pytest.mark.usefixtures("folder")
def test_every_code_block_of_a_page_runs(page: Path) -> None:
    images = toy_run.digits().test.images[:4]
    net = build.build(Hybrid(), images.shape[1:], 10, seed=0)
    known: dict[str, object] = {
        **{"net": net, "model": net, "images": images, "np": np},
        "labels": toy_run.digits().test.labels[:4],
    }
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for long, short in SHORTER.items():
            block = block.replace(long, short)
        exec(compile(block, page.name, "exec"), known)


def test_some_pages_have_code() -> None:
    assert {"README.md", "use.md", "methods.md"} <= {page.name for page in WITH_CODE}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("myst_parser")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", str(ROOT / "docs"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    for page in ("index", "use", "methods", "scaling", "design"):
        assert (tmp_path / f"{page}.html").stat().st_size > 1000

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MakeImage = Callable[[str], Path]


@pytest.fixture(autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> Path:
    """No test sees what another one, or the user, has cached."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TESSERA_CACHE", str(folder))
    return folder


@pytest.fixture
def make_image(tmp_path: Path) -> MakeImage:
    """Write one more image, unlike all before, below `tmp_path / "images"`."""
    made = iter(range(10**6))

    def make(path: str) -> Path:
        file = tmp_path / "images" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(next(made)).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(noise).save(file, format="PNG")
        return file

    return make


@pytest.fixture
def split_folder(tmp_path: Path, make_image: MakeImage) -> Path:
    """`train/` with 6 cats and 4 dogs, `test/` with 2 of each; 8x8 pixels."""
    for path, number in (("train/cat", 6), ("train/dog", 4)):
        for n in range(number):
            make_image(f"{path}/{n}.png")
    for label in ("cat", "dog"):
        for n in range(2):
            make_image(f"test/{label}/{n}.png")
    return tmp_path / "images"


@pytest.fixture
def class_folder(tmp_path: Path, make_image: MakeImage) -> Path:
    """10 cats and 5 dogs in a folder per class; 8x8 pixels."""
    for label, number in (("cat", 10), ("dog", 5)):
        for n in range(number):
            make_image(f"{label}/{n}.png")
    return tmp_path / "images"

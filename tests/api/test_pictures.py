"""Files, folders and arrays become pixels of the model's size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tessera.api import pictures
from tessera.data.dataset import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A red and a blue picture, and a text that calls itself one."""
    for name, colour in (("a", (255, 0, 0)), ("b", (0, 0, 255))):
        Image.new("RGB", (20, 10), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "c.png").write_text("no picture", encoding="utf-8")
    return tmp_path


def test_a_folder_stands_for_its_files_and_names_those_it_cannot_read(
    folder: Path,
) -> None:
    seen = pictures.read(folder, 8)
    assert [Path(name).name for name in seen.names] == ["a.png", "b.png"]
    assert seen.pixels.shape == (2, 8, 8, 3)
    assert (seen.pixels[0] == [255, 0, 0]).all()
    assert [Path(name).name for name, _ in seen.refused] == ["c.png"]
    assert "not a JPEG" in seen.refused[0][1]


def test_files_come_in_the_order_given(folder: Path) -> None:
    seen = pictures.read([folder / "b.png", str(folder / "a.png")], 8)
    assert (seen.pixels[0] == [0, 0, 255]).all()


def test_an_array_is_brought_to_size_and_numbered() -> None:
    seen = pictures.read(np.full((2, 4, 6, 3), 7, np.uint8), 8)
    assert seen.names == ("0", "1")
    assert (seen.pixels == 7).all()
    assert seen.pixels.shape == (2, 8, 8, 3)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 8, 8, 3)),
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
    ],
    ids=["fractions", "no channels", "no images"],
)
def test_an_array_that_holds_no_pixels_is_refused(images: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"uint8 \[N, H, W, 3\]. Received: "):
        pictures.read(images, 8)


def test_without_one_readable_image_the_reasons_are_told(folder: Path) -> None:
    with pytest.raises(DataError, match=r"c\.png: not a JPEG"):
        pictures.read([folder / "c.png"], 8)

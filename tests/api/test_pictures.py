"""Files, folders and arrays become pixels of the model's size."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pngs import png

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
        np.zeros((2, 8, 0, 3), np.uint8),
    ],
    ids=["fractions", "no channels", "no images", "no width"],
)
def test_an_array_that_holds_no_pixels_is_refused(images: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"uint8 \[N, H, W, 3\]. Received: "):
        pictures.read(images, 8)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_image_without_a_pixel_is_refused_and_the_others_are_read(mode: str) -> None:
    whole = Image.new(mode, (5, 5))
    seen = pictures.read([whole, whole.crop((3, 3, 3, 5))], 8)
    assert seen.names == ("0",)
    assert seen.refused == (("1", "0 x 2 pixels hold nothing"),)


def test_without_one_readable_image_the_reasons_are_told(folder: Path) -> None:
    with pytest.raises(DataError, match=r"c\.png: not a JPEG"):
        pictures.read([folder / "c.png"], 8)


def test_what_pillow_opened_is_read_as_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 10, 4), np.uint8)  # transparent here and there
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path, exif=exif)
    with Image.open(path) as one, Image.open(path) as other:
        seen = pictures.read([one, path, other], 8)
    assert seen.names == ("0", str(path), "2")
    assert (seen.pixels[0] == seen.pixels[1]).all()
    assert (seen.pixels[2] == seen.pixels[1]).all()


def test_an_image_whose_file_was_closed_is_refused_and_the_others_are_read(
    folder: Path,
) -> None:
    path = folder / "a.png"
    with Image.open(path) as closed:
        pass
    seen = pictures.read([closed, path], 8)
    assert seen.names == (str(path),)
    assert "closed before" in seen.refused[0][1]


def test_a_transparent_colour_counts_in_what_pillow_opened_as_in_its_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.png"
    # Grey of 2 bits: level 1, which is the transparent one, and level 0.
    content = png((2, 1), 2, 0, bytes([1 << 6]), transparent=struct.pack(">H", 1))
    path.write_bytes(content)
    with Image.open(path) as image:
        seen = pictures.read([image, path, image], 2)
    assert seen.pixels[:, 0, :, 0].tolist() == [[255, 0]] * 3


def test_one_image_of_pillows_needs_no_list() -> None:
    assert pictures.read(Image.new("L", (5, 5), 9), 8).pixels.shape == (1, 8, 8, 3)


@pytest.mark.parametrize(
    ("images", "kind"),
    [(None, "NoneType"), (7, "int"), ([np.zeros((8, 8, 3), np.uint8)], "ndarray")],
)
def test_what_is_no_image_is_named_by_its_type(images: object, kind: str) -> None:
    with pytest.raises(DataError, match=f"images: expected paths.*Received: {kind}"):
        pictures.read(images, 8)  # type: ignore[arg-type]

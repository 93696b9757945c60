"""The card's own code, run as its reader would: in the folder, in a new process.

One process runs the code of every card, each with no name of another's.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_run
from PIL import Image
from pngs import png

from tessera import files, trained
from tessera.data import decode
from tessera.experiment import Transformer
from tessera.export import card, formats, usage
from tessera.export.named import FILES, FORMATS, Format
from tessera.export.parity import Parity
from tessera.record import RunFolder
from tessera.trained import Trained

READER = """
import contextlib, sys
sys.modules.update(dict.fromkeys(("jax", "matplotlib", "sklearn")))
for folder in sys.argv[1:]:
    with contextlib.chdir(folder), open("code.txt") as file:
        exec(file.read(), {})
"""
"""What no card asks for is not there: to load it takes long."""


@dataclass(frozen=True)
class Exported:
    """A model's file in a folder with the card's code and a picture."""

    model: Trained
    form: Format
    folder: Path


def exported(model: Trained, form: Format, folder: Path) -> Exported:
    folder.mkdir()
    formats.write(model, form, folder / FILES[form], toy_run.digits())
    (folder / "labels.txt").write_text("\n".join(model.class_names) + "\n")
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(noise).save(folder / "photo.jpg")
    heatmap = 1e-6 if form == "onnx" else None
    text = card.card(model, Parity(1000, 360, 3e-7, heatmap, 1000), form=form)
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    (folder / "code.txt").write_text(code)
    return Exported(model, form, folder)


OWN_LAYERS = "a keras file with layers of tessera"


@pytest.fixture(scope="module")
def answered(
    model: Trained, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Exported, str]]:
    """What the code of each card prints of a picture."""
    root = tmp_path_factory.mktemp("exported")
    transformer = toy_run.experiment([Transformer(depth=1)]).runs()[0]
    toy_run.write_run(RunFolder(root / "run"), transformer)
    every = {form: exported(model, form, root / form) for form in FORMATS}
    every[OWN_LAYERS] = exported(trained.load(root / "run"), "keras", root / "own")
    told = subprocess.run(
        [sys.executable, "-c", READER, *(str(one.folder) for one in every.values())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    return dict(zip(every, zip(every.values(), lines, strict=True), strict=True))


COLOURS = np.random.default_rng(1).integers(0, 256, (30, 50, 3), np.uint8)
PHOTO = Image.fromarray(COLOURS)
DEEP = Image.fromarray(np.arange(1500, dtype=np.uint16).reshape(30, 50) * 43)
TURNED = Image.Exif()
TURNED[0x112] = 6


@pytest.mark.parametrize(
    ("picture", "form", "how"),
    [
        (DEEP, "PNG", {}),
        (PHOTO, "JPEG", {"exif": TURNED}),
        (PHOTO.convert("CMYK"), "JPEG", {}),
        (PHOTO.convert("P"), "PNG", {"transparency": 3}),
        (PHOTO.convert("LA"), "PNG", {}),
        (PHOTO.convert("1"), "PNG", {}),
    ],
)
def test_the_cards_code_reads_a_picture_as_training_does(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    picture: Image.Image,
    form: str,
    how: dict[str, Any],
) -> None:
    monkeypatch.chdir(tmp_path)
    picture.save("photo.jpg", format=form, **how)
    found: dict[str, Any] = {}
    exec(usage.reading(16), found)
    expected = decode.read(Path("photo.jpg"), 16)[None]
    np.testing.assert_array_equal(found["pixels"], expected)


@pytest.mark.parametrize(
    ("bits", "row"),
    [(1, b"\x40"), (2, b"\x10"), (4, b"\x01"), (8, b"\0\1"), (16, b"\0\0\0\1")],
)
def test_the_card_says_which_transparent_colours_its_code_misses(
    bits: int,
    row: bytes,
    model: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = card.card(model, Parity(1000, 360, 3e-7, None, 1000), form="onnx")
    (missed,) = re.findall(r"except for one in ([\d,or\s]+) bits a channel", text)
    monkeypatch.chdir(tmp_path)
    Path("photo.jpg").write_bytes(png((2, 1), bits, 0, row, transparent=b"\0\1"))
    found: dict[str, Any] = {}
    exec(usage.reading(2), found)
    read = (found["pixels"][0] == decode.read(Path("photo.jpg"), 2)).all()
    assert (str(bits) in re.findall(r"\d+", missed)) is not bool(read)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", [*FORMATS, OWN_LAYERS])
def test_the_cards_code_gives_the_models_answer(
    what: str, answered: dict[str, tuple[Exported, str]]
) -> None:
    """Or that of the file, which rounds in one format."""
    one, printed = answered[what]
    pixels = decode.read(one.folder / "photo.jpg", one.model.image_size)
    if one.form == "onnx-int8":
        reader = formats.read(one.form, one.folder / FILES[one.form])
        shares = reader(pixels[None].astype(np.float32)).probabilities[0]
    else:
        shares = one.model.probabilities(pixels[None])[0]
    name, share = printed.split()
    assert name == one.model.class_names[shares.argmax()]
    assert float(share) == pytest.approx(shares.max(), abs=1e-4)


def test_the_cards_code_has_a_label_for_each_probability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["cat", " owl ", "two\u2028lines"]
    files.write_text(Path("labels.txt"), "\n".join(names) + "\n")
    found: dict[str, Any] = {"probabilities": np.array([[0.1, 0.2, 0.7]])}
    exec(usage.NAME, found)
    assert found["labels"] == names


def test_without_a_heatmap_an_onnx_model_gives_probabilities_alone() -> None:
    assert "(probabilities,) = model.run(" in usage.running("onnx")
    assert "probabilities, heatmap = " in usage.running("onnx", heatmap=True)

"""The card's own code, run as its reader would: in the folder, in a new process."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy_run
from PIL import Image

from tessera import trained
from tessera.data import decode
from tessera.experiment import Transformer
from tessera.export import card, formats, usage
from tessera.export.named import FILES, FORMATS, Format
from tessera.export.parity import Parity
from tessera.record import RunFolder
from tessera.trained import Trained


def answered(model: Trained, form: Format, folder: Path, heatmap: float | None) -> str:
    """What the code of the card's blocks prints of a picture."""
    formats.write(model, form, folder / FILES[form], toy_run.digits())
    (folder / "labels.txt").write_text("\n".join(model.class_names) + "\n")
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(noise).save(folder / "photo.jpg")
    text = card.card(model, Parity(1000, 360, 3e-7, heatmap, 1000), form=form)
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def check(model: Trained, form: Format, folder: Path, printed: str) -> None:
    """Hold what was printed to the answer of the model, or of the file that rounds."""
    pixels = decode.read(folder / "photo.jpg", model.image_size)
    if form == "onnx-int8":
        reader = formats.read(form, folder / FILES[form])
        shares = reader(pixels[None].astype(np.float32)).probabilities[0]
    else:
        shares = model.probabilities(pixels[None])[0]
    name, share = printed.split()
    assert name == model.class_names[shares.argmax()]
    assert float(share) == pytest.approx(shares.max(), abs=1e-4)


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


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("form", FORMATS)
def test_the_cards_code_gives_the_models_answer(
    model: Trained, form: Format, tmp_path: Path
) -> None:
    heatmap = 1e-6 if form == "onnx" else None
    check(model, form, tmp_path, answered(model, form, tmp_path, heatmap))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_keras_file_with_layers_of_tessera_opens_by_the_cards_code(
    tmp_path: Path,
) -> None:
    toy_run.write_run(
        RunFolder(tmp_path / "run"), toy_run.experiment([Transformer()]).runs()[0]
    )
    model = trained.load(tmp_path / "run")
    check(model, "keras", tmp_path, answered(model, "keras", tmp_path, None))


def test_without_a_heatmap_an_onnx_model_gives_probabilities_alone() -> None:
    assert "(probabilities,) = model.run(" in usage.running("onnx")
    assert "probabilities, heatmap = " in usage.running("onnx", heatmap=True)

"""`tessera predict` as a user meets it: three formats and an honest exit status."""

import csv
import io
import json
from pathlib import Path

import pytest
import toy_run
from PIL import Image

from cli.inside import tessera
from tessera.answers import Answer, Refused
from tessera.cli import predictions
from tessera.data.dataset import DataError
from tessera.record import RunFolder

NAMES = ("cat", "deer")
GOOD = Answer(Path("a,b.png"), "deer", 0.75, "cat", 0.25, (0.25, 0.75))
BAD = Refused(Path("x\x1b[2J.jpg"), "an empty file")


def written(form: str) -> str:
    out = io.StringIO()
    predictions.write([GOOD, BAD], form, NAMES, out)
    return out.getvalue()


def test_json_lines_hold_every_probability_by_name() -> None:
    good, bad = map(json.loads, written("jsonl").splitlines())
    assert good["class"] == "deer" and good["runner_up"] == "cat"
    assert good["probabilities"] == {"cat": 0.25, "deer": 0.75}
    assert bad == {"path": str(BAD.path), "error": "an empty file"}


def test_json_lines_are_json_whatever_the_output_is_encoded_in() -> None:
    out = io.BytesIO()
    text = io.TextIOWrapper(out, "ascii", errors="backslashreplace")
    item = Answer(Path("ü🦉.png"), "Bäume", 0.75, "cat", 0.25, (0.25, 0.75))
    predictions.write([item], "jsonl", ("cat", "Bäume"), text)
    answer = json.loads(out.getvalue())
    assert (answer["path"], answer["class"]) == ("ü🦉.png", "Bäume")


def test_csv_is_read_back_with_names_that_hold_commas() -> None:
    good, bad = csv.DictReader(io.StringIO(written("csv")))
    assert (good["path"], good["class"]) == ("a,b.png", "deer")
    assert float(good["probability"]) == 0.75
    assert (bad["class"], bad["error"]) == ("", "an empty file")


def test_the_table_keeps_its_columns_and_cannot_steer_a_terminal() -> None:
    head, good, bad = written("table").splitlines()
    assert head.index("image") == good.index("a,b.png") == bad.index("x")
    assert "75.0%" in good and "25.0%" in good
    assert "\x1b" not in bad and "an empty file" in bad


def test_heatmaps_are_not_written_among_images(toy: RunFolder, tmp_path: Path) -> None:
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
    photos = tmp_path / "photos"
    photos.mkdir()
    for images, heatmaps in (
        (tmp_path / "0", tmp_path / "heatmaps"),
        (photos, photos / "heatmaps"),
    ):
        with pytest.raises(DataError, match="outside the image folder"):
            predictions.predict(toy.path, [images], form="csv", heatmaps=heatmaps)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_answers_a_folder_and_tells_of_the_unreadable(
    toy: RunFolder, tmp_path: Path
) -> None:
    for index, image in enumerate(toy_run.digits().test.images[:3]):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    options = (str(toy.path), str(tmp_path), "--format", "jsonl")
    whole = tessera("predict", *options)
    assert whole.returncode == 0, whole.stderr
    assert len(whole.stdout.splitlines()) == 3
    assert "calibrated on 100 validation images (temperature" in whole.stderr

    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    partly = tessera("predict", *options)
    assert partly.returncode == 1
    assert len(partly.stdout.splitlines()) == 4
    assert "1 file that could not be read" in partly.stderr

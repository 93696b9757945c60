"""`tessera preview` shows what a run will train on, or says what it was not given."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.inside import tessera


def test_a_picture_is_written_and_its_place_is_told(tmp_path: Path) -> None:
    out = tmp_path / "new" / "digits.png"
    done = tessera("preview", "--out", str(out), "--set", "training.rotation=20")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"Picture: {out}\n")
    with Image.open(out) as picture:
        assert picture.format == "PNG" and picture.width > 1000


def test_another_epoch_shows_other_images_and_the_same_one_the_same(
    tmp_path: Path,
) -> None:
    def shown(name: str, *more: str) -> np.ndarray:
        out = tmp_path / name
        done = tessera("preview", "--regime", "balanced", "--out", str(out), *more)
        assert done.returncode == 0, done.stderr
        with Image.open(out) as picture:
            return np.asarray(picture)[200:]  # below the title

    first = shown("a.png")
    np.testing.assert_array_equal(first, shown("again.png"))
    assert (first != shown("b.png", "--epoch", "2")).any()


def test_of_many_classes_it_is_told_how_many_are_shown(tmp_path: Path) -> None:
    for number in range(22):
        for image in range(8):
            folder = tmp_path / "photos" / f"class-{number:02}"
            folder.mkdir(parents=True, exist_ok=True)
            shade = np.full((12, 12, 3), 10 * number + image, np.uint8)
            Image.fromarray(shade).save(folder / f"{image}.png")
    out = str(tmp_path / "many.png")
    photos = str(tmp_path / "photos")
    done = tessera("preview", "--data", photos, "--regime", "balanced", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "The first 20 of 22 classes.\n" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--epoch", "9"), "epoch: expected 1 to 8, for there are so many. Received"),
        (("--model", "resnet"), "--model: expected one of cnn, transformer, hybrid"),
        (("--regime", "none"), "--regime: expected one of balanced, imbalanced"),
        (("--out", "x.jpg"), "--out: expected a file ending in .png. Received: 'x.jp"),
    ],
    ids=lambda words: str(words)[:12],
)
def test_what_cannot_be_shown_is_refused(words: tuple[str, ...], told: str) -> None:
    done = tessera("preview", *words)
    assert done.returncode == 2 and told in done.stderr


def test_no_picture_is_put_among_the_images(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
    out = str(tmp_path / "cat" / "x.png")
    done = tessera("preview", "--data", str(tmp_path), "--out", out)
    assert done.returncode == 2
    assert "--out: expected a folder outside the image folder" in done.stderr

"""What `tessera explain --help` offers is what there is."""

import re
from pathlib import Path

import pytest
import toy_run
from PIL import Image

from cli.inside import tessera
from tessera import runtime
from tessera.cli import explaining
from tessera.experiment import Cnn
from tessera.explain import methods
from tessera.record import RunFolder


def help_text() -> str:
    return re.sub(r"\s+", " ", tessera("explain", "--help").stdout)


def test_the_help_names_every_method_and_no_other() -> None:
    assert tuple(kind.name for kind in methods.METHODS) == explaining.METHODS
    listed = re.search(r"--method NAME (.*?)\. \[default: gradcam\]", help_text())
    assert listed is not None
    names = re.sub(r"\(slow\)|,", " ", listed[1]).split()
    # The help breaks lines after hyphens.
    assert "".join(names) == "".join(explaining.METHODS)


@pytest.mark.parametrize(
    "words, told",
    [
        (("explain", "{}", "a.png", "--method", "x"), "--method: expected one of grad"),
        (("faithfulness", "{}", "--methods", "gradcam,x"), "rollout. Received: 'x'."),
        (("faithfulness", "{}", "--methods", ","), "rollout. Received: ','."),
        (("faithfulness", "{}", "--data", "none"), "--data"),
        (("explain", "{}"), "IMAGE: expected at least one file. Received: none. For a"),
    ],
)
def test_what_can_be_refused_without_a_model_is_refused_before_a_framework_loads(
    toy: RunFolder, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.setattr(runtime, "load_backend", lambda **_: pytest.fail("loaded"))
    done = tessera(*(word.format(toy.path) for word in words))
    assert done.returncode == 2
    assert told in done.stderr


def test_the_help_shows_how_errors_are_explained() -> None:
    assert "--target predicted --contrast true" in help_text()


def test_images_and_another_run_exclude_each_other() -> None:
    done = tessera("explain", "a", "x.png", "--against", "b")
    assert done.returncode == 2
    assert "--against: expected no IMAGE beside it" in done.stderr


def test_no_picture_replaces_an_image_that_it_explains(
    toy: RunFolder, tmp_path: Path
) -> None:
    cat = tmp_path / "cat.png"
    Image.new("RGB", (9, 9), "red").save(cat)
    before = cat.read_bytes()
    for verb in (("explain",), ("explain", "--branches"), ("predict", "--heatmap")):
        done = tessera(*verb, toy.path, cat, "--out", tmp_path)
        assert done.returncode == 2
        assert "--out: expected a folder apart from the images" in done.stderr
    assert cat.read_bytes() == before and list(tmp_path.iterdir()) == [cat]


def test_a_folder_stands_for_the_images_below_it(
    toy: RunFolder, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    for name in ("one", "two"):
        (photos / name).mkdir(parents=True)
        Image.new("RGB", (9, 9), "red").save(photos / name / f"{name}.png")
    (photos / "notes.txt").write_text("passed over, as predict does")
    (photos / "link.png").symlink_to(toy.record)  # out of the folder

    done = tessera("explain", toy.path, photos, "--out", tmp_path / "out")

    assert done.returncode == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("one.png", "one.npz", "two.png", "two.npz")
    }
    assert "link.png: not explained" in done.stdout


def test_a_study_stands_for_its_recommended_run(tmp_path: Path) -> None:
    asked = toy_run.experiment([Cnn()])
    study = toy_run.write_study(tmp_path / "study", asked)
    Image.new("RGB", (9, 9), "red").save(tmp_path / "red.png")
    out = tmp_path / "out"
    done = tessera("explain", study, tmp_path / "red.png", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "The run used is cnn, balanced, seed 0" in done.stdout
    assert (out / "red.npz").exists()


def test_a_folder_of_links_out_of_it_is_not_called_empty(
    toy: RunFolder, tmp_path: Path
) -> None:
    image, folder = tmp_path / "a.png", tmp_path / "links"
    Image.new("RGB", (16, 16)).save(image)
    folder.mkdir()
    (folder / "b.png").symlink_to(image)
    done = tessera(
        "explain", str(toy.path), str(folder), "--out", str(tmp_path / "out")
    )
    assert done.returncode == 1
    assert "b.png: not explained: a link" in done.stdout + done.stderr

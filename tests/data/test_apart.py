"""Results are kept out of image folders, and known where they lie in one."""

from pathlib import Path

import pytest

from tessera.data import apart
from tessera.data.dataset import DataError
from tessera.experiment import Digits, Folder

REFUSED = "--out: expected a folder outside the image folder"


@pytest.mark.parametrize("out", ["", "runs/study", "cat", "../photos/x", "../link/x"])
def test_an_output_folder_in_the_images_is_refused(tmp_path, out) -> None:
    images = tmp_path / "photos"
    (images / "cat").mkdir(parents=True)
    (tmp_path / "link").symlink_to(images)
    with pytest.raises(DataError, match=REFUSED) as error:
        apart.keep_from_data(Folder(path=str(images)), images / out)
    assert f"such as {images.resolve()}-results." in str(error.value)


def test_the_current_folder_is_an_image_folder_like_any_other(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=REFUSED):
        apart.keep_from_data(Folder(path="."), Path("runs/study"))


def test_an_output_folder_beside_or_around_the_images_is_none_of_theirs(
    tmp_path,
) -> None:
    images = Folder(path=str(tmp_path / "photos"))
    for out in (tmp_path, tmp_path / "photos-results", tmp_path / "runs"):
        apart.keep_from_data(images, out)
    apart.keep_from_data(Digits(), tmp_path)


def test_an_output_folder_among_the_classes_of_a_run_is_refused(tmp_path) -> None:
    for name in ("train/cat", "train/dog", "test"):
        (tmp_path / name).mkdir(parents=True)
    for out in ("train", "train/heatmaps", "train/cat/new/heatmaps"):
        with pytest.raises(DataError, match=REFUSED):
            apart.keep_from_classes(("cat", "dog"), tmp_path / out)
    apart.keep_from_classes(("cat", "dog", "bird"), tmp_path / "train/heatmaps")
    apart.keep_from_classes(("cat", "dog"), tmp_path / "heatmaps")


def test_an_output_folder_of_the_images_themselves_is_refused(tmp_path) -> None:
    (tmp_path / "photos").mkdir()
    cat, photos = tmp_path / "cat.png", tmp_path / "photos"
    for images, out in (
        ([cat], "."),
        ([photos / "dog.png", cat], "photos/../"),
        ([photos], "photos"),
        ([photos], "photos/heatmaps"),
    ):
        with pytest.raises(DataError, match=r"could replace one.* holds no images\."):
            apart.keep_from_pictures(images, tmp_path / out)
    apart.keep_from_pictures([cat], tmp_path / "explanations")
    apart.keep_from_pictures([photos], tmp_path / "explanations")


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


@pytest.mark.parametrize(
    "paths",
    [
        ("study.json", "runs/cnn--own-1/seed-0/record.json", "report.html"),
        ("record.json", "experiment.toml", "heatmaps.npz"),
        ("search.json", "experiment.toml"),
        ("study/study.json", "study/runs/x"),
        ("cnn--own-1/seed-0/.lock", "cnn--own-1/seed-0/experiment.toml"),
        (".lock",),
    ],
)
def test_studies_runs_and_what_holds_nothing_else_are_results(tmp_path, paths) -> None:
    assert apart.is_results(touch(tmp_path, *paths))


@pytest.mark.parametrize(
    "paths",
    [
        ("1.png", "2.png"),
        ("1.png", "record.json"),
        ("1.png", ".lock"),
        ("photos/1.png", "study/study.json", "study/runs/x"),
        (".git/x",),
    ],
)
def test_a_folder_with_images_is_none(tmp_path, paths) -> None:
    assert not apart.is_results(touch(tmp_path, *paths))

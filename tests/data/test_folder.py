"""A folder becomes a dataset with labels that mean the same in every split."""

import os

import numpy as np
import pytest
from PIL import Image

from tessera.data import folder
from tessera.experiment import Folder


def load(root, **changes):
    return folder.load(Folder(path=str(root), **({"image_size": 8} | changes)))


def test_images_and_labels_are_the_files(split_folder) -> None:
    dataset = load(split_folder)
    assert dataset.class_names == ("cat", "dog")
    assert dataset.train.labels.tolist() == [0] * 6 + [1] * 4
    assert dataset.test.labels.tolist() == [0, 0, 1, 1]
    assert dataset.validation is None
    with Image.open(split_folder / "test/dog/1.png") as image:
        np.testing.assert_array_equal(dataset.test.images[3], np.asarray(image))


def test_a_validation_folder_is_the_validation_split(split_folder, make_image) -> None:
    for label in ("cat", "dog"):
        make_image(f"valid/{label}/0.png")
    dataset = load(split_folder)
    assert dataset.validation.labels.tolist() == [0, 1]


def test_images_are_held_once_for_all_processes_however_they_are_split(
    split_folder, class_folder
) -> None:
    for root in (split_folder, class_folder):
        first, again = load(root), load(root)
        for name in ("train", "test"):
            images = first.splits()[name].images
            assert mapped(images), (root, name)
            np.testing.assert_array_equal(images, again.splits()[name].images)
        assert first.fingerprint == again.fingerprint


def test_every_image_is_named_by_its_file(split_folder, class_folder) -> None:
    for root in (split_folder, class_folder):
        for dataset in (load(root), load(root)):  # as decoded, and from the cache
            for split in dataset.splits().values():
                assert split.names is not None
                for name, pixels in zip(split.names, split.images, strict=True):
                    with Image.open(root / name) as image:
                        np.testing.assert_array_equal(pixels, np.asarray(image))


def test_an_unreadable_file_shifts_no_name(split_folder, make_image) -> None:
    for n in range(100):  # of more files, one may be unreadable
        make_image(f"train/dog/more-{n}.png")
    (split_folder / "test/cat/0.png").write_bytes(b"no image")
    assert load(split_folder).test.names == (
        "test/cat/1.png",
        "test/dog/0.png",
        "test/dog/1.png",
    )


def mapped(array: np.ndarray | None) -> bool:
    """Whether an array is a memory-mapped file, or a view into one."""
    while array is not None and not isinstance(array, np.memmap):
        array = array.base
    return array is not None and array.filename is not None


def test_results_call_it_by_the_folder_or_by_the_name_given(split_folder) -> None:
    assert load(split_folder).name == "images"
    assert load(split_folder, name="Pets").name == "Pets"
    assert load(split_folder, name="Pets").fingerprint == load(split_folder).fingerprint


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_folders_name_cannot_write_to_a_terminal(split_folder, tmp_path) -> None:
    dataset = load(split_folder.rename(tmp_path / "a\n\x1b[2Jb"))
    assert dataset.name == "a\\n\\x1b[2Jb"


def test_a_folder_is_not_told_what_was_found_in_a_list_of_its_images(
    make_image, tmp_path
) -> None:
    files = [make_image(f"{k}/{k}-{n % 2}/{n}.png") for k in "ab" for n in range(20)]
    root = tmp_path / "images"
    names = sorted(file.relative_to(root).as_posix() for file in files)
    rows = "".join(f"{name},{name[0]}\n" for name in names)
    (root / "labels.csv").write_text(f"file,label\n{rows}")
    of_list, of_folder = load(root / "labels.csv").notes[1], load(root).notes[1]
    assert of_list.startswith("images of 4 folders are on both sides")
    assert of_folder.startswith("images of 4 folders within classes are on both sides")


def test_a_line_of_a_list_is_set_aside_for_the_reason_that_it_has_now(
    make_image, tmp_path
) -> None:
    names = [make_image(f"{n}.png").name for n in range(100)]
    path = tmp_path / "images" / "labels.csv"
    rows = "".join(f"{name},{'ab'[n % 2]}\n" for n, name in enumerate(names))
    for last, reason in (("gone.png,", "no class"), ("gone.png,a", "no such file")):
        path.write_text(f"file,label\n{rows}{last}\n")
        assert f"line 102: gone.png ({reason}" in load(path).notes[1]

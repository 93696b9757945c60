"""A listing finds splits and classes by name and follows nothing out of the folder."""

import os
import sys
from pathlib import Path

import pytest

from tessera.data.dataset import DataError
from tessera.data.scan import scan


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    return root


def paths(root: Path) -> list[str]:
    return [file.path for file in scan(root).files]


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev", "VAL"])
def test_splits_are_known_by_their_names(tmp_path, name) -> None:
    touch(tmp_path, "train/b/1", "train/a/1", "test/a/1", f"{name}/b/1")
    listing = scan(tmp_path)
    assert listing.classes == {"train": ("a", "b"), "test": ("a",), "val": ("b",)}
    assert listing.class_names == ("a", "b")
    assert [f.split for f in listing.files] == ["train", "train", "test", "val"]


def test_training_and_testing_are_train_and_test(tmp_path) -> None:
    listing = scan(touch(tmp_path, *(f"{s}/{c}/1" for s in SPLITS for c in "ab")))
    assert listing.classes == {"train": ("a", "b"), "test": ("a", "b")}


SPLITS = ("Training", "testing")


def test_a_folder_per_class_is_one_split(tmp_path) -> None:
    listing = scan(touch(tmp_path, "dog/1", "cat/1", "cat/2"))
    assert listing.classes == {"all": ("cat", "dog")}
    assert [(f.label, f.path) for f in listing.files] == [
        ("cat", "cat/1"),
        ("cat", "cat/2"),
        ("dog", "dog/1"),
    ]


def test_classes_that_are_called_train_and_test_stay_classes(tmp_path) -> None:
    listing = scan(touch(tmp_path, "train/1", "plane/1", "test/1"))
    assert listing.class_names == ("plane", "test", "train")


def test_images_straight_in_the_splits_are_refused_since_nobody_says_their_class(
    tmp_path,
) -> None:
    touch(tmp_path, "Train/1", "test/1", "dev/1")
    with pytest.raises(DataError, match=r"such as train/cat/.*Train/, dev/, test/ "):
        scan(tmp_path)


def test_folders_that_all_hold_the_same_classes_are_refused_as_splits(
    tmp_path,
) -> None:
    touch(tmp_path, "x/cat/1", "x/dog/1", "y/cat/1", "y/dog/1")
    with pytest.raises(DataError, match=r"x/, y/ all with .* cat, dog, as splits"):
        scan(tmp_path)


@pytest.mark.parametrize(
    "inner", [("x/cat/1", "y/cat/1"), ("x/cat/1", "x/dog/1", "y/cat/1"), ("x/1", "y/1")]
)
def test_classes_with_few_or_different_folders_in_them_stay_classes(
    tmp_path, inner
) -> None:
    assert scan(touch(tmp_path, *inner)).class_names == ("x", "y")


def test_hidden_files_and_folders_are_passed_over(tmp_path) -> None:
    touch(tmp_path, ".git/1", "a/.hidden", "a/.deep/1", "a/1", "b/1")
    assert paths(tmp_path) == ["a/1", "b/1"]


def test_what_a_mac_packs_beside_images_is_no_class_and_hides_no_way_out(
    tmp_path,
) -> None:
    touch(tmp_path, "__MACOSX/photos/._1", "photos/train/a/1", "photos/train/b/1")
    with pytest.raises(DataError, match=r"Try \S+/photos, which has train/"):
        scan(tmp_path)
    touch(tmp_path / "photos", "train/__MACOSX/._1")
    assert scan(tmp_path / "photos").class_names == ("a", "b")


def test_folders_inside_a_class_belong_to_it(tmp_path) -> None:
    touch(tmp_path, "a/x/y/1", "a/0", "b/1")
    assert {f.path: f.label for f in scan(tmp_path).files}["a/x/y/1"] == "a"


def test_notes_and_files_outside_classes_are_reported_as_left_alone(tmp_path) -> None:
    touch(tmp_path, "train/a/1", "train/b/1", "train/a/list.CSV", "train/x", "notes/1")
    assert scan(tmp_path).stray == ("notes/", "train/a/list.CSV", "train/x")


def test_results_that_lie_in_the_folder_are_left_alone_and_called_so(tmp_path) -> None:
    touch(tmp_path, "a/1", "b/1", "runs/study/study.json", "runs/study/runs/x/1")
    listing = scan(tmp_path)
    assert listing.class_names == ("a", "b")
    assert [file.path for file in listing.files] == ["a/1", "b/1"]
    assert listing.stray == ("runs/ (results of Tessera)",)


def test_a_file_out_of_the_folder_is_refused_and_one_inside_is_followed(
    tmp_path,
) -> None:
    root = touch(tmp_path / "root", "a/1", "b/1")
    outside = touch(tmp_path, "secret") / "secret"
    (root / "a" / "out").symlink_to(outside)
    (root / "a" / "in").symlink_to(root / "b" / "1")
    (root / "a" / "nowhere").symlink_to(root / "none")
    (root / "a" / "loop").symlink_to(root)
    listing = scan(root)
    assert [f.path for f in listing.files] == ["a/1", "a/in", "b/1"]
    assert [r.path for r in listing.refused] == ["a/loop", "a/nowhere", "a/out"]


@pytest.mark.parametrize("place", ["train", "test", "train/c"])
def test_a_split_or_class_that_is_a_link_is_an_error(tmp_path, place) -> None:
    root = touch(tmp_path / "root", "train/a/1", "train/b/1")
    elsewhere = touch(tmp_path / "elsewhere", "a/1")
    if place == "train":
        (root / "train").rename(tmp_path / "moved")
    (root / place).symlink_to(elsewhere)
    with pytest.raises(DataError, match="a link to one"):
        scan(root)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes there")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path) -> None:
    touch(tmp_path, "a/1", "b/1")
    os.mkfifo(tmp_path / "a" / "pipe")
    assert [r.reason for r in scan(tmp_path).refused] == ["no regular file"]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([], "an empty folder"),
        (["1", "2"], "Received: 1, 2"),
        (["a/1"], "at least two"),
        (["test/a/1", "test/b/1"], "train/ with a folder per class beside test/"),
        (["train/a/1", "train/b/1", "val/a/1", "valid/a/1"], "val, valid"),
        (["pets/train/a/1", "pets/test/a/1"], r"Try .*pets"),
        (["pets/Training/a/1", "pets/testing/a/1"], r"Try .*pets"),
    ],
)
def test_another_layout_is_an_error_that_says_what_is_there(
    tmp_path, made, message
) -> None:
    with pytest.raises(DataError, match=message):
        scan(touch(tmp_path, *made))


def test_a_missing_folder_is_an_error(tmp_path) -> None:
    with pytest.raises(DataError, match="no folder"):
        scan(tmp_path / "none")


def test_a_file_that_is_no_list_is_not_said_to_be_missing(tmp_path) -> None:
    touch(tmp_path, "labels.tsv")
    with pytest.raises(DataError, match=r"no folder, and a file with another suffix"):
        scan(tmp_path / "labels.tsv")


def test_a_link_in_a_circle_is_refused(tmp_path) -> None:
    touch(tmp_path, "a/1", "b/1")
    (tmp_path / "a" / "self").symlink_to("self")
    (tmp_path / "a" / "there").symlink_to("back")
    (tmp_path / "a" / "back").symlink_to("there")
    listing = scan(tmp_path)
    assert [r.path for r in listing.refused] == ["a/back", "a/self", "a/there"]
    assert [f.path for f in listing.files] == ["a/1", "b/1"]


def test_a_link_in_a_circle_beside_the_classes_is_left_alone(tmp_path) -> None:
    touch(tmp_path, "a/1", "b/1")
    (tmp_path / "self").symlink_to("self")
    assert scan(tmp_path).stray == ("self",)


def test_a_folder_that_is_a_circle_is_no_folder(tmp_path) -> None:
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(DataError, match="no folder"):
        scan(tmp_path / "self")


def test_folders_without_end_are_refused(tmp_path) -> None:
    touch(tmp_path, "a/1", "b/1")
    deep = os.open(tmp_path / "a", os.O_RDONLY)
    for _ in range(100):
        os.mkdir("d", dir_fd=deep)
        inner = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    (refused,) = scan(tmp_path).refused
    assert refused.reason == "more than 64 folders deep"
    assert [f.path for f in scan(tmp_path).files] == ["a/1", "b/1"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems demand Unicode")
def test_a_file_whose_name_is_no_text_is_refused_and_shown_with_escapes(
    tmp_path,
) -> None:
    touch(tmp_path, "a/1", "b/1", "a/\x1b[31mred", "a/new\nline")
    (tmp_path / "a" / os.fsdecode(b"caf\xe9")).write_bytes(b"x")
    listing = scan(tmp_path)
    assert [f.path for f in listing.files] == ["a/1", "b/1"]
    shown = [r.path for r in listing.refused]
    assert shown == ["a/\\x1b[31mred", "a/caf\\udce9", "a/new\\nline"]
    assert all("a name that is no text" in r.reason for r in listing.refused)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems demand Unicode")
@pytest.mark.parametrize("name", [b"caf\xe9", b"two\nlines", b"\x1b[2Jgone"])
def test_a_class_whose_name_is_no_text_is_an_error(tmp_path, name) -> None:
    touch(tmp_path, "a/1", "b/1", f"{os.fsdecode(name)}/1")
    with pytest.raises(DataError, match="a class whose name is text") as error:
        scan(tmp_path)
    assert str(error.value).isprintable()


NAMES = ["Кошка", "猫", "قطة", "बिल्ली", "γάτα", "with space", "🐈", "a.b", "ﬁ", "-x"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_is_a_name(tmp_path, name) -> None:
    touch(tmp_path, f"{name}/{name}.png", "other/1")
    listing = scan(tmp_path)
    assert set(listing.class_names) == {name, "other"}
    assert f"{name}/{name}.png" in [file.path for file in listing.files]
    assert listing.refused == ()


def test_class_folders_without_an_image_are_said_to_be_empty(tmp_path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=r"Received: cat, dog, with no image in them\."):
        scan(tmp_path)


def test_who_names_a_class_is_asked_for_the_folder_above(tmp_path) -> None:
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"1\.jpg, 2\.jpg, and no folder; is this a"):
        scan(tmp_path)

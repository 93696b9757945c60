"""What makes a folder unsafe to train on is refused, and said with all its faults."""

import shutil

import numpy as np
import pytest

from tessera.data import decode, folder, safety
from tessera.data.dataset import DataError
from tessera.experiment import Folder


def load(root, **changes):
    return folder.load(Folder(path=str(root), **({"image_size": 8} | changes)))


def test_a_class_unknown_to_training_is_refused_and_shifts_no_label(
    split_folder, make_image
) -> None:
    make_image("test/bird/0.png")
    with pytest.raises(DataError, match=r"test has classes .* bird"):
        load(split_folder)


def test_a_class_without_test_images_is_refused(split_folder) -> None:
    shutil.rmtree(split_folder / "test" / "dog")
    with pytest.raises(DataError, match="test has no readable image of: dog"):
        load(split_folder)


def test_a_class_without_validation_images_in_val_is_refused(
    split_folder, make_image
) -> None:
    make_image("val/cat/0.png")
    with pytest.raises(DataError, match="val has no readable image of: dog"):
        load(split_folder)


def test_a_class_without_training_images_is_refused(split_folder) -> None:
    for file in (split_folder / "train" / "cat").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="train has no readable image of: cat"):
        load(split_folder)


def test_one_training_image_of_each_class_leaves_none_to_validate_with(
    make_image, tmp_path
) -> None:
    for label in ("cat", "dog"):
        for n in range(2):  # of which one is cut for the test set
            make_image(f"{label}/{n}.png")
    with pytest.raises(DataError, match="no class has two training images"):
        load(tmp_path / "images")


def test_one_training_group_of_each_class_leaves_none_to_validate_with(
    make_image, tmp_path
) -> None:
    for label in ("cat", "dog"):
        for n in range(10):  # in two films, of which one is cut for the test set
            make_image(f"{label}/{label}-{n % 2}/{n}.png")
    root = tmp_path / "images"
    with pytest.raises(DataError, match="no class has two groups of training images"):
        load(root, groups="folder")
    assert len(load(root).train) == 16
    make_image("cat/cat-2/0.png")
    notes = load(root, groups="folder").notes
    assert any("only one group of training images of: dog" in note for note in notes)


def test_a_validation_folder_without_an_image_is_refused(split_folder) -> None:
    (split_folder / "val" / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match="val has no readable image"):
        load(split_folder)


def test_more_than_one_percent_unreadable_files_are_refused(split_folder) -> None:
    (split_folder / "train" / "cat" / "bad.png").write_text("no image")
    with pytest.raises(DataError, match=r"1 of 15 files .*train/cat/bad\.png \(not a"):
        load(split_folder)


def test_exactly_one_percent_is_tolerated(split_folder, make_image) -> None:
    for n in range(100, 185):
        make_image(f"train/dog/{n}.png")
    (split_folder / "train" / "cat" / "bad.png").write_text("no image")
    assert sum(1 for _ in split_folder.rglob("*.png")) == 100
    load(split_folder)
    (split_folder / "train" / "dog" / "100.png").unlink()
    with pytest.raises(DataError, match="1 of 99 files"):
        load(split_folder)


def test_files_that_are_never_opened_are_counted_too(split_folder, tmp_path) -> None:
    (split_folder / "train" / "cat" / "out.png").symlink_to(tmp_path)
    (split_folder / "train" / "cat" / "bad.png").write_text("no image")
    with pytest.raises(DataError, match="2 of 16 files cannot be used"):
        load(split_folder)


def test_one_picture_under_two_classes_is_refused_by_name(split_folder) -> None:
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "train/dog/x.png")
    named = r"such as train/cat/0\.png = train/dog/x\.png\. Keep each under one class"
    with pytest.raises(DataError, match=f"2 of 15 images carry .* label, {named}"):
        load(split_folder)


def test_one_percent_of_contradictory_images_is_tolerated_and_told(
    split_folder, make_image
) -> None:
    for n in range(100, 285):
        make_image(f"train/dog/{n}.png")
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "train/dog/x.png")
    (told,) = load(split_folder).notes
    assert told.startswith("2 of 200 images carry more than one label")
    (split_folder / "train" / "dog" / "100.png").unlink()
    with pytest.raises(DataError, match="2 of 199 images carry"):
        load(split_folder)


def test_a_class_of_one_training_image_is_told_where_validation_images_are_cut(
    split_folder, make_image
) -> None:
    for n in range(1, 4):
        (split_folder / "train" / "dog" / f"{n}.png").unlink()
    told = "only one training image of: dog; none to validate with."
    assert load(split_folder).notes == (told,)
    for label in ("cat", "dog"):
        make_image(f"val/{label}/0.png")
    assert load(split_folder).notes == ()


def test_fewer_are_set_aside_and_no_label_moves(split_folder, make_image) -> None:
    for n in range(100, 200):
        make_image(f"train/dog/{n}.png")
    (split_folder / "train" / "cat" / "3.png").write_text("no image")
    dataset = load(split_folder)
    assert dataset.train.counts(2).tolist() == [5, 104]
    for position, path in ((4, "cat/5.png"), (5, "dog/0.png"), (108, "dog/3.png")):
        pixels = decode.picture(split_folder / "train" / path, 8).pixels
        np.testing.assert_array_equal(dataset.train.images[position], pixels)


def test_what_was_left_out_is_told_by_name_and_told_again_from_the_cache(
    split_folder, make_image
) -> None:
    for n in range(500):
        make_image(f"train/dog/{n}.png")
    for n in range(5):
        (split_folder / "train" / "cat" / f"bad{n}.png").write_text("no image")
    why = "not a JPEG, PNG, WebP, BMP or GIF image"
    names = ", ".join(f"train/cat/bad{n}.png ({why})" for n in range(3))
    for _ in range(2):
        assert load(split_folder).notes == (
            f"5 of 515 files cannot be used: {names} and 2 more. Repair, convert or "
            "remove them.",
        )


def test_a_test_set_that_was_cut_is_told_and_so_is_the_one_left_alone(
    split_folder, make_image
) -> None:
    shutil.rmtree(split_folder / "test")
    make_image("test/0.png")
    cut, aside = load(split_folder).notes
    assert "no test/ with a folder per class: 2 of the 10 images" in cut
    assert "test/ holds images that are not used: it has no folder per class" in aside


def test_images_beside_the_splits_are_told_as_soon_as_they_lie_there(
    split_folder, make_image
) -> None:
    (split_folder / "notes").mkdir()
    assert load(split_folder).notes == ()
    before = load(split_folder).fingerprint
    make_image("eval/cat/0.png")
    make_image("train/loose.png")
    aside, loose = load(split_folder).notes
    assert "eval/ holds images that are not used" in aside
    assert "classes are not used: train/loose.png. " in loose
    assert load(split_folder).fingerprint == before


def test_a_refusal_names_the_command_that_shows_it_at_the_same_size(
    split_folder, make_image
) -> None:
    make_image("test/bird/0.png")
    with pytest.raises(DataError, match=r"`tessera data \S+ --image-size 8` shows"):
        load(split_folder)


def test_every_problem_is_named_at_once(split_folder, make_image) -> None:
    make_image("test/bird/0.png")
    (split_folder / "train" / "cat" / "bad.png").write_text("no image")
    with pytest.raises(DataError, match=r"(?s)bird.*bad\.png"):
        load(split_folder)


def test_an_unsafe_folder_stays_unsafe_on_the_second_start(split_folder) -> None:
    (split_folder / "train" / "cat" / "bad.png").write_text("no image")
    for _ in range(2):
        with pytest.raises(DataError, match=r"bad\.png"):
            load(split_folder)


@pytest.mark.parametrize(
    "alike",
    [("Cat", "cat"), ("café", "cafe\u0301"), ("ﬁn", "fin"), ("Straße", "STRASSE")],
)
def test_classes_whose_names_differ_only_in_case_or_spelling_are_refused(
    make_image, tmp_path, alike
) -> None:
    for label in (*alike, "dog"):
        for n in range(5):
            make_image(f"{label}/{n}.png")
    if len({path.name for path in (tmp_path / "images").iterdir()}) < 3:
        pytest.skip("this file system takes the two names for one")
    with pytest.raises(DataError, match="differ only in case or spelling") as error:
        load(tmp_path / "images")
    assert all(name in str(error.value) for name in alike)


def test_files_whose_names_differ_only_in_case_are_two_images(
    class_folder, make_image
) -> None:
    make_image("cat/A.png")
    make_image("cat/a.png")
    assert load(class_folder).train.counts(2).sum() + 3 == 10 + 5 + 2


def test_another_version_of_the_checks_checks_anew(split_folder, monkeypatch) -> None:
    load(split_folder)
    monkeypatch.setattr(safety, "problems", lambda *_: ("a new problem",))
    load(split_folder)
    monkeypatch.setattr(safety, "VERSION", safety.VERSION + 1)
    with pytest.raises(DataError, match="a new problem"):
        load(split_folder)

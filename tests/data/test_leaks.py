"""What a model may know of the test images is found, and refused or told."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tessera.data import divided, folder, leaks, near
from tessera.data.dataset import DataError
from tessera.data.inspect import inspect
from tessera.experiment import Folder


def load(root, groups=None):
    return folder.load(Folder(path=str(root), image_size=8, groups=groups))


def test_a_test_set_that_is_in_the_training_set_is_refused(split_folder) -> None:
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "test/cat/copy.png")
    with pytest.raises(DataError, match=r"1 of 5 test images are also training"):
        load(split_folder)


def test_copies_are_refused_by_their_share_of_the_test_images(split_folder) -> None:
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "test/cat/copy.png")
    found = divided.read(Folder(path=str(split_folder), image_size=8))
    twins = leaks.find_twins(found.pixels, found.parts)
    told = [
        list(leaks.equal(found.pixels, found.parts, twins, least=share))
        for share in (0.19, 0.2)  # one is 20 % of the test images, 7 % of all
    ]
    assert [len(texts) for texts in told] == [1, 0]


def test_a_picture_may_be_in_two_splits_and_twice_in_one_of_them(split_folder) -> None:
    for place in ("train/cat/again.png", "test/cat/copy.png"):
        shutil.copy(split_folder / "train/cat/0.png", split_folder / place)
    found = inspect(divided.read(Folder(path=str(split_folder), image_size=8)))
    group = ("train/cat/0.png", "train/cat/again.png", "test/cat/copy.png")
    assert found.across_splits == found.within_split == (group,)


def test_a_copy_in_val_is_not_told_as_one_of_a_test_image(
    split_folder, make_image
) -> None:
    make_image("val/dog/0.png")
    make_image("val/cat/0.png")
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "val/cat/copy.png")
    shutil.copy(split_folder / "train/cat/3.png", split_folder / "test/cat/copy.png")
    with pytest.raises(
        DataError, match=r"1 of 5 test .* as train/cat/3.png = test/cat/copy.png\."
    ):
        load(split_folder)


@pytest.mark.parametrize("below", ["", "train/"])
def test_folders_within_classes_that_the_cut_test_set_parts_are_worth_knowing(
    make_image, tmp_path, below: str
) -> None:
    for n in range(10):
        make_image(f"{below}cat/anna/{n}.png")
        make_image(f"{below}dog/{n}.png")
    make_image(f"{below}dog/alone/0.png")
    _, *told = load(tmp_path / "images").notes
    assert [text for text in told if "both sides" in text] == [
        "images of 1 folder within classes are on both sides of the cut test set: "
        f"{below}cat/anna. Where such a folder shows one thing (an animal, a patient, "
        "a film), a model may know it again, and scores would flatter: `--groups "
        "folder` parts none."
    ]


def test_folders_within_classes_are_no_matter_where_the_user_divided(
    split_folder, make_image
) -> None:
    for n in range(9):
        make_image(f"train/cat/anna/{n}.png")
    make_image("test/cat/anna/1.png")
    assert load(split_folder).notes == ()


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_test_image_that_was_compressed_again_is_worth_knowing(
    split_folder, make_image, split: str
) -> None:
    for n in range(2):
        make_image(f"val/cat/{n}.png")
        make_image(f"val/dog/{n}.png")
    cells = np.random.default_rng(0).integers(0, 256, (3, 3, 3), np.uint8)
    picture = Image.fromarray(cells).resize((64, 64), Image.Resampling.BICUBIC)
    picture.save(split_folder / f"{split}/cat/original.png")
    picture.save(split_folder / "test/cat/copy.jpg", quality=60)
    assert load(split_folder).notes == (
        "1 of 5 test images are nearly the same as training or validation images, such "
        f"as test/cat/copy.jpg and {split}/cat/original.png. Where both show one "
        "picture, scores would flatter; remove the copies.",
    )


def test_copies_are_looked_for_once_and_anew_where_images_or_division_are_others(
    class_folder, make_image, monkeypatch
) -> None:
    shutil.copy(class_folder / "cat/0.png", class_folder / "dog/copy.png")
    cells = np.random.default_rng(0).integers(0, 256, (3, 3, 3), np.uint8)
    picture = Image.fromarray(cells).resize((64, 64), Image.Resampling.BICUBIC)
    for quality in range(40, 90):
        picture.save(class_folder / f"cat/{quality}.jpg", quality=quality)
    data = Folder(path=str(class_folder))
    first = inspect(divided.read(data))
    assert first.contradictory == (("cat/0.png", "dog/copy.png"),)
    assert first.nearly_across
    looked = []
    monkeypatch.setattr(near, "pairs", lambda *_: looked.append("anew") or [])
    assert inspect(divided.read(data)) == first and not looked
    inspect(divided.read(data.model_copy(update={"test": 0.4})))
    assert looked == ["anew"]
    make_image("dog/copy.png")  # another picture in the copy's place
    assert inspect(divided.read(data)).contradictory == ()


def test_copies_contradict_one_another_by_the_labels_that_a_list_has_now(
    make_image, tmp_path
) -> None:
    for name in ("a0", "a1", "a2", "b0", "b1"):
        make_image(f"{name}.png")
    shutil.copy(tmp_path / "images/a2.png", tmp_path / "images/a3.png")
    rows = ["a0,cat,test", "a1,cat,train", "a2,cat,train"]
    more = ["b0,dog,test", "b1,dog,train"]

    def contradictory(label: str) -> int:
        # The last cat, or the first dog: the images stay in their order.
        lines = ["file,label,split", *rows, f"a3,{label},train", *more]
        (tmp_path / "images/list.csv").write_text("\n".join(lines))
        data = Folder(path=str(tmp_path / "images/list.csv"), image_size=8)
        return len(inspect(divided.read(data)).contradictory)

    assert [contradictory(label) for label in ("cat", "dog")] == [0, 1]


def test_an_equal_image_is_not_told_a_second_time_as_a_near_one(
    split_folder, make_image
) -> None:
    for n in range(100):  # of more images, one copy is tolerated
        make_image(f"test/dog/more-{n}.png")
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "test/cat/again.png")
    (told,) = load(split_folder).notes
    assert "are also training" in told


def test_a_near_copy_is_told_where_the_test_image_has_an_equal_one_beside_it(
    split_folder,
) -> None:
    cells = np.random.default_rng(0).integers(0, 256, (3, 3, 3), np.uint8)
    picture = Image.fromarray(cells).resize((64, 64), Image.Resampling.BICUBIC)
    picture.save(split_folder / "train/cat/original.png")
    for name in ("copy", "again"):
        picture.save(split_folder / f"test/cat/{name}.jpg", quality=60)
    (told,) = load(split_folder).notes
    assert told.startswith(
        "2 of 6 test images are nearly the same as training or validation images"
    )


def test_test_images_alone_are_compared_with_none_and_refused(split_folder) -> None:
    for file in split_folder.glob("train/*/*"):
        file.write_text("no image")
    with pytest.raises(DataError, match="train has no readable image of: cat, dog"):
        load(split_folder)


def test_folders_that_are_groups_are_no_longer_worth_knowing(
    make_image, tmp_path
) -> None:
    for n in range(12):
        make_image(f"cat/{'anna' if n % 2 else 'bert'}/{n}.png")
        make_image(f"dog/carl-{n}/{n}.png")
    told = load(tmp_path / "images", groups="folder").notes
    assert not any("both sides" in text for text in told)


def test_folders_are_not_worth_knowing_where_a_rule_names_other_groups(
    make_image, tmp_path
) -> None:
    for n in range(10):
        make_image(f"cat/anna/day-{n}.png")
        make_image(f"dog/bert/day-{n}.png")
    told = load(tmp_path / "images", groups="day-[0-9]+").notes
    assert any("belong together" in text for text in told)
    assert not any("both sides" in text for text in told)


def test_a_group_that_the_folders_own_test_set_parts_is_refused(
    split_folder, make_image
) -> None:
    make_image("train/cat/anna/1.png")
    make_image("test/cat/anna/2.png")
    with pytest.raises(
        DataError, match=r"1 of 5 test images are of groups .*: anna\. Scores"
    ):
        load(split_folder, groups="folder")
    assert load(split_folder).notes == ()


def test_parted_groups_are_refused_by_their_images_share_of_the_test_images(
    split_folder, make_image
) -> None:
    for place in ("train/cat/anna/1", "test/cat/anna/2", "test/cat/anna/3"):
        make_image(f"{place}.png")
    data = Folder(path=str(split_folder), image_size=8, groups="folder")
    found = divided.read(data)
    told = [
        list(leaks.parted_groups(found.pixels, found.parts, least=share))
        for share in (0.3, 0.34)  # two of six, of one group
    ]
    assert [len(texts) for texts in told] == [1, 0]


def test_one_parted_group_of_many_images_is_told_and_so_are_images_of_none(
    split_folder, make_image
) -> None:
    for n in range(100):
        make_image(f"test/dog/more/{n}.png")
    make_image("train/cat/anna/1.png")
    make_image("test/cat/anna/2.png")
    _, alone, parted = load(split_folder, groups="folder").notes
    assert alone.startswith("14 of 116 images are of no group and stand alone: train/c")
    assert parted.startswith("1 of 105 test images are of groups that are trained")


def test_a_cut_test_set_that_knows_groups_of_val_names_val_as_the_way_out(
    make_image, tmp_path
) -> None:
    for n in range(12):
        for name in ("cat", "dog"):
            make_image(f"train/{name}/{name}-{n}/0.png")
            make_image(f"val/{name}/{name}-{n}/1.png")
    with pytest.raises(DataError, match=r"test images .* or leave val/ out, so that"):
        load(tmp_path / "images", groups="folder")


def test_a_group_that_is_trained_and_validated_on_is_told(
    split_folder, make_image
) -> None:
    for path in ("train/cat/anna/1", "train/dog/bert/1", "val/dog/carl/1"):
        make_image(f"{path}.png")
    for n in range(3):
        make_image(f"val/cat/anna/{n}.png")
    *_, told = load(split_folder, groups="folder").notes
    assert told == (
        "3 of 4 validation images are of groups that are trained on too: anna. Their "
        "scores flatter, and choose the epoch, the strength of a remedy and the "
        "calibration; move each group to one side, or leave val/ out, so that it is "
        "cut without parting any."
    )
    assert load(split_folder).notes == ()

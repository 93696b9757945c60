"""A folder's images are divided the same way each time, and no group is parted."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tessera.data import folder
from tessera.data.dataset import DataError
from tessera.experiment import Folder


def load(root, **changes):
    return folder.load(Folder(path=str(root), **({"image_size": 8} | changes)))


def test_a_cut_test_set_and_the_rest_are_together_the_folder(class_folder) -> None:
    dataset, again = load(class_folder), load(class_folder)
    files = sorted(class_folder.rglob("*.png"))
    seen = [image.tobytes() for s in again.splits().values() for image in s.images]
    expected = []
    for file in files:
        with Image.open(file) as image:
            expected.append(np.asarray(image).tobytes())
    assert sorted(seen) == sorted(expected)
    assert dataset.test.labels.tolist() == again.test.labels.tolist() == [0, 0, 1]


def test_without_test_a_fifth_of_every_class_is_held(class_folder) -> None:
    dataset = load(class_folder)
    assert dataset.train.counts(2).tolist() == [8, 4]
    assert dataset.test.counts(2).tolist() == [2, 1]
    assert load(class_folder, test=0.4).test.counts(2).tolist() == [4, 2]


def test_with_train_alone_the_test_set_is_cut_from_it(split_folder) -> None:
    shutil.rmtree(split_folder / "test")
    assert load(split_folder, test=0.4).test.counts(2).tolist() == [2, 2]


def test_over_all_folds_every_image_is_tested_once_and_never_learned_from_there(
    class_folder,
) -> None:
    parts = [load(class_folder, folds=5, fold=n) for n in range(1, 6)]
    tested = [name for part in parts for name in part.test.names]
    everything = {*parts[0].train.names, *parts[0].test.names}
    assert len(everything) == 15 and sorted(tested) == sorted(everything)
    for part in parts:
        assert set(part.train.names) == everything - set(part.test.names)
        assert part.test.labels.tolist() == [0, 0, 1]
    assert len({part.fingerprint for part in parts}) == 5
    assert "Fold 2 of 5: 3 of the 15 images" in parts[1].notes[0]


def test_folds_of_train_alone_leave_the_validation_folder_as_it_is(
    split_folder, make_image
) -> None:
    shutil.rmtree(split_folder / "test")
    for label in ("cat", "dog"):
        make_image(f"val/{label}/0.png")
    dataset = load(split_folder, folds=2, fold=1)
    assert dataset.validation.labels.tolist() == [0, 1]
    assert (len(dataset.train), len(dataset.test)) == (5, 5)


def test_a_folder_with_a_test_set_of_its_own_has_no_folds(split_folder) -> None:
    with pytest.raises(DataError, match=r"without a test set.*which has one"):
        load(split_folder, folds=2, fold=1)


def test_more_folds_than_a_class_has_images_are_refused_by_its_name(
    class_folder,
) -> None:
    with pytest.raises(DataError, match=r"\(dog, with 5\)\. Received: 6"):
        load(class_folder, folds=6, fold=1)


def test_settings_that_ask_for_folds_must_say_which_to_be_read(class_folder) -> None:
    with pytest.raises(DataError, match="from 1 to 5"):
        load(class_folder, folds=5)


def films(make_image, tmp_path):
    """Two classes of six films of one to six images, of which one is of both."""
    for label in ("cat", "dog"):
        for film in range(1, 7):
            for n in range(film):
                make_image(f"{label}/{label}-{film}/{n}.png")
        make_image(f"{label}/both/0.png")
    return tmp_path / "images"


def groups_of(split) -> set[str]:
    return {name.split("/")[1] for name in split.names}


def test_a_test_set_is_cut_without_parting_a_group(make_image, tmp_path) -> None:
    root = films(make_image, tmp_path)
    loose, whole = load(root), load(root, groups="folder")
    assert groups_of(loose.train) & groups_of(loose.test)
    assert not groups_of(whole.train) & groups_of(whole.test)
    assert whole.train.groups is not None and set(whole.train.groups) == groups_of(
        whole.train
    )
    assert " ".join(whole.notes).count("part") == 1
    assert whole.fingerprint != loose.fingerprint


def test_folds_part_no_group_and_test_every_image_once(make_image, tmp_path) -> None:
    root = films(make_image, tmp_path)
    folds = [load(root, folds=3, fold=number, groups="folder") for number in (1, 2, 3)]
    for one in folds:
        assert not groups_of(one.train) & groups_of(one.test)
    tested = [name for one in folds for name in one.test.names]
    assert len(tested) == len(set(tested)) == 44


def test_too_few_groups_of_a_class_to_divide_are_refused(make_image, tmp_path) -> None:
    for n in range(9):
        make_image(f"cat/film/{n}.png")
        make_image(f"dog/film-{n}/{n}.png")
    root = tmp_path / "images"
    with pytest.raises(DataError, match=r"at least two of every class.*cat, with 1\."):
        load(root, groups="folder")
    with pytest.raises(DataError, match=r"class has groups.*\(cat, with 1\).*: 3"):
        load(root, folds=3, fold=1, groups="folder")
    assert len(load(root, folds=3, fold=1).test) == 6


def test_two_groups_of_a_class_are_enough_to_cut_a_test_set(
    make_image, tmp_path
) -> None:
    for name, films in (("cat", 3), ("dog", 2)):
        for film in range(films):
            for n in range(3):
                make_image(f"{name}/{name}-{film}/{n}.png")
    found = load(tmp_path / "images", groups="folder")
    assert found.test.counts(2).tolist() == [3, 3]
    assert found.train.counts(2).tolist() == [6, 3]
    assert not groups_of(found.train) & groups_of(found.test)


def test_another_rule_for_groups_is_another_division(make_image, tmp_path) -> None:
    root = films(make_image, tmp_path)
    by_folder, by_name = load(root, groups="folder"), load(root, groups="([1-6])/")
    assert by_name.notes != by_folder.notes
    kept, held = (
        {name.split("/")[1][-1] for name in split.names} - {"h"}
        for split in (by_name.train, by_name.test)
    )
    assert not kept & held

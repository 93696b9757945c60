"""Files of a folder know the group that they are of."""

import numpy as np
import pytest

from tessera.columns import Columns
from tessera.data import decoded, folder, grouped, scan
from tessera.data.dataset import DataError
from tessera.experiment import Folder


def load(path, **changes):
    return folder.load(Folder(path=str(path), image_size=8, **changes))


def test_without_a_rule_every_file_stands_alone(split_folder) -> None:
    listing = grouped.listed(split_folder, None)
    assert {file.group for file in listing.files} == {""}
    assert grouped.names(listing.files) is None


@pytest.mark.parametrize("below", ["", "train/"])
def test_folders_of_one_name_in_two_classes_are_one_group(
    make_image, tmp_path, below: str
) -> None:
    for path in ("cat/film-3/0.png", "dog/film-3/1.png", "dog/film-3/more/2.png"):
        make_image(below + path)
    files = grouped.listed(tmp_path / "images", "folder").files
    assert [file.group for file in files] == ["film-3", "film-3", "film-3/more"]


def test_a_file_of_no_group_is_one_by_itself_and_never_of_anothers(
    make_image, tmp_path
) -> None:
    make_image("cat/cat/0.png")
    make_image("cat/1.png")
    make_image("dog/2.png")
    files = grouped.listed(tmp_path / "images", "folder").files
    names = grouped.names(files)
    assert names is not None and len(set(names)) == 3


def test_a_group_that_is_called_as_a_file_is_not_that_files() -> None:
    alone = scan.File("cat/1.png", "train", "cat", 1, 1, 1)
    other = alone._replace(path="cat/2.png", group="cat/1.png")
    names = grouped.names([alone, other, other._replace(path="cat/3.png")])
    assert names is not None and names[0] != names[1] == names[2]


def test_what_is_told_of_the_largest_group_is_its_size(make_image, tmp_path) -> None:
    for name in ("cat/a/0", "cat/a/1", "cat/a/2", "cat/b/0", "dog/c/0", "dog/1"):
        make_image(f"{name}.png")
    listing = grouped.listed(tmp_path / "images", "folder")
    (told,) = grouped.told(listing, "folder")
    assert "3 groups, the largest of 3 images," in told


def test_units_are_a_classs_groups_among_the_images_asked_for(
    make_image, tmp_path
) -> None:
    for name in ("cat/a/0", "cat/a/1", "cat/b/0", "dog/c/0", "dog/d/0", "dog/1"):
        make_image(f"{name}.png")
    listing = grouped.listed(tmp_path / "images", "folder")
    pixels = decoded.read(listing, 8)
    assert [file.path for file in pixels.files][3] == "dog/1.png"
    counted = [
        grouped.units(listing, pixels, np.array(at)).tolist()
        for at in ([0, 1, 2, 3, 4, 5], [1, 2, 4, 5], [2, 3], [1, 0])
    ]
    assert counted == [[2, 3], [2, 2], [1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("rule", "where"),
    [("folder", "in folders within their classes"), ("p([0-9]+)_", "'p.*' matches|p")],
)
def test_a_rule_that_finds_no_group_is_refused_with_files_to_compare(
    split_folder, rule: str, where: str
) -> None:
    with pytest.raises(
        DataError, match=rf"groups: expected images .*{where}.*train/cat/0.png"
    ):
        grouped.listed(split_folder, rule)


def test_a_dataset_tells_by_which_rule_its_images_belong_together(
    make_image, tmp_path
) -> None:
    rows = ["file,label,animal"]
    for n in range(24):
        path = f"{'cat' if n < 12 else 'dog'}/film-{n // 2}/{n}.png"
        make_image(path)
        rows.append(f"{path},{path[:3]},a{n // 3}")
    root = tmp_path / "images"
    (root / "list.csv").write_text("\n".join(rows))

    def told(path, **how) -> str:
        notes = load(path, **how).notes
        return next((n for n in notes if "belong together" in n), "")

    by_folder = told(root, groups="folder")
    assert "12 groups, the largest of 2 images, by folder within the classes" in (
        by_folder
    )
    by_name = told(root, groups="(film-[0-9]+)")
    assert "by what (film-[0-9]+) matches in their path" in by_name
    own = told(root / "list.csv", columns=Columns(group="animal"))
    assert "8 groups, the largest of 3 images, by the column animal of list.csv" in own
    listed = root / "list.csv"
    assert "12 groups, the largest of 2 images, by folder. What" in told(
        listed, groups="folder"
    )
    assert grouped.listed(listed, "folder").files[0].group == "cat/film-0"
    assert told(root) == ""
    folds = [
        load(root, folds=2, fold=number, groups="folder").notes[1] for number in (1, 2)
    ]
    assert folds == [by_folder, by_folder]


@pytest.mark.parametrize(
    ("splits", "cut"),
    [
        (("train",), "What is cut for testing and for validating parts no group."),
        (("train", "test"), "What is cut for validating parts no group."),
        (("train", "val"), "What is cut for testing parts no group."),
        (("train", "test", "val"), ""),
    ],
)
def test_what_is_cut_is_told_once_to_part_no_group(
    make_image, tmp_path, splits: tuple[str, ...], cut: str
) -> None:
    for split in splits:
        for name in ("cat", "dog"):
            for n in range(12):
                make_image(f"{split}/{name}/{split}-{name}-{n // 3}/{n}.png")
    notes = load(tmp_path / "images", test=0.3, groups="folder").notes
    (told,) = [note for note in notes if "group" in note]
    assert told.partition(" by folder within the classes.")[2].strip() == cut


def test_patients_whom_every_class_shows_are_groups_below_train(
    make_image, tmp_path
) -> None:
    for name in ("cat", "dog"):
        for n in range(12):
            make_image(f"{name}/patient-{n // 3}/{n}.png")
    root = tmp_path / "images"
    with pytest.raises(DataError, match=r"`--groups folder` .* classes into train/\."):
        load(root, test=0.3, groups="folder")
    (root / "train").mkdir()
    for name in ("cat", "dog"):
        (root / name).rename(root / "train" / name)
    data = load(root, test=0.3, groups="folder")
    assert data.train.groups and data.test.groups
    assert not {*data.train.groups} & {*data.test.groups}

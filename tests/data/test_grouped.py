"""Files of a folder know the group that they are of."""

import pytest

from tessera.data import grouped
from tessera.data.dataset import DataError


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

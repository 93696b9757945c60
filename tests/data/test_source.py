"""A `--data` argument means one kind of data, or is an error that names the kinds."""

import os

import pytest

from tessera import experiment
from tessera.columns import Columns
from tessera.data import source
from tessera.data.dataset import DataError


def test_the_two_words_mean_the_two_datasets() -> None:
    assert source.from_argument("digits") == experiment.Digits()
    assert source.from_argument("cifar10") == experiment.Cifar10()


def test_a_folder_of_images_is_a_folder(split_folder) -> None:
    chosen = source.from_argument(str(split_folder))
    assert chosen == experiment.Folder(path=str(split_folder))


def test_a_csv_file_is_a_list_of_images_and_another_file_is_none(tmp_path) -> None:
    for name in ("labels.CSV", "labels.txt"):
        (tmp_path / name).write_text("file,label\n")
    path = str(tmp_path / "labels.CSV")
    assert source.from_argument(path) == experiment.Folder(path=path)
    with pytest.raises(DataError, match="a CSV file that lists images"):
        source.from_argument(str(tmp_path / "labels.txt"))


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-batches-py"])
def test_a_cifar10_copy_is_known_by_path_or_by_its_folder(
    tmp_path, name, inside
) -> None:
    copy = tmp_path / name
    if name.endswith("gz"):
        copy.touch()
    else:
        copy.mkdir()
        (copy / "data_batch_1").touch()
    chosen = source.from_argument(str(tmp_path if inside else copy))
    assert chosen == experiment.Cifar10(path=str(copy))


def test_anything_else_is_an_error_that_names_the_choices() -> None:
    with pytest.raises(DataError, match=r"digits, cifar10, an image folder.*'nowhere'"):
        source.from_argument("nowhere")


def test_a_path_that_no_experiment_file_could_hold_is_refused(tmp_path) -> None:
    path = os.fsdecode(bytes(tmp_path) + b"/caf\xe9")
    try:
        os.mkdir(path)
    except OSError:
        pytest.skip("this file system has Unicode names only")
    for text in (path, ""):
        with pytest.raises(DataError, match="in UTF-8"):
            source.from_argument(text)


def test_data_that_moved_keeps_all_that_decides_what_is_made_of_it() -> None:
    before = experiment.Folder(
        path="old",
        image_size=64,
        validation=0.3,
        test=0.4,
        name="Pets",
        groups="folder",
        columns=Columns(file="image_id"),
    )
    after = source.moved(before, experiment.Folder(path="new"))
    assert after == before.model_copy(update={"path": "new"})


def test_data_of_another_kind_keeps_what_it_has_as_well() -> None:
    before = experiment.Folder(path="old", image_size=64, validation=0.3, test=0.4)
    after = source.moved(before, experiment.Cifar10(path="new"))
    assert after == experiment.Cifar10(path="new", image_size=64, validation=0.3)


def test_digits_and_folders_load(split_folder) -> None:
    assert source.load(experiment.Digits()).image_shape == (32, 32, 3)
    named = experiment.Folder(path=str(split_folder), image_size=8, name="Pets")
    assert source.load(named).name == "Pets"

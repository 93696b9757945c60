"""A folder becomes a dataset with labels that mean the same in every split."""

import contextlib
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from tessera.data import decode, decoded, folder, safety, scan
from tessera.data.dataset import DataError


def load(root, **changes):
    return folder.load(root, **({"image_size": 8, "test": 0.2} | changes))


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
    assert load(split_folder, test=0.5).test.counts(2).tolist() == [3, 2]


def test_results_call_it_by_the_folder_or_by_the_name_given(split_folder) -> None:
    assert load(split_folder).name == "images"
    assert load(split_folder, name="Pets").name == "Pets"
    assert load(split_folder, name="Pets").fingerprint == load(split_folder).fingerprint


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_folders_name_cannot_write_to_a_terminal(split_folder, tmp_path) -> None:
    dataset = load(split_folder.rename(tmp_path / "a\n\x1b[2Jb"))
    assert dataset.name == "a\\n\\x1b[2Jb"


def test_the_second_start_decodes_nothing_and_maps_the_same_pixels(
    split_folder,
) -> None:
    first = load(split_folder)
    for file in split_folder.rglob("*.png"):
        facts = file.stat()
        file.write_bytes(b"\0" * facts.st_size)
        os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    second = load(split_folder)
    assert second.fingerprint == first.fingerprint
    np.testing.assert_array_equal(second.train.images, first.train.images)
    assert isinstance(second.train.images, np.memmap)


@contextlib.contextmanager
def withheld(*files):
    """The system has no such files for a while; size and times stay as they were."""
    for file in files:
        file.rename(file.with_name(f".{file.name}"))
    yield
    for file in files:
        file.with_name(f".{file.name}").rename(file)


def test_what_the_system_withheld_is_asked_for_again(split_folder) -> None:
    listing = scan.scan(split_folder)
    cat, dog = (split_folder / f"train/{name}/1.png" for name in ("cat", "dog"))
    with withheld(cat, dog):
        both = [decoded.read(listing, 8) for _ in range(2)]
    with withheld(dog):
        one = decoded.read(listing, 8)
    with withheld(cat):
        other = decoded.read(listing, 8)
    lost = [[refused.path for refused in found.refused] for found in (*both, one)]
    assert lost == [["train/cat/1.png", "train/dog/1.png"]] * 2 + [["train/dog/1.png"]]
    assert [refused.path for refused in other.refused] == ["train/cat/1.png"]
    assert len({both[0].key, both[1].key, one.key, other.key}) == 3
    whole = decoded.read(listing, 8)
    assert whole.refused == () and len(whole.images) == 14


def test_what_the_system_withholds_still_is_no_reason_to_decode_the_rest(
    split_folder,
) -> None:
    listing = scan.scan(split_folder)
    calls: list[int] = []
    with withheld(split_folder / "train/cat/1.png"):
        decoded.read(listing, 8)
        decoded.read(listing, 8, progress=lambda done, total: calls.append(done))
    assert calls == []


def test_a_folder_that_was_moved_is_known(split_folder, tmp_path) -> None:
    first = load(split_folder)
    calls = []
    moved = split_folder.rename(tmp_path / "moved")
    second = load(moved, progress=lambda done, total: calls.append(done))
    assert second.fingerprint == first.fingerprint
    assert calls == []


def test_a_changed_file_is_decoded_anew(split_folder, make_image) -> None:
    before = load(split_folder).fingerprint
    make_image("train/cat/0.png")
    assert load(split_folder).fingerprint != before


def test_another_rule_of_decoding_decodes_anew(split_folder, monkeypatch) -> None:
    load(split_folder)
    calls: list[int] = []
    monkeypatch.setattr(decode, "VERSION", decode.VERSION + 1)
    load(split_folder, progress=lambda done, total: calls.append(done))
    assert calls[-1] == 14


def test_another_version_of_the_checks_checks_anew(split_folder, monkeypatch) -> None:
    load(split_folder)
    monkeypatch.setattr(safety, "problems", lambda *_: ("a new problem",))
    load(split_folder)
    monkeypatch.setattr(safety, "VERSION", safety.VERSION + 1)
    with pytest.raises(DataError, match="a new problem"):
        load(split_folder)


def test_another_image_size_is_another_dataset(split_folder) -> None:
    assert load(split_folder, image_size=16).image_shape == (16, 16, 3)
    assert load(split_folder).image_shape == (8, 8, 3)


def test_progress_counts_every_file(split_folder) -> None:
    calls = []
    load(split_folder, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(n, 14) for n in range(1, 15)]


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
            f"5 of 515 files cannot be used: {names} and 2 more. Repair or remove "
            "them.",
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


def test_a_test_set_that_is_in_the_training_set_is_refused(split_folder) -> None:
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "test/cat/copy.png")
    with pytest.raises(DataError, match=r"1 of 5 test images are also training"):
        load(split_folder)


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

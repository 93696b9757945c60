"""A folder is decoded once: what is remembered, and what is asked for again."""

import contextlib
import os

import numpy as np

from tessera.data import decode, decoded, folder, scan
from tessera.experiment import Folder


def load(root, image_size=8, progress=None):
    return folder.load(Folder(path=str(root), image_size=image_size), progress=progress)


def test_the_second_start_decodes_nothing_and_maps_the_same_pixels(
    split_folder,
) -> None:
    first = load(split_folder)
    calls: list[int] = []
    second = load(split_folder, progress=lambda done, total: calls.append(done))
    assert calls == []
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


def swapped(first, second) -> None:
    """Exchange two files, as who finds that their labels are the wrong way round."""
    aside = first.with_name("aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def test_files_of_one_size_and_date_that_change_places_are_decoded_anew(
    split_folder, make_image
) -> None:
    cat, dog = (make_image(f"train/{name}/0.bmp") for name in ("cat", "dog"))
    assert cat.stat().st_size == dog.stat().st_size
    for file in (cat, dog):
        os.utime(file, (0, 0))
    before = load(split_folder).train
    swapped(cat, dog)
    after = load(split_folder).train
    first, second = (
        before.names.index(f"train/{name}/0.bmp") for name in ("cat", "dog")
    )
    assert (before.images[first] != before.images[second]).any()
    np.testing.assert_array_equal(after.images[first], before.images[second])
    np.testing.assert_array_equal(after.images[second], before.images[first])


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


def test_another_image_size_is_another_dataset(split_folder) -> None:
    assert load(split_folder, image_size=16).image_shape == (16, 16, 3)
    assert load(split_folder).image_shape == (8, 8, 3)


def test_progress_counts_every_file(split_folder) -> None:
    calls = []
    load(split_folder, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(n, 14) for n in range(1, 15)]

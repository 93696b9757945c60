"""An inspection counts, compares and judges what a folder holds."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tessera.data import divided
from tessera.data.inspect import Inspection, inspect
from tessera.experiment import Folder


def look(root: Path, **changes: Any) -> Inspection:
    return inspect(divided.read(Folder(path=str(root), **changes)))


def test_classes_are_counted_in_every_split(split_folder) -> None:
    found = look(split_folder)
    assert found.counts == {"train": (6, 4), "test": (2, 2)}
    assert found.imbalance_factor == pytest.approx(1.5)
    assert not found.test_is_cut
    assert found.safe and found.problems == ()


@pytest.fixture
def large(tmp_path, make_image) -> Path:
    """`train/` with 15 cats and 16 dogs, `test/` with 5 of each: enough of each."""
    for path, number in (
        *(("train/cat", 15), ("train/dog", 16)),
        *(("test/cat", 5), ("test/dog", 5)),
    ):
        for n in range(number):
            make_image(f"{path}/{n}.png")
    return tmp_path / "images"


def test_of_enough_images_there_is_nothing_worth_knowing(large) -> None:
    found = look(large)
    assert found.safe and found.warnings == ()


def test_classes_of_few_test_images_are_worth_knowing(large) -> None:
    (large / "test/dog/0.png").unlink()
    found = look(large)
    assert found.safe and found.warnings == (
        "fewer than 5 test images of: dog (4). Scores that average over classes get no "
        "interval.",
    )
    (large / "test/dog").rename(large / "test/dog, old")
    (large / "train/dog").rename(large / "train/dog, old")
    assert 'test images of: "dog, old" (4).' in look(large).warnings[0]


def test_of_images_in_groups_it_is_the_groups_that_may_be_too_few(
    make_image, tmp_path
) -> None:
    for n in range(60):
        make_image(f"cat/cat-{n // 3}/{n}.png")
        make_image(f"dog/dog-{n // 2}/{n}.png")
    warnings = look(tmp_path / "images", groups="folder").warnings
    assert warnings == (
        "fewer than 5 groups of test images of: cat (4). Scores that average over "
        "classes get no interval. `tessera study --folds 5 --groups folder` tests "
        "every image.",
    )
    (few,) = look(tmp_path / "images", groups="((?:cat|dog)-[0-9]+)").warnings
    assert "`tessera study --folds 5 --groups '((?:cat|dog)-[0-9]+)'` tests" in few


def test_groups_are_counted_where_a_rule_names_them(large, make_image) -> None:
    for n in range(3):
        make_image(f"train/dog/film/{n}.png")
    assert look(large).groups is None
    found = look(large, groups="folder")
    assert found.groups is not None and found.to_json()["groups"] == {
        "count": 1,
        "alone": 41,
        "largest": 3,
    }


def test_where_the_test_set_is_cut_folds_are_named_as_the_way_to_test_more(
    class_folder, make_image
) -> None:
    few, _ = look(class_folder).warnings
    assert few.endswith(
        "of: cat (2), dog (1). Scores that average over classes get no "
        "interval. `tessera study --folds 5` tests every image."
    )
    for n in range(3):
        make_image(f"owl/{n}.png")
    few, _ = look(class_folder).warnings
    assert few.endswith("`tessera study --folds 3` tests every image.")


def test_classes_of_one_validation_image_are_worth_knowing(large, make_image) -> None:
    # A tenth of 15, halves to even, is 2; a tenth of 14 is 1.
    (large / "train/cat/0.png").unlink()
    (told,) = look(large).warnings
    assert told.startswith(
        "fewer than 2 validation images, with a share of 0.1, of: cat (1). They choose"
    )
    for path in ("val/cat/0.png", "val/cat/1.png", "val/dog/0.png"):
        make_image(path)
    (told,) = look(large).warnings
    assert told.startswith("fewer than 2 validation images of: dog (1). They choose")


def test_of_many_classes_the_first_ten_are_named_where_they_are_only_worth_knowing(
    make_image, tmp_path
) -> None:
    for n in range(12):
        for name in ("0", "1"):
            make_image(f"train/kind-{n:02}/{name}.png")
        make_image(f"test/kind-{n:02}/0.png")
    tested, held = look(tmp_path / "images").warnings
    for told in (tested, held):
        assert "kind-09 (1) and 2 more. " in told and "kind-10" not in told


def test_a_cut_test_set_is_said_to_be_cut(class_folder) -> None:
    found = look(class_folder)
    assert found.test_is_cut
    assert found.counts == {"train": (8, 4), "test": (2, 1)}


def test_sizes_are_those_of_the_files(split_folder) -> None:
    for number, size in enumerate([(4, 2), (40, 30)]):
        name = split_folder / "train" / "cat" / f"size{number}.png"
        Image.new("RGB", size, (number, 5, 5)).save(name)
    sizes = look(split_folder).sizes
    assert (sizes.smallest, sizes.median, sizes.largest) == ((4, 2), (8, 8), (40, 30))
    assert sizes.distinct == 3


def test_copies_across_splits_are_found_in_another_lossless_format(
    split_folder,
) -> None:
    with Image.open(split_folder / "train/cat/0.png") as image:
        image.save(split_folder / "test/cat/again.bmp")
    found = look(split_folder)
    assert found.across_splits == (("train/cat/0.png", "test/cat/again.bmp"),)
    assert found.within_split == ()
    assert not found.safe


def test_copies_with_another_label_are_found(split_folder) -> None:
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "train/dog/x.png")
    found = look(split_folder)
    group = ("train/cat/0.png", "train/dog/x.png")
    assert found.contradictory == (group,) and found.within_split == (group,)
    assert found.across_splits == ()
    assert not found.safe


def test_a_few_copies_are_worth_knowing_but_safe(large, make_image) -> None:
    for split in ("train", "test"):
        for n in range(100, 210):
            make_image(f"{split}/cat/{n}.png")
    shutil.copy(large / "train/cat/0.png", large / "test/cat/x.png")
    found = look(large)
    assert found.safe
    assert len(found.warnings) == 1 and "1 of 121 test images" in found.warnings[0]


def test_copies_in_one_split_do_no_harm(split_folder) -> None:
    shutil.copy(split_folder / "train/cat/0.png", split_folder / "train/cat/x.png")
    found = look(split_folder)
    assert found.within_split == (("train/cat/0.png", "train/cat/x.png"),)
    assert found.safe


def test_unreadable_files_are_listed_with_reasons(split_folder) -> None:
    (split_folder / "train" / "cat" / "bad.png").write_text("no image")
    (split_folder / "train" / "cat" / "out.png").symlink_to("/etc/hostname")
    found = look(split_folder)
    reasons = {refused.path: refused.reason for refused in found.unreadable}
    assert set(reasons) == {"train/cat/bad.png", "train/cat/out.png"}
    assert "not a JPEG" in reasons["train/cat/bad.png"]
    assert not found.safe


def test_a_class_unknown_to_training_is_a_problem_and_counted_nowhere(
    split_folder, make_image
) -> None:
    make_image("test/bird/0.png")
    found = look(split_folder)
    assert found.class_names == ("cat", "dog")
    assert found.counts["test"] == (2, 2)
    assert "bird" in found.problems[0]


def test_a_class_missing_from_validation_is_a_problem(split_folder, make_image) -> None:
    make_image("val/cat/0.png")
    found = look(split_folder)
    assert found.counts["val"] == (1, 0)
    assert "val has no readable image of: dog" in found.problems[0]
    assert not found.safe


def test_folders_that_hold_images_beside_the_splits_are_worth_knowing(
    large, make_image
) -> None:
    make_image("eval/cat/0.png")
    found = look(large)
    assert found.safe and found.stray == ("eval/",)
    assert len(found.warnings) == 1 and "eval/ holds images" in found.warnings[0]


def test_a_folder_without_one_readable_file_is_described_too(tmp_path) -> None:
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.png").write_text("no image")
    found = look(tmp_path)
    assert found.sizes is None and found.imbalance_factor is None
    assert not found.safe


def test_an_inspection_is_plain_data(split_folder) -> None:
    found = json.loads(json.dumps(look(split_folder).to_json()))
    assert found["safe"] is True
    assert found["counts"]["train"] == [6, 4]


def test_inspecting_twice_decodes_once(split_folder) -> None:
    calls = []
    for _ in range(2):
        divided.read(
            Folder(path=str(split_folder)),
            progress=lambda done, total: calls.append(done),
        )
    assert len(calls) == 14

"""A dataset checks its parts and is known by its content."""

import dataclasses

import numpy as np
import pytest

from tessera.data.dataset import DataError, Dataset, Split, assemble


def split(*labels: int, value: int = 0, size: int = 8) -> Split:
    images = np.full((len(labels), size, size, 3), value, dtype=np.uint8)
    return Split(images, np.array(labels, dtype=np.int32))


def dataset(**changes) -> Dataset:
    parts = {"train": split(0, 1, 1), "test": split(1, 0)} | changes
    return assemble("Pets", parts.pop("names", ("cat", "dog")), **parts)


def test_a_summary_counts_the_images_of_every_class() -> None:
    summary = dataset().summary()
    assert (summary.train_counts, summary.test_counts) == ((1, 2), (1, 1))
    assert summary.image_shape == (8, 8, 3)
    assert summary.name == "Pets"


def test_a_summary_holds_what_a_reader_should_know_and_the_fingerprint_does_not() -> (
    None
):
    noted = dataclasses.replace(dataset(), notes=("One file is left out.",))
    assert noted.summary().notes == ("One file is left out.",)
    assert noted.fingerprint == dataset().fingerprint


@pytest.mark.parametrize(
    "images", [np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, 8, 8), np.uint8)]
)
def test_images_are_bytes_with_four_axes(images) -> None:
    with pytest.raises(DataError, match=r"uint8 \[N, H, W, C\]"):
        Split(images, np.zeros(1, np.int32))


@pytest.mark.parametrize("labels", [np.zeros(2, np.int32), np.zeros(1, np.int64)])
def test_labels_are_int32_and_one_per_image(labels) -> None:
    with pytest.raises(DataError, match="one per image"):
        Split(np.zeros((1, 8, 8, 3), np.uint8), labels)


def test_names_are_one_per_image() -> None:
    images, labels = np.zeros((2, 8, 8, 3), np.uint8), np.zeros(2, np.int32)
    assert Split(images, labels, ("a.png", "b.png")).names == ("a.png", "b.png")
    assert Split(images, labels).names is None
    with pytest.raises(DataError, match=r"expected 2, one per image\. Received: 1"):
        Split(images, labels, ("a.png",))


def test_groups_are_one_per_image_and_part_of_what_the_data_is() -> None:
    images, labels = np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1], np.int32)
    with pytest.raises(DataError, match=r"Split\.groups: expected 2.*Received: 1"):
        Split(images, labels, groups=("a",))
    known = [
        assemble("Pets", ("cat", "dog"), train=train, test=Split(images, labels))
        for train in (
            Split(images, labels),
            Split(images, labels, groups=("a", "a")),
            Split(images, labels, groups=("a", "b")),
        )
    ]
    assert len({one.fingerprint for one in known}) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("cat", "cat")}, "distinct names"),
        ({"names": ("cat",)}, "at least two classes"),
        ({"test": split(0, 2)}, "test labels from 0 to 1"),
        ({"test": split(-1)}, "test labels from 0 to 1"),
        ({"test": split()}, "no images"),
        ({"validation": split(0, 5)}, "val labels"),
        ({"test": split(0, 1, size=9)}, "as in the training split"),
        ({"train": split(1, 1)}, "none of: cat"),
        ({"train": split(1), "names": ("a, b", "c")}, 'none of: "a, b"'),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message) -> None:
    with pytest.raises(DataError, match=message):
        dataset(**change)


def test_the_same_content_has_the_same_fingerprint_under_any_name() -> None:
    renamed = assemble("Others", ("cat", "dog"), train=split(0, 1, 1), test=split(1, 0))
    assert renamed.fingerprint == dataset().fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"names": ("cat", "cow")},
        {"train": split(0, 1, 1, value=1)},
        {"train": split(1, 0, 1)},
        {"test": split(0, 1)},
        {"validation": split(0, 1)},
    ],
)
def test_any_other_content_has_another_fingerprint(change) -> None:
    assert dataset(**change).fingerprint != dataset().fingerprint


def test_moving_an_image_between_splits_changes_the_fingerprint() -> None:
    first = dataset(train=split(0, 1, 1), test=split(0, 1))
    second = dataset(train=split(0, 1), test=split(1, 0, 1))
    assert first.fingerprint != second.fingerprint

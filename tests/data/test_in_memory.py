"""Arrays are pixels, or it is said why not."""

from typing import Any

import numpy as np
import pytest

from tessera.data.in_memory import divided, numbered, pixels


def test_integers_of_any_width_become_bytes() -> None:
    images = np.array([0, 7, 255], np.int64).reshape(3, 1, 1, 1)
    found = pixels(images)
    assert found.dtype == np.uint8
    assert found.ravel().tolist() == [0, 7, 255]


def test_grey_images_get_their_channel() -> None:
    assert pixels(np.zeros((2, 5, 6), np.uint8)).shape == (2, 5, 6, 1)


def test_lists_are_arrays() -> None:
    assert pixels([[[1, 2], [3, 4]]]).shape == (1, 2, 2, 1)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 8, 8, 3)), r"float64 \[2, 8, 8, 3\]. Fractions 0..1 become"),
        (np.zeros((2, 64), np.uint8), r"uint8 \[2, 64\]. Reshape your data: `X.resh"),
        (np.zeros((0, 8, 8, 3), np.uint8), "expected images as integers"),
        (np.full((1, 8, 8, 3), 256), "expected pixels 0..255. Received: 256..256"),
        (np.full((1, 8, 8, 3), -1), "expected pixels 0..255. Received: -1..-1"),
        (["cat.jpg"], r"`tessera.load_data\(folder\)` reads image files"),
        ([np.zeros((8, 8, 3)), np.zeros((9, 8, 3))], r"^X: .* of several. Resize them"),
    ],
    ids=["fractions", "rows", "none", "16 bits", "negative", "paths", "several sizes"],
)
def test_what_is_no_image_is_refused_with_a_way_out(
    images: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pixels(images)  # type: ignore[arg-type]


def test_labels_of_any_type_are_numbered_in_their_order() -> None:
    classes, labels = numbered(["b", "a", "b", "c"], 4)
    assert classes.tolist() == ["a", "b", "c"]
    assert (labels.dtype, labels.tolist()) == (np.int32, [1, 0, 1, 2])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y"),
        (["a", "b"], "one label for each of 3 images. Received: 2"),
        (["a", "a", "a"], "at least two classes.*Received: 1 class of n_samples = 3"),
        (["a", "b", "c"], "one of them with two images. Received: 3 classes of"),
        ([0.5, 1.5, 2.5], "[Uu]nknown label type"),
    ],
    ids=["none", "too few", "one class", "one of each", "fractions"],
)
def test_labels_that_tell_no_classes_apart_are_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        numbered(y, 3)


LABELS = np.repeat(np.array([0, 1], np.int32), 20)


@pytest.mark.parametrize("name", [str, int, lambda n: n if n % 2 else str(n)])
def test_no_group_is_on_both_sides_whatever_groups_are_called(name) -> None:
    groups = np.array([name(n // 4) for n in range(40)], dtype=object)
    kept, held = divided(LABELS, groups, 0.2, seed=1)
    assert len(held) and not set(groups[kept]) & set(groups[held])
    assert sorted([*kept, *held]) == list(range(40))
    assert set(LABELS[kept]) == set(LABELS[held]) == {0, 1}


def test_without_groups_each_image_stands_alone() -> None:
    kept, held = divided(LABELS, None, 0.2, seed=1)
    alone = divided(LABELS, np.arange(40), 0.2, seed=1)
    assert (len(kept), len(held)) == (len(alone[0]), len(alone[1])) == (32, 8)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["a"] * 39, r"one for each of 40 images. Received: \[39\]"),
        ([["a"]] * 40, r"Received: \[40, 1\]"),
        (["a"] * 39 + [None], "Received: 1 missing. Give an image that stands alone"),
        ([1.0] * 38 + [float("nan")] * 2, "Received: 2 missing"),
        (["a"] * 20 + ["b"] * 20, "expected two of at least one class"),
    ],
    ids=["few", "columns", "none", "nan", "one of each class"],
)
def test_groups_that_cannot_be_divided_are_refused(
    groups: list[object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        divided(LABELS, groups, 0.2, seed=1)

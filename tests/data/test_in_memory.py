"""Arrays are pixels, or it is said why not."""

import numpy as np
import pytest

from tessera.data.in_memory import pixels


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
    ],
    ids=["fractions", "rows", "none", "16 bits", "negative", "paths"],
)
def test_what_is_no_image_is_refused_with_a_way_out(
    images: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pixels(images)  # type: ignore[arg-type]

import numpy as np
import pytest

from tessera.explain.faithfulness import stability

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1)).astype(np.float32)
TARGETS = np.zeros(4, np.int32)


def always_first(images):
    return np.tile(np.float32([1, 0]), (len(images), 1))


def pixels(images, _):
    """A map that is the image itself: it follows every change."""
    return images[..., 0]


def deaf(images, _):
    """A map that ignores the image and is the same mirrored."""
    return np.ones((len(images), 8, 8), np.float32)


def relative(predict=always_first, images=IMAGES):
    maps = {"pixels": pixels, "deaf": deaf}
    return stability.relative(predict, maps, images, TARGETS[: len(images)], seed=0)


def test_a_map_that_ignores_the_image_never_moves():
    assert all((series == 0).all() for series in relative()["deaf"].values())


def test_a_map_that_follows_the_image_is_flipped_back():
    assert (relative()["pixels"]["stability_flip"] == 0).all()


def test_a_shift_moves_the_map_by_what_the_image_moved():
    found = relative()["pixels"]["stability_shift"]
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)]
    for image, value in zip(IMAGES[..., 0], found, strict=True):
        expected = []
        for rows, columns in steps:
            padded = np.pad(image, 1, mode="edge")
            moved = padded[1 - rows : 9 - rows, 1 - columns : 9 - columns]
            expected.append(np.linalg.norm(moved - image) / np.linalg.norm(image))
        assert value == pytest.approx(np.mean(expected), rel=1e-5)


def test_the_same_class_is_explained_before_and_after():
    """It need not be the one that is answered, which here is always the first."""

    def by_class(images, targets):
        return np.ones((len(images), 8, 8)) * (1 + targets)[:, None, None]

    targets = np.arange(4, dtype=np.int32)
    found = stability.relative(
        always_first, {"of class": by_class}, IMAGES, targets, seed=0
    )
    assert all((series == 0).all() for series in found["of class"].values())


def test_a_shift_to_the_right_moves_a_pixel_to_the_right():
    image = np.zeros((1, 4, 4, 1), np.float32)
    image[0, 1, 1] = 9
    assert stability.shifted(image, 0, 1)[0, 1, 2, 0] == 9
    assert stability.shifted(image, 1, 0)[0, 2, 1, 0] == 9


def test_the_picture_is_shifted_once_in_each_of_four_directions():
    image = np.zeros((1, 4, 4, 3), np.float32)
    image[0, 1, 1] = 9
    shifts = [c.images for c in stability.changes(image, seed=0) if c.kind == "shift"]
    assert [x.shape for x in shifts] == [image.shape] * 4
    places = {tuple(spot) for x in shifts for spot in np.argwhere(x[0, ..., 0])}
    assert places == {(1, 2), (1, 0), (2, 1), (0, 1)}


def test_the_worst_change_is_the_largest_of_all():
    found = relative()["pixels"]
    kinds = [found[f"stability_{kind}"] for kind in ("shift", "flip", "noise")]
    assert (found["stability_worst"] >= np.max(kinds, axis=0) - 1e-12).all()


def test_changes_that_change_the_answer_do_not_count():
    """The answer turns with the left half's brightness, so flips change it."""

    def left(images):
        bright = images[:, :, :4].mean(axis=(1, 2, 3)) > 127
        return np.where(bright[:, None], [[0, 1]], [[1, 0]]).astype(np.float32)

    image = np.zeros((1, 8, 8, 1), np.float32)
    image[:, :, :4] = 255
    found = relative(left, image)["pixels"]
    assert np.isnan(found["stability_flip"][0])
    assert np.isfinite(found["stability_shift"][0])
    assert np.isfinite(found["stability_worst"][0])


def test_noise_has_its_deviation_and_stays_in_range():
    grey = np.full((1, 64, 64, 1), 128, np.float32)
    noisy = [c.images for c in stability.changes(grey, seed=0) if c.kind == "noise"]
    assert len(noisy) == 3
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(noisy[one].ravel(), noisy[two].ravel())[0, 1]) < 0.1
    assert (noisy[0] - 128).std() == pytest.approx(2.55, rel=0.05)
    assert (noisy[0] - 128).mean() == pytest.approx(0, abs=0.2)  # 5 standard errors
    ends = np.zeros((1, 8, 8, 1), np.float32)
    ends[:, :4] = 255
    for change in stability.changes(ends, seed=0):
        assert (change.images.min(), change.images.max()) == (0, 255)

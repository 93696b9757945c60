import numpy as np
import pytest
from scipy import ndimage

from tessera.explain.faithfulness import controls
from tessera.explain.faithfulness.controls import Grid

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3)).astype(np.float32)
TARGETS = np.arange(6, dtype=np.int32) % 3
MEANS = np.random.default_rng(1).random((3, 8, 8)).astype(np.float32)


def test_there_are_five_and_each_gives_maps_on_the_grid():
    made = controls.controls(Grid(8, 8), MEANS, seed=0)
    assert tuple(made) == controls.NAMES and len(made) == 5
    for maps in made.values():
        found = maps(IMAGES, TARGETS)
        assert found.shape == (6, 8, 8) and found.dtype == np.float32
    ours = made[controls.CLASS_MEAN](IMAGES, TARGETS)
    assert (ours == MEANS[[0, 1, 2, 0, 1, 2]]).all()


@pytest.mark.parametrize("name", [controls.UNIFORM, controls.CENTRE])
def test_some_know_nothing_of_the_image(name):
    maps = controls.controls(Grid(8, 8), MEANS, seed=0)[name](IMAGES, TARGETS)
    assert (maps == maps[0]).all()


def test_random_maps_repeat_for_one_question_and_change_with_the_next():
    grid = Grid(8, 8)
    first = controls.random(IMAGES, TARGETS, grid, seed=0)
    assert (first == controls.random(IMAGES, TARGETS, grid, seed=0)).all()
    for other in (
        controls.random(IMAGES + 1, TARGETS, grid, seed=0),
        controls.random(IMAGES, TARGETS[::-1], grid, seed=0),
        controls.random(IMAGES, TARGETS, grid, seed=1),
    ):
        assert (first != other).all()


def test_the_bell_is_highest_in_the_middle_and_the_same_mirrored():
    bell = controls.centre(1, Grid(5, 5))[0]
    assert np.unravel_index(bell.argmax(), bell.shape) == (2, 2)
    assert np.allclose(bell, bell[::-1]) and np.allclose(bell, bell.T)


def test_the_bell_has_a_deviation_of_a_quarter_of_either_side():
    # The middles of two cells lie at 1/4 and 3/4, one deviation from the middle.
    bell = controls.centre(1, Grid(1, 2))[0]
    np.testing.assert_allclose(bell, [[np.exp(-1 / 2)] * 2], rtol=1e-6)


def test_edges_are_scipys_sobel_of_the_mean_channel():
    image = IMAGES[:1, :6]
    grey = image[0].mean(axis=-1)
    slopes = [ndimage.sobel(grey, axis, mode="nearest") for axis in (0, 1)]
    found = controls.edges(image, Grid(6, 16))[0]  # a cell for each pixel
    np.testing.assert_allclose(found, np.hypot(*slopes), rtol=1e-4)


def test_edges_lie_where_the_brightness_steps():
    image = np.zeros((1, 16, 16, 3), np.float32)
    image[:, :, 8:] = 255  # a step between columns 7 and 8
    found = controls.edges(image, Grid(8, 8))[0]
    assert (found.argmax(axis=1) == 3).all()
    # Each of the two columns beside the step has a Sobel response of 4 x 255; each
    # shares its cell with a column that has none.
    np.testing.assert_allclose(found[:, 3:5], 510)
    assert not found[:, :3].any() and not found[:, 5:].any()


def test_edges_of_one_image_do_not_depend_on_the_others():
    grid = Grid(8, 8)
    alone = controls.edges(IMAGES[2:3], grid)
    np.testing.assert_allclose(controls.edges(IMAGES, grid)[2], alone[0], rtol=1e-5)


def test_a_class_mean_is_the_mean_display_map_of_its_class():
    raw = np.float32([[[2, -4]], [[0, 8]], [[-1, -1]]])
    found = controls.class_means(raw, np.array([0, 0, 2]), 3)
    assert found[0].tolist() == [[0.5, 0.5]]  # (1, 0) and (0, 1)
    assert found[2].tolist() == [[0, 0]]
    np.testing.assert_allclose(found[1], [[1 / 3, 1 / 3]])  # none: over all

"""ROAD's fill against dense linear algebra, and its counts."""

import numpy as np
import pytest

from tessera.explain.faithfulness import ranking, road


def dense(image: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """The same system written out pixel by pixel and solved whole."""
    height, width, channels = image.shape
    spots = [tuple(spot) for spot in np.argwhere(removed)]
    matrix, right = np.zeros((len(spots),) * 2), np.zeros((len(spots), channels))
    for row, (i, j) in enumerate(spots):
        for di in (-1, 0, 1):
            for dj in (-1, 0, 1):
                at = (i + di, j + dj)
                outside = not (0 <= at[0] < height and 0 <= at[1] < width)
                if (di, dj) == (0, 0) or outside:
                    continue
                weight = 1 / 12 if di and dj else 1 / 6
                matrix[row, row] += weight
                if removed[at]:
                    matrix[row, spots.index(at)] -= weight
                else:
                    right[row] += weight * image[at]
    filled = image.astype(np.float64).copy()
    filled[removed] = np.linalg.solve(matrix, right)
    return filled


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_fill_solves_the_papers_equations(share):
    rng = np.random.default_rng(1)
    image = rng.uniform(0, 255, (9, 7, 3)).astype(np.float32)
    removed = rng.random((9, 7)) < share
    found = road.impute(image, removed, road.neighbours(9, 7))
    np.testing.assert_allclose(found, dense(image, removed), atol=1e-3)


def test_a_hole_in_a_linear_ramp_is_filled_with_the_ramp():
    """Every weighted mean of symmetric neighbours reproduces a linear function."""
    row, column = np.mgrid[:16, :16].astype(np.float32)
    image = (3 * row + 5 * column)[..., None]
    removed = np.zeros((16, 16), bool)
    removed[4:12, 5:11] = True
    found = road.impute(image, removed, road.neighbours(16, 16))
    np.testing.assert_allclose(found, image, atol=1e-3)


def test_pixels_that_stay_are_untouched_and_channels_do_not_mix():
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 255, (8, 8, 2)).astype(np.float32)
    removed = rng.random((8, 8)) < 0.4
    near = road.neighbours(8, 8)
    both = road.impute(image, removed, near)
    assert (both[~removed] == image[~removed]).all()
    alone = road.impute(image[..., 1:], removed, near)
    np.testing.assert_allclose(both[..., 1:], alone, atol=1e-5)


def test_nothing_removed_changes_nothing():
    image = np.ones((4, 4, 1), np.float32)
    gone = np.zeros((4, 4), bool)
    assert (road.impute(image, gone, road.neighbours(4, 4)) == image).all()


def test_everything_removed_is_refused():
    with pytest.raises(ValueError, match="at least one pixel to be left"):
        road.impute(np.ones((4, 4, 1)), np.ones((4, 4), bool), road.neighbours(4, 4))


def watch(seen):
    """A model that remembers its images and always says 0."""

    def predict(images):
        seen.append(images.copy())
        return np.tile(np.float32([1, 0]), (len(images), 1))

    return predict


def test_exactly_the_share_of_cells_is_replaced_even_where_the_map_ties():
    images = np.full((3, 8, 8, 1), 100, np.float32)
    ranks = ranking.ranks(np.zeros((3, 8, 8), np.float32), seed=0)
    seen = []
    road.survival(watch(seen), images, ranks, np.zeros(3, int), seed=0)
    changed = [(x != 100).sum(axis=(1, 2, 3)).tolist() for x in seen]
    expected = [round(64 * s) for s in road.SHARES]  # noise marks what was removed
    assert changed[::2] == changed[1::2] == [[n] * 3 for n in expected]


def test_the_most_relevant_go_first_or_last_and_never_meet():
    images = np.full((1, 8, 8, 1), 100, np.float32)
    maps = np.arange(64, dtype=np.float32).reshape(1, 8, 8)
    seen = []
    road.survival(
        watch(seen),
        images,
        ranking.ranks(maps, seed=0),
        np.zeros(1, int),
        seed=0,
        shares=(0.25,),
    )
    most, least = (x[0, ..., 0] != 100 for x in seen)
    assert most[6:].all() and not most[:6].any()
    assert least[:2].all() and not least[2:].any()


def test_every_map_meets_the_same_noise():
    images = np.full((2, 8, 8, 1), 100, np.float32)
    seen = []
    for maps_seed in (1, 2):
        maps = np.random.default_rng(maps_seed).random((2, 8, 8)).astype(np.float32)
        ranks = ranking.ranks(maps, seed=0)
        road.survival(
            watch(seen), images, ranks, np.zeros(2, int), seed=5, shares=(0.9,)
        )
    one, two = seen[0], seen[2]
    both = (one != 100) & (two != 100)
    assert both.any() and (one[both] == two[both]).all()
    assert one[both].std() == pytest.approx(2.55, rel=0.2)  # 0.01 of 255


def test_the_noise_is_another_for_every_share_and_seed():
    images = np.full((1, 8, 8, 1), 100, np.float32)
    ranks = ranking.ranks(np.zeros((1, 8, 8), np.float32), seed=0)
    seen = []
    for seed in (5, 6):
        road.survival(
            watch(seen), images, ranks, np.zeros(1, int), seed=seed, shares=(0.5, 0.6)
        )
    half, more, other = (x[0, ..., 0][ranks[0] < 32] for x in (*seen[:3:2], seen[4]))
    assert (half != 100).all()
    assert (half != more).all() and (half != other).all()


def test_survival_says_whether_the_answer_stayed(one_pixel):
    """Only the first pixel decides: it falls with the most relevant cells alone."""
    images = np.zeros((1, 8, 8, 1), np.float32)
    images[0, 0, 0] = 255
    maps = np.zeros((1, 8, 8), np.float32)
    maps[0, 0, 0] = 1
    most, least = road.survival(
        one_pixel,
        images,
        ranking.ranks(maps, seed=0),
        np.ones(1, np.int32),
        seed=0,
    )
    assert not most.any()
    assert least.all()


def test_of_any_grid_at_least_one_cell_goes_and_one_stays():
    images = np.full((2, 8, 4, 1), 100, np.float32)
    ranks = ranking.ranks(np.zeros((2, 8, 2), np.float32), seed=0)
    seen = []
    most, least = road.survival(
        watch(seen), images, ranks, np.zeros(2, int), seed=0, shares=(0.01, 0.5, 0.99)
    )
    changed = [(x != 100).sum(axis=(1, 2, 3)).tolist() for x in seen[::2]]
    assert changed == [[2 * n] * 2 for n in (1, 8, 15)]  # a cell is two pixels
    assert most.shape == least.shape == (2, 3)


@pytest.mark.parametrize("shares", [(), (0.0, 0.5), (0.5, 1.0), (0.5, 0.2), (0.5, 0.5)])
def test_none_and_all_cannot_be_removed(shares):
    ranks = ranking.ranks(np.zeros((1, 4, 4), np.float32), seed=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        road.survival(
            watch([]),
            np.zeros((1, 4, 4, 1), np.float32),
            ranks,
            np.zeros(1, int),
            seed=0,
            shares=shares,
        )

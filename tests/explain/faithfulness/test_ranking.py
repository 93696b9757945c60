"""Ranks remove exactly what is asked for, whatever the ties."""

import numpy as np
import pytest

from tessera.explain.faithfulness import ranking


def test_the_largest_cell_has_place_0_and_every_place_is_taken_once():
    maps = np.array([[[3.0, -1.0], [7.0, 0.0]]], np.float32)
    assert ranking.ranks(maps, seed=0).tolist() == [[[1, 3], [0, 2]]]


def test_of_a_tied_map_exactly_the_wanted_share_is_removed():
    """A ReLU map that is 60 % zero: thresholds would take all of it at once."""
    rng = np.random.default_rng(0)
    maps = np.maximum(rng.normal(-0.25, 1, (20, 10, 10)), 0).astype(np.float32)
    maps.reshape(20, -1)[:, :60] = 0
    ranks = ranking.ranks(maps, seed=0)
    for count in (20, 40, 80):
        assert ((ranks < count).sum(axis=(1, 2)) == count).all()


def test_ties_are_broken_by_the_seed_and_differently_in_each_image():
    flat = np.zeros((50, 8, 8), np.float32)
    first, again, other = (ranking.ranks(flat, seed=s) for s in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    assert len({row.tobytes() for row in first}) == 50


def test_a_tie_draw_prefers_no_cell():
    places = ranking.ranks(np.zeros((4000, 2, 2), np.float32), seed=0)
    # Mean place 1.5, standard error sqrt(1.25 / 4000) = 0.018.
    assert np.abs(places.mean(axis=0) - 1.5).max() < 0.09


def test_nan_comes_last():
    maps = np.array([[[np.nan, -5.0]]], np.float32)
    assert ranking.ranks(maps, seed=0).tolist() == [[[1, 0]]]


def test_every_pixel_takes_the_value_of_its_cell():
    cells = np.array([[[1, 2, 3], [4, 5, 6]]])
    expected = np.kron(cells[0], np.ones((4, 2), int))
    assert (ranking.to_pixels(cells, 8, 6)[0] == expected).all()
    assert (ranking.to_cells(expected[None], 2, 3) == cells).all()


def test_a_grid_that_does_not_divide_the_image_still_covers_it():
    pixels = ranking.to_pixels(np.arange(9).reshape(1, 3, 3), 8, 8)
    rows = [0, 0, 0, 1, 1, 1, 2, 2]  # floor(i 3 / 8)
    assert pixels[0, :, 0].tolist() == [3 * r for r in rows]
    assert pixels[0, 0].tolist() == rows


@pytest.mark.parametrize("size", [8, 7])
def test_cells_hold_the_mean_of_their_pixels(size):
    pixels = np.random.default_rng(0).random((2, size, size))
    where = ranking.to_pixels(np.arange(4).reshape(1, 2, 2), size, size)[0]
    found = ranking.to_cells(pixels, 2, 2)
    for cell in range(4):
        mean = pixels[1][where == cell].mean()
        assert found[1].ravel()[cell] == pytest.approx(mean)


def test_counts_go_from_none_to_all_each_once():
    assert ranking.counts(64, 16).tolist() == list(range(0, 65, 4))
    assert ranking.counts(16, 100).tolist() == list(range(17))

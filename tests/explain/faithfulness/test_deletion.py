"""Deletion and insertion on models whose curves are known on paper."""

from itertools import pairwise

import numpy as np
import pytest

from tessera.explain.faithfulness import deletion, ranking

TARGETS = np.ones(1, np.int32)
STEPS = 10**6  # one cell at a time


def area(predict, image, fill, order, direction, steps=STEPS):
    images = np.float32(image)[None, ..., None]
    filled = np.float32(fill)[None, ..., None]
    known = deletion.ends(predict, images, filled, TARGETS)
    found = deletion.curves(
        predict,
        images,
        ranking.ranks(np.float32(order)[None], seed=0),
        TARGETS,
        fill=filled,
        known=known,
        direction=direction,
        steps=steps,
    )
    return found, found.areas[0]


@pytest.mark.parametrize("direction", ["deletion", "insertion"])
def test_the_pixel_sum_model_has_the_area_of_its_partial_sums(brightness, direction):
    """p after t of 4 cells is a partial sum, so the area is a sum of trapezoids."""
    image = np.array([[10.0, 200.0], [100.0, 50.0]])
    fill = np.zeros((2, 2))
    _, found = area(brightness, image, fill, image, direction)
    falling = np.array([0, 200, 100, 50, 10]).cumsum() / (255 * 4)
    p = falling[-1] - falling if direction == "deletion" else falling
    expected = sum((a + b) / 2 for a, b in pairwise(p)) / 4
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_true_order_deletes_fastest_of_all_orders(brightness):
    image = np.array([[10.0, 200.0], [100.0, 50.0]])
    fill = np.zeros((2, 2))
    best = area(brightness, image, fill, image, "deletion")[1]
    worst = area(brightness, image, fill, -image, "deletion")[1]
    others = [
        area(
            brightness, image, fill, np.random.default_rng(s).random((2, 2)), "deletion"
        )
        for s in range(20)
    ]
    assert all(best <= found <= worst for _, found in others)


def test_the_one_pixel_model_has_the_limits_0_and_1(one_pixel):
    """Deletion ends with the first cell, insertion begins with it (8 x 8 cells)."""
    image, order = np.full((8, 8), 255.0), np.zeros((8, 8))
    order[0, 0] = 1
    fill = np.zeros((8, 8))
    gone = area(one_pixel, image, fill, order, "deletion")[1]
    back = area(one_pixel, image, fill, order, "insertion")[1]
    assert gone == pytest.approx(0.5 / 64, abs=1e-6)  # the first trapezoid alone
    assert back == pytest.approx(1 - 0.5 / 64, abs=1e-6)


def test_the_worst_map_of_the_one_pixel_model_has_the_opposite_limits(one_pixel):
    image, order = np.full((8, 8), 255.0), np.zeros((8, 8))
    order[0, 0] = -1
    fill = np.zeros((8, 8))
    gone = area(one_pixel, image, fill, order, "deletion")[1]
    assert gone == pytest.approx(1 - 0.5 / 64, abs=1e-6)


def test_a_curve_has_both_ends_and_counts_whole_cells(brightness):
    image = np.random.default_rng(0).uniform(1, 254, (8, 8))
    found, _ = area(brightness, image, np.zeros((8, 8)), image, "deletion", steps=16)
    assert found.shares[0].tolist() == [i / 16 for i in range(17)]
    assert found.probabilities[0, 0] == pytest.approx(image.mean() / 255, abs=1e-6)
    assert found.probabilities[0, -1] < 1e-6


def test_a_coarse_grid_removes_whole_blocks_of_pixels(brightness):
    """4 x 4 pixels under 2 x 2 cells: the top cell is the bright corner block."""
    image = np.zeros((4, 4))
    image[:2, 2:] = 200
    order = np.array([[0.0, 1.0], [0.0, 0.0]])
    found, _ = area(brightness, image, np.zeros((4, 4)), order, "deletion")
    np.testing.assert_allclose(
        found.probabilities[0], [50 / 255, 0, 0, 0, 0], atol=1e-6
    )


def test_where_cells_differ_in_size_the_shares_are_those_of_the_pixels(brightness):
    order = np.array([[2.0, 1.0]])  # of 3 columns the first cell covers two
    image = np.full((1, 3), 255.0)
    found, under = area(brightness, image, np.zeros((1, 3)), order, "deletion")
    assert found.shares[0].tolist() == pytest.approx([0, 2 / 3, 1])
    # p is 1, 1/3 and 0: trapezoids of 2/3 and of 1/3.
    assert under == pytest.approx(2 / 3 * (1 + 1 / 3) / 2 + 1 / 3 * (1 / 3) / 2)

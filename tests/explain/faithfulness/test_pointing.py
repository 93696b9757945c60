"""Pointing and energy against counting by hand."""

import numpy as np
import pytest

from tessera.explain.faithfulness import pointing

REGION = np.zeros((1, 8, 8), bool)
REGION[0, :4, :4] = True  # a quarter of the image; one cell of 2 x 2


def maps(*values):
    return np.float32(values).reshape(1, 2, 2)


def test_the_maximum_inside_is_a_hit_and_outside_a_miss():
    assert pointing.hits(maps(5, 1, 1, 1), REGION)[0] == 1
    assert pointing.hits(maps(1, 5, 1, 1), REGION)[0] == 0
    assert pointing.hits(maps(1, -5, 0, 0), REGION)[0] == 1  # -5 speaks against it


def test_tied_maxima_score_the_expected_hit():
    assert pointing.hits(maps(5, 5, 1, 1), REGION)[0] == 0.5
    assert pointing.hits(maps(0, 0, 0, 0), REGION)[0] == pointing.chance(REGION)[0]


def test_energy_is_the_share_of_the_positive_part_inside():
    assert pointing.energy(maps(3, 1, -9, 0), REGION)[0] == 0.75


def test_a_flat_map_has_the_energy_of_chance():
    both = np.concatenate([REGION, ~REGION])
    assert pointing.chance(both).tolist() == [0.25, 0.75]
    assert pointing.energy(maps(2, 2, 2, 2), REGION)[0] == 0.25


def test_random_maps_have_the_energy_of_chance_on_average():
    rng = np.random.default_rng(0)
    many = rng.random((4000, 8, 8)).astype(np.float32)
    regions = np.repeat(REGION, 4000, axis=0)
    assert pointing.energy(many, regions).mean() == pytest.approx(0.25, abs=0.005)
    assert pointing.hits(many, regions).mean() == pytest.approx(0.25, abs=0.03)


def test_without_positive_evidence_there_is_no_share():
    assert np.isnan(pointing.energy(maps(-1, 0, -2, 0), REGION)[0])


def test_a_map_that_is_not_finite_has_neither():
    for value in (np.nan, np.inf, -np.inf):
        for broken in (maps(value, 1, 1, 1), maps(1, value, 1, 1)):
            assert np.isnan(pointing.energy(broken, REGION)[0])
            assert np.isnan(pointing.hits(broken, REGION)[0])


def test_a_region_that_cuts_a_cell_gets_the_pixels_inside():
    region = np.zeros((1, 8, 8), bool)
    region[0, :4, :2] = True  # half of the first cell
    assert pointing.energy(maps(1, 0, 0, 0), region)[0] == 0.5

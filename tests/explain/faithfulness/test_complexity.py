import numpy as np
import pytest

from tessera.explain.faithfulness import complexity

ONE = np.zeros((1, 8, 8), np.float32)
ONE[0, 3, 4] = 5
FLAT = np.ones((1, 8, 8), np.float32)


def test_one_bright_cell_is_the_simplest_map():
    assert complexity.entropy(ONE)[0] == 0
    assert complexity.gini(ONE)[0] == pytest.approx(1 - 1 / 64)
    assert complexity.bright(ONE)[0] == 1 / 64


def test_a_flat_map_is_the_most_complex():
    assert complexity.entropy(FLAT)[0] == pytest.approx(1)
    assert complexity.gini(FLAT)[0] == pytest.approx(0)
    assert complexity.bright(FLAT)[0] == 1


def test_k_equal_cells_have_the_entropy_of_log_k():
    raw = np.zeros((1, 4, 4), np.float32)
    raw[0, 0] = 3
    assert complexity.entropy(raw)[0] == pytest.approx(np.log(4) / np.log(16))
    assert complexity.gini(raw)[0] == pytest.approx(1 - 4 / 16)


def test_cells_count_as_bright_above_half_of_their_own_maps_maximum():
    maps = np.float32([[[4, 2], [1, 0]], [[5, 5], [5, 5]]])
    assert complexity.bright(maps).tolist() == [1 / 4, 1]
    # The first map's brightest cell has 4 of 7 shares, the second's 1 of 4.
    assert complexity.bright(maps[::-1]).tolist() == [1, 1 / 4]


def test_gini_is_the_mean_difference_over_twice_the_mean():
    values = np.random.default_rng(0).random(16)
    pairs = np.abs(values[:, None] - values[None]).mean()
    raw = values.reshape(1, 4, 4).astype(np.float32)
    assert complexity.gini(raw)[0] == pytest.approx(pairs / (2 * values.mean()))


def test_strength_and_evidence_against_do_not_matter():
    raw = np.random.default_rng(0).normal(size=(1, 4, 4)).astype(np.float32)
    scaled = np.where(raw > 0, 7 * raw, 3 * raw)
    for measure in (complexity.entropy, complexity.gini, complexity.bright):
        assert measure(raw)[0] == pytest.approx(measure(scaled)[0])


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_a_blank_map_has_no_complexity(value):
    raw = np.full((1, 4, 4), value, np.float32)
    for measure in (complexity.entropy, complexity.gini, complexity.bright):
        assert np.isnan(measure(raw)[0])


def test_a_map_that_is_not_finite_has_none_and_the_others_keep_theirs():
    broken = ONE.copy()
    broken[0, 0, 0] = np.inf
    for measure in (complexity.entropy, complexity.gini, complexity.bright):
        found = measure(np.concatenate([ONE, broken, FLAT]))
        assert np.isnan(found[1])
        assert found[[0, 2]].tolist() == [measure(ONE)[0], measure(FLAT)[0]]

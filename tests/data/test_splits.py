"""A stratified split is a partition, by class, and a pure function of its arguments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.data import splits

LABELS = st.lists(st.integers(0, 5), max_size=60).map(
    lambda values: np.array(values, dtype=np.int32)
)
FRACTIONS = st.floats(0.01, 0.99)


@given(LABELS, FRACTIONS, st.integers(0, 2**32))
def test_kept_and_held_are_ascending_disjoint_and_together_all(
    labels, fraction, seed
) -> None:
    kept, held = splits.stratified(labels, fraction, seed=seed)
    assert np.all(np.diff(kept) > 0) and np.all(np.diff(held) > 0)
    assert sorted([*kept, *held]) == list(range(len(labels)))


@given(LABELS, FRACTIONS)
def test_every_class_with_two_images_is_on_both_sides(labels, fraction) -> None:
    kept, held = splits.stratified(labels, fraction, seed=0)
    for label in np.unique(labels):
        several = np.sum(labels == label) >= 2
        assert np.any(labels[kept] == label)
        assert np.any(labels[held] == label) == several


def test_the_studys_profile_gives_34200_training_and_3800_validation_images() -> None:
    sizes = [5000, 5000, 5000, 1000, 1000, 1000, 5000, 5000, 5000, 5000]
    labels = np.repeat(np.arange(10, dtype=np.int32), sizes)
    kept, held = splits.stratified(labels, 0.1, seed=0)
    assert (len(kept), len(held)) == (34_200, 3_800)
    assert np.bincount(labels[held]).tolist() == [n // 10 for n in sizes]


@pytest.mark.parametrize(
    ("count", "held"),
    [(0, 0), (1, 0), (2, 1), (4, 1), (14, 1), (16, 2), (15, 2), (25, 2), (35, 4)],
)
def test_a_tenth_is_rounded_to_the_nearest_whole_halves_to_even(count, held) -> None:
    assert splits.held_count(count, 0.1) == held


def test_all_but_one_are_held_at_most() -> None:
    assert splits.held_count(3, 0.99) == 2


def test_the_same_seed_holds_the_same_images_and_another_seed_others() -> None:
    labels = np.zeros(100, dtype=np.int32)
    first, again, other = (
        splits.stratified(labels, 0.3, seed=seed)[1] for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_another_classs_images_do_not_change_which_images_are_held() -> None:
    alone = np.zeros(20, dtype=np.int32)
    together = np.concatenate([alone, np.ones(7, dtype=np.int32)])
    held = splits.stratified(together, 0.3, seed=1)[1]
    np.testing.assert_array_equal(
        held[held < 20], splits.stratified(alone, 0.3, seed=1)[1]
    )


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1])
def test_a_fraction_that_leaves_a_side_empty_is_refused(fraction) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        splits.stratified(np.zeros(4, dtype=np.int32), fraction, seed=0)


@given(LABELS, st.integers(2, 5))
def test_folds_spread_every_class_evenly_and_differ_by_one_image_at_most(
    labels, count
) -> None:
    labels = np.repeat(labels, count)  # so that no class is too small
    if not len(labels):
        return
    tested = splits.folds(labels, count, seed=0)
    sizes = np.bincount(tested, minlength=count)
    assert len(sizes) == count and np.ptp(sizes) <= 1
    for label in np.unique(labels):
        within = np.bincount(tested[labels == label], minlength=count)
        assert np.ptp(within) <= 1


def test_the_same_seed_makes_the_same_folds_and_another_seed_others() -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), 20)
    first, again, other = (splits.folds(labels, 5, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_folds_have_nothing_to_do_with_the_order_of_the_files() -> None:
    tested = splits.folds(np.zeros(100, np.int32), 5, seed=0)
    assert not np.array_equal(np.sort(tested), tested)
    assert len(set(tested[:20])) > 1 and len(set(tested[::5])) > 1


def test_more_folds_than_a_class_has_images_are_refused() -> None:
    labels = np.array([0, 0, 0, 1, 1], np.int32)
    with pytest.raises(ValueError, match=r"at most 2.*Received: 3"):
        splits.folds(labels, 3, seed=0)

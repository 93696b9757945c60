"""A stratified split is a partition, by class, and a pure function of its arguments."""

import numpy as np
import pytest
from hypothesis import example, given
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


@pytest.mark.parametrize("size", [1, 2])
def test_more_folds_than_a_class_has_images_are_refused(size) -> None:
    labels = np.repeat(np.array([0, 2], np.int32), [4, size])
    said = rf"at most {size}, the images of the smallest.*Received: {size + 1}"
    with pytest.raises(ValueError, match=said):
        splits.folds(labels, size + 1, seed=0)


GROUPED = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 8), st.booleans()),
    min_size=1,
    max_size=25,
)
"""Groups: a class, a number of images, and whether some are of class 4."""


def grouped(groups: list[tuple[int, int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and groups of the images."""
    labels, names = [], []
    for number, (label, size, mixed) in enumerate(groups):
        labels += [label] * size + [4] * mixed
        names += [f"g{number}"] * (size + mixed)
    return np.array(labels, np.int32), np.array(names)


@given(GROUPED, FRACTIONS, st.integers(0, 2**32))
def test_no_group_is_on_both_sides_and_no_class_is_only_held(
    groups, fraction, seed
) -> None:
    labels, names = grouped(groups)
    kept, held = splits.stratified(labels, fraction, seed=seed, groups=names)
    assert sorted([*kept, *held]) == list(range(len(labels)))
    assert not set(names[kept]) & set(names[held])
    assert set(labels[kept]) == set(labels)


@given(GROUPED, FRACTIONS)
def test_every_class_with_two_groups_of_its_own_is_on_both_sides(
    groups, fraction
) -> None:
    labels, names = grouped([(label, size, False) for label, size, _ in groups])
    _, held = splits.stratified(labels, fraction, seed=0, groups=names)
    for label in np.unique(labels):
        several = len(set(names[labels == label])) >= 2
        assert np.any(labels[held] == label) == several


@given(LABELS.filter(len), FRACTIONS)
@example(np.zeros(5, np.int32), 0.5)
def test_of_groups_of_one_image_as_many_are_held_as_of_single_images(
    labels, fraction
) -> None:
    alone = [str(n) for n in range(len(labels))]
    _, held = splits.stratified(labels, fraction, seed=0, groups=alone)
    assert np.bincount(labels[held], minlength=6).tolist() == [
        splits.held_count(int(n), fraction) for n in np.bincount(labels, minlength=6)
    ]


def test_of_small_groups_the_share_is_met() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int32), [100, 40])
    pairs = [str(n // 2) for n in range(140)]
    _, held = splits.stratified(labels, 0.2, seed=3, groups=pairs)
    assert np.bincount(labels[held]).tolist() == [20, 8]
    # With 4 a class is no farther from a tenth of 30 than with 2.
    _, held = splits.stratified(labels[:30], 0.1, seed=3, groups=pairs[:30])
    assert len(held) == 4


def images(*groups: dict[int, int]) -> tuple[np.ndarray, list[str]]:
    """Labels and groups of images: how many each group has of each class."""
    rows = [
        (label, f"g{number}")
        for number, sizes in enumerate(groups)
        for label, size in sizes.items()
        for _ in range(size)
    ]
    return np.array([label for label, _ in rows], np.int32), [name for _, name in rows]


@pytest.mark.parametrize("seed", range(6))
def test_where_every_group_is_too_large_the_smallest_is_held(seed) -> None:
    # A tenth of the 36 images would be 4.
    labels, names = images({0: 12}, {0: 10}, {0: 14})
    _, held = splits.stratified(labels, 0.1, seed=seed, groups=names)
    assert {names[at] for at in held} == {"g1"}
    # Its image of another class counts there: 1 and 1 of the 21, of which 2 are held.
    singles = [{1: 1} for _ in range(19)]
    labels, names = images({0: 10, 1: 1}, {0: 12, 1: 1}, *singles)
    _, held = splits.stratified(labels, 0.1, seed=seed, groups=names)
    assert np.bincount(labels[held]).tolist() == [10, 2]


@pytest.mark.parametrize("seed", range(6))
def test_the_class_of_the_fewest_groups_is_the_first_to_be_held(seed) -> None:
    # Either of its groups brings 5 of the 50 others, a tenth, and no more are held.
    labels, names = images(*[{1: 2, 0: 5}] * 2, *[{0: 1}] * 40)
    _, held = splits.stratified(labels, 0.1, seed=seed, groups=names)
    assert np.bincount(labels[held]).tolist() == [5, 2]


@pytest.mark.parametrize("seed", range(6))
def test_folds_take_the_largest_groups_first_and_count_all_their_images(seed) -> None:
    labels, names = images({0: 4}, *[{0: 1}] * 4)
    tested = splits.folds(labels, 2, seed=seed, groups=names)
    assert np.bincount(tested).tolist() == [4, 4]
    # Those of class 0 bring two of class 1 each; the others even them out.
    labels, names = images({0: 2, 1: 2}, {0: 2, 1: 2}, {1: 2}, {1: 2})
    tested = splits.folds(labels, 2, seed=seed, groups=names)
    for label, size in ((0, 2), (1, 4)):
        assert np.bincount(tested[labels == label]).tolist() == [size, size]


def test_a_group_that_would_overshoot_by_more_than_is_missing_is_not_held() -> None:
    labels = np.zeros(20, np.int32)
    groups = ["large"] * 11 + [f"small {n}" for n in range(9)]
    for seed in range(20):
        _, held = splits.stratified(labels, 0.25, seed=seed, groups=groups)
        assert len(held) == 5


@given(GROUPED, st.integers(2, 4))
def test_folds_part_no_group_and_test_every_class_of_whole_groups(
    groups, count
) -> None:
    whole = [(label, size, False) for label, size, _ in groups] * count
    labels, names = grouped(whole)
    tested = splits.folds(labels, count, seed=0, groups=names)
    for name in set(names):
        assert len(set(tested[names == name])) == 1
    for label in np.unique(labels):
        sizes = np.bincount(tested[labels == label], minlength=count)
        largest = max(size for of, size, _ in whole if of == label)
        assert sizes.min() > 0 and np.ptp(sizes) <= largest


def test_folds_of_single_images_are_as_even_as_those_without_groups() -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), [50, 16, 3])
    tested = splits.folds(labels, 3, seed=0, groups=[str(n) for n in range(69)])
    for label in range(3):
        assert np.ptp(np.bincount(tested[labels == label], minlength=3)) <= 1
    assert np.bincount(tested).tolist() == [23, 23, 23]


def test_more_folds_than_a_class_has_groups_are_refused() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1], np.int32)
    with pytest.raises(ValueError, match=r"at most 2, the groups.*Received: 3"):
        splits.folds(labels, 3, seed=0, groups=list("abcdde"))


def test_what_can_be_dealt_of_a_class_is_its_images_or_their_groups() -> None:
    labels = np.array([0, 0, 0, 2], np.int32)
    assert splits.units(labels, None, 4).tolist() == [3, 0, 1, 0]
    assert splits.units(labels, list("aabb"), 4).tolist() == [2, 0, 1, 0]
    assert splits.units(labels[:0], [], 2).tolist() == [0, 0]


LOCKED = ["1", "2", "2", "3", "4", "4"]
"""Classes 0, 1 and 2 of two groups each: where 2 and 4 stay together, 2 is parted from
none, which must not happen, for 1 and 4 can be held as well as 2 and 3."""


@pytest.mark.parametrize("seed", range(30))
def test_no_class_is_missing_where_another_order_of_groups_has_all(seed) -> None:
    labels = np.array([0, 0, 2, 1, 1, 2], np.int32)
    kept, held = splits.stratified(labels, 0.2, seed=seed, groups=LOCKED)
    assert set(labels[kept]) == set(labels[held]) == {0, 1, 2}
    tested = splits.folds(labels, 2, seed=seed, groups=LOCKED)
    assert set(labels[tested == 0]) == set(labels[tested == 1]) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(10))
def test_folds_look_further_where_the_largest_first_leave_a_class_out(seed) -> None:
    # The largest of classes 0 and 1 first, both groups with class 2 meet in one fold.
    labels, names = images({0: 4}, {0: 1, 2: 1}, {1: 1}, {1: 2, 2: 1})
    tested = splits.folds(labels, 2, seed=seed, groups=names)
    assert set(labels[tested == 0]) == set(labels[tested == 1]) == {0, 1, 2}


def test_where_no_division_has_every_class_as_few_as_can_be_are_missing() -> None:
    labels = np.array([0, 1, 1, 2, 2, 0], np.int32)
    triangle = list("aabbcc")
    kept, held = splits.stratified(labels, 0.2, seed=0, groups=triangle)
    assert set(labels[kept]) == {0, 1, 2} and len(set(labels[held])) == 2
    # Classes 3, 4 and 5 can have all, by some orders of their groups.
    locked = np.array([3, 3, 5, 4, 4, 5], np.int32)
    both = np.concatenate([labels, locked])
    for seed in range(20):
        _, held = splits.stratified(both, 0.2, seed=seed, groups=triangle + LOCKED)
        assert len(set(both[held])) == 5


def test_small_groups_are_held_little_more_often_than_large_ones() -> None:
    sizes = np.random.default_rng(0).integers(1, 21, 100)
    names = np.repeat([str(n) for n in range(100)], sizes)
    labels = np.zeros(len(names), np.int32)
    times = np.zeros(100)
    for seed in range(100):
        _, held = splits.stratified(labels, 0.2, seed=seed, groups=names)
        times[np.unique(names[held]).astype(int)] += 1
        assert abs(len(held) - 0.2 * len(labels)) <= 10
    small, large = times[sizes <= 5].mean(), times[sizes > 15].mean()
    assert 17 < large < small < 25

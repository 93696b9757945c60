"""Profiles keep the published counts, the reference's images, and nested subsets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.experiment import (
    Balanced,
    Exponential,
    Fractions,
    Natural,
    Reduced,
    Step,
)
from tessera.imbalance import profiles

NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
CIFAR = np.full(10, 5000)
LABELS = np.random.default_rng(0).permutation(
    np.repeat(np.arange(10, dtype=np.int32), 50)
)


@pytest.mark.parametrize(
    ("factor", "published"),
    [
        (10, [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]),
        (50, [5000, 3237, 2096, 1357, 878, 568, 368, 238, 154, 100]),
        (100, [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]),
        (200, [5000, 2775, 1540, 854, 474, 263, 146, 81, 45, 25]),
    ],
)
def test_exponential_counts_are_the_published_ones(factor, published) -> None:
    kept = profiles.counts(Exponential(factor=factor), CIFAR, NAMES)
    assert kept.tolist() == published


@pytest.mark.parametrize(
    ("factor", "small", "total"),
    [(10, 500, 27_500), (50, 100, 25_500), (100, 50, 25_250)],
)
def test_step_counts_are_the_published_ones(factor, small, total) -> None:
    kept = profiles.counts(Step(factor=factor), CIFAR, NAMES)
    assert kept.tolist() == [5000] * 5 + [small] * 5
    assert kept.sum() == total


@pytest.mark.parametrize("size", [49, 1470, 4900])
def test_a_step_loses_no_image_to_rounding(size) -> None:
    # In floating point 49 x (1 / 49) is below 1.
    kept = profiles.counts(Step(factor=49), np.full(2, size), ("a", "b"))
    assert kept.tolist() == [size, size // 49]


def test_the_middle_of_an_odd_number_of_classes_is_in_the_steps_minority() -> None:
    kept = profiles.counts(Step(factor=10), np.full(3, 100), ("a", "b", "c"))
    assert kept.tolist() == [100, 10, 10]


def test_a_curve_is_lowered_until_no_class_runs_out() -> None:
    kept = profiles.counts(Step(factor=10), np.array([1000, 20]), ("a", "b"))
    assert kept.tolist() == [200, 20]


@given(
    st.lists(st.integers(1, 10**9), min_size=2, max_size=12),
    st.sampled_from([Exponential, Step]),
    st.floats(1.0, 1000.0),
)
def test_no_curve_takes_more_images_than_there_are(sizes, curve, factor) -> None:
    available = np.array(sizes) * 1000
    names = tuple(map(str, range(len(sizes))))
    kept = profiles.counts(curve(factor=factor), available, names)
    assert np.all(kept <= available)


def test_the_studys_profile_keeps_38000_images() -> None:
    kept = profiles.counts(Reduced(), CIFAR, NAMES)
    assert kept.tolist() == [5000] * 3 + [1000] * 3 + [5000] * 4
    assert kept.sum() == 38_000


def test_classes_may_be_given_by_name() -> None:
    by_name = Reduced(classes=("cat", "deer", "dog"))
    np.testing.assert_array_equal(
        profiles.counts(by_name, CIFAR, NAMES),
        profiles.counts(Reduced(classes=(3, 4, 5)), CIFAR, NAMES),
    )


def test_fractions_are_rounded_to_the_nearest_whole_image() -> None:
    # int(0.29 * 100) would be 28: 0.29 * 100 is 28.999999999999996.
    profile = Fractions(fractions={"cat": 0.29, "1": 0.5})
    kept = profiles.counts(profile, np.array([100, 9]), ("cat", "dog"))
    assert kept.tolist() == [29, 4]


def test_balanced_cuts_every_class_to_the_smallest() -> None:
    kept = profiles.counts(Balanced(), np.array([7, 3, 5]), ("a", "b", "c"))
    assert kept.tolist() == [3, 3, 3]


def test_natural_keeps_everything() -> None:
    available = np.array([7, 3])
    assert profiles.counts(Natural(), available, ("a", "b")).tolist() == [7, 3]
    np.testing.assert_array_equal(
        profiles.select(Natural(), LABELS, NAMES, seed=0), np.arange(500)
    )


@pytest.mark.parametrize("wrong", ["kat", 10, -1, "10"])
def test_an_unknown_class_is_an_error_that_lists_the_classes(wrong) -> None:
    with pytest.raises(profiles.ProfileError, match=r"0 airplane.*9 truck") as error:
        profiles.counts(Reduced(classes=(wrong,)), CIFAR, NAMES)
    assert repr(wrong) in str(error.value)


def test_a_class_given_twice_is_an_error() -> None:
    with pytest.raises(profiles.ProfileError, match="3 cat"):
        profiles.counts(Fractions(fractions={"3": 0.1, "cat": 0.5}), CIFAR, NAMES)


def test_the_first_class_may_be_given_by_its_number() -> None:
    kept = profiles.counts(Fractions(fractions={"0": 0.1}), CIFAR, NAMES)
    assert kept.tolist() == [500] + [5000] * 9


def test_a_name_wins_over_the_number_it_looks_like() -> None:
    digits = ("1", "0")
    kept = profiles.counts(Fractions(fractions={"1": 0.5}), np.array([8, 6]), digits)
    assert kept.tolist() == [4, 6]


@pytest.mark.parametrize("profile", [Exponential(factor=1000.0), Step(factor=1000.0)])
def test_a_class_cut_to_nothing_is_an_error_that_names_it(profile) -> None:
    with pytest.raises(profiles.ProfileError, match=r"b \(of 100\)"):
        profiles.counts(profile, np.full(2, 100), ("a", "b"))
    with pytest.raises(profiles.ProfileError, match=r'of: "b, late" \(of 100\)'):
        profiles.counts(profile, np.full(2, 100), ("a", "b, late"))


def test_a_class_that_the_data_lack_is_an_error_that_names_it() -> None:
    with pytest.raises(profiles.ProfileError, match=r"truck \(of 0\)"):
        profiles.select(Natural(), LABELS[LABELS < 9], NAMES, seed=0)


PROFILES = st.one_of(
    st.just(Natural()),
    st.just(Balanced()),
    st.builds(Reduced, fraction=st.floats(0.1, 1.0)),
    st.builds(Exponential, factor=st.floats(1.0, 40.0)),
    st.builds(Step, factor=st.floats(1.0, 40.0)),
)


@given(PROFILES, st.integers(0, 2**32), st.sampled_from(["seeded", "reference"]))
def test_a_selection_is_ascending_and_has_the_profiles_counts(
    profile, seed, selection
) -> None:
    profile = profile.model_copy(update={"selection": selection})
    chosen = profiles.select(profile, LABELS, NAMES, seed=seed)
    assert np.all(np.diff(chosen) > 0)
    np.testing.assert_array_equal(
        np.bincount(LABELS[chosen], minlength=10),
        profiles.counts(profile, np.full(10, 50), NAMES),
    )


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0), st.integers(0, 1000))
def test_a_smaller_selection_is_part_of_a_larger_one(one, other, seed) -> None:
    small, large = (
        set(profiles.select(Reduced(fraction=f), LABELS, NAMES, seed=seed).tolist())
        for f in sorted((one, other))
    )
    assert small <= large


def test_every_seed_selects_other_images_of_the_reduced_classes() -> None:
    first, second = (
        profiles.select(Reduced(), LABELS, NAMES, seed=seed) for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "profile", [Exponential(factor=10), Step(factor=50), Reduced()]
)
def test_the_reference_selection_is_the_published_protocols(profile) -> None:
    # Restated from the protocol's description: the global legacy generator is seeded
    # with 0; for each class in ascending order, the positions of the class are shuffled
    # in place, and the first n_c of them are taken.
    wanted = profiles.counts(profile, np.bincount(LABELS), NAMES)
    state = np.random.get_state()
    try:
        np.random.seed(0)
        taken = []
        for label in np.unique(LABELS):
            where = np.where(LABELS.astype(np.int64) == label)[0]
            np.random.shuffle(where)
            taken.extend(where[: wanted[label]].tolist())
    finally:
        np.random.set_state(state)
    reference = profile.model_copy(update={"selection": "reference"})
    chosen = profiles.select(reference, LABELS, NAMES, seed=123)
    assert chosen.tolist() == sorted(taken)


def test_selecting_leaves_numpys_global_generator_alone() -> None:
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    profiles.select(Reduced(selection="reference"), LABELS, NAMES, seed=0)
    assert np.random.random() == expected


def test_the_studys_reduced_classes_are_cat_deer_and_dog() -> None:
    kept = profiles.counts(Reduced(), CIFAR, NAMES)
    assert profiles.reduced_classes(kept, CIFAR) == (3, 4, 5)


def test_differences_that_the_data_came_with_do_not_count_as_reduced() -> None:
    digits = np.array([142, 146, 142, 146, 145, 146, 145, 143, 139, 144])
    assert profiles.reduced_classes(digits, digits) == ()
    levelled = profiles.counts(Balanced(), digits, NAMES)
    assert profiles.reduced_classes(levelled, digits) == ()
    kept = profiles.counts(Reduced(), digits, NAMES)
    assert profiles.reduced_classes(kept, digits) == (3, 4, 5)


@pytest.mark.parametrize(
    ("kept", "available", "reduced"),
    [
        ([89, 100], [100, 100], (0,)),  # under 0.9 of the share
        ([90, 100], [100, 100], ()),
        ([44, 50], [100, 100], (0,)),  # of the best share, which is a half
        ([46, 50], [100, 100], ()),
        ([49, 100], [49, 100], (0,)),  # under half of the most common, by nature
        ([50, 100], [50, 100], ()),
        ([100, 100], [100, 1000], ()),  # cut, but as many as any
    ],
)
def test_who_counts_as_reduced(kept, available, reduced) -> None:
    found = profiles.reduced_classes(np.array(kept), np.array(available))
    assert found == reduced


def test_imbalance_factor_by_hand() -> None:
    assert profiles.imbalance_factor(np.array([10, 30, 60])) == 6.0
    assert profiles.imbalance_factor(CIFAR) == 1.0

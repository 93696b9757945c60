"""Which images a run trains on and which it validates on, on a dataset made by hand."""

import numpy as np
import pytest

from tessera import beforehand, selection
from tessera.data.dataset import Dataset, Split
from tessera.data.digits import load
from tessera.experiment import (
    Balanced,
    Digits,
    Experiment,
    Exponential,
    Natural,
    Profile,
    Reduced,
    Regime,
    Run,
)
from tessera.imbalance.profiles import ProfileError
from tessera.phrases import listed

REDUCED = Reduced(classes=(3, 4, 5), fraction=0.2)


def run(seed: int = 0) -> Run:
    regimes = (Regime(name="reduced", profile=REDUCED),)
    return Experiment(data=Digits(), regimes=regimes, seeds=(seed,)).runs()[0]


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load(16)


def test_training_and_validation_images_are_disjoint_and_all_that_is_kept(
    digits: Dataset,
) -> None:
    chosen = selection.choose(run(), digits)
    assert not set(chosen.train) & set(chosen.held)
    labels = digits.train.labels[np.r_[chosen.train, chosen.held]]
    counts, available = np.bincount(labels), np.bincount(digits.train.labels)
    np.testing.assert_array_equal(
        np.delete(counts, (3, 4, 5)), np.delete(available, (3, 4, 5))
    )
    np.testing.assert_allclose(counts[3:6], 0.2 * available[3:6], atol=1)


def test_validation_images_are_those_at_the_held_positions(digits: Dataset) -> None:
    chosen = selection.choose(run(), digits)
    expected = digits.train.images[chosen.held]
    np.testing.assert_array_equal(chosen.validation.images, expected)


def test_a_validation_set_of_the_datasets_own_is_kept_whole(digits: Dataset) -> None:
    own = Split(digits.test.images[:20], digits.test.labels[:20])
    with_own = Dataset(**{**vars(digits), "validation": own})
    chosen = selection.choose(run(), with_own)
    assert chosen.validation is own
    np.testing.assert_array_equal(chosen.held, np.arange(20))


@pytest.mark.parametrize("own", [False, True])
def test_each_seed_keeps_and_holds_other_images(digits: Dataset, own: bool) -> None:
    held = Split(digits.test.images[:20], digits.test.labels[:20]) if own else None
    data = Dataset(**{**vars(digits), "validation": held})
    first, second = (selection.choose(run(seed), data) for seed in (0, 1))

    def those(found: selection.Chosen, *, reduced: bool) -> set[int]:
        used = found.train
        return set(used[np.isin(data.train.labels[used], (3, 4, 5)) == reduced])

    assert those(first, reduced=True) != those(second, reduced=True)
    # Of the other classes all are kept, and what is held of them differs.
    same = those(first, reduced=False) == those(second, reduced=False)
    assert same == own


def test_no_group_is_both_trained_and_validated_on(digits: Dataset) -> None:
    groups = tuple(str(n // 7) for n in range(len(digits.train)))
    train = Split(digits.train.images, digits.train.labels, groups=groups)
    chosen = selection.choose(run(), Dataset(**{**vars(digits), "train": train}))
    inner, outer = ({groups[at] for at in part} for part in (chosen.train, chosen.held))
    assert outer and not inner & outer


def test_groups_of_which_none_can_be_held_are_refused(digits: Dataset) -> None:
    groups = ("all",) * len(digits.train)
    train = Split(digits.train.images, digits.train.labels, groups=groups)
    with pytest.raises(ProfileError, match="two groups of images of at least one"):
        selection.choose(run(), Dataset(**{**vars(digits), "train": train}))


def two_films_of_nines(digits: Dataset) -> Dataset:
    """Every image alone, but of the nines, which are of two groups."""
    groups = tuple(
        f"film {n % 2}" if label == 9 else str(n)
        for n, label in enumerate(digits.train.labels)
    )
    train = Split(digits.train.images, digits.train.labels, groups=groups)
    return Dataset(**{**vars(digits), "train": train})


def few_nines(seeds: tuple[int, ...]) -> Experiment:
    """Two regimes that keep the same three of them, and one that keeps all."""
    few = Reduced(classes=(9,), fraction=0.02)
    profiles = {"few": few, "alike": few, "all": Natural()}
    regimes = tuple(Regime(name=n, profile=p) for n, p in profiles.items())
    return Experiment(data=Digits(), regimes=regimes, seeds=seeds)


def test_seeds_that_leave_one_group_of_a_class_are_told_before_the_training(
    digits: Dataset,
) -> None:
    dataset, experiment = two_films_of_nines(digits), few_nines(tuple(range(12)))
    without = [
        str(one.seed)
        for one in experiment.runs()
        if (one.model.label, one.regime.name) == ("cnn", "few")
        and selection.choose(one, dataset).validation.counts(10)[9] == 0
    ]
    assert 0 < len(without) < 12
    (told,) = selection.all_unvalidated(experiment, dataset)
    assert told.startswith(
        f"few, alike: No validation images of: 9 (seeds {listed(without)}); "
        "profiles draw single images, and what they keep of a class may be of one group"
    )
    assert told.endswith("or choose regimes that keep more of it.")


def test_a_class_of_which_a_profile_keeps_one_image_is_told_before_the_training(
    digits: Dataset,
) -> None:
    # A hundredth of 144 nines is one image, of which none can be held; so of eights.
    regimes = tuple(
        Regime(name=name, profile=Reduced(classes=(k,), fraction=0.01))
        for name, k in (("one", 9), ("other", 8))
    )
    experiment = Experiment(data=Digits(), regimes=regimes, seeds=(0, 1))
    told, more = selection.all_unvalidated(experiment, digits)
    assert told.startswith("one: No validation images of: 9 (seeds 0 and 1); of such a")
    assert more.startswith("other: No validation images of: 8 (seeds 0 and 1); of such")
    chosen = selection.choose(experiment.runs()[0], digits)
    assert (chosen.counts[9], chosen.validation.counts(10)[9]) == (1, 0)


def test_a_class_that_has_one_image_alone_is_not_told_as_the_profiles_doing(
    digits: Dataset,
) -> None:
    labels = digits.train.labels
    kept = np.r_[np.flatnonzero(labels != 9), np.flatnonzero(labels == 9)[:1]]
    train = Split(digits.train.images[kept], labels[kept])
    single = Dataset(**{**vars(digits), "train": train})
    every = Experiment(data=Digits(), regimes=(Regime(name="all", profile=Natural()),))
    assert list(selection.all_unvalidated(every, single)) == []


def test_where_every_class_is_validated_with_nothing_is_told(digits: Dataset) -> None:
    experiment, dataset = few_nines((0, 1, 2)), two_films_of_nines(digits)
    own = Split(digits.test.images, digits.test.labels)
    with_own = Dataset(**{**vars(dataset), "validation": own})
    assert list(selection.all_unvalidated(experiment, with_own)) == []
    assert list(selection.all_unvalidated(experiment, digits)) == []
    (regime,) = (r for r in experiment.regimes if r.name == "all")
    every = experiment.model_copy(update={"regimes": (regime,)})
    assert list(selection.all_unvalidated(every, dataset)) == []


def test_a_profile_that_leaves_one_group_of_each_class_is_refused_with_its_regime(
    digits: Dataset,
) -> None:
    groups = tuple(str(label) for label in digits.train.labels)
    train = Split(digits.train.images, digits.train.labels, groups=groups)
    dataset = Dataset(**{**vars(digits), "train": train})
    refusal = "^regime few, alike: .* each class; profiles draw single images"
    with pytest.raises(ProfileError, match=refusal):
        beforehand.notes(few_nines((0,)), dataset)


def test_counts_are_those_that_the_optimiser_sees(digits: Dataset) -> None:
    chosen = selection.choose(run(), digits)
    counts = chosen.counts
    assert counts.sum() == len(chosen.train)
    assert counts[3] == np.sum(digits.train.labels[chosen.train] == 3)


@pytest.mark.parametrize(("held", "share"), [(False, 0.1), (False, 0.35), (True, 0.1)])
@pytest.mark.parametrize(
    "profile", [REDUCED, Natural(), Balanced(), Exponential(factor=30.0)]
)
def test_planned_counts_are_those_that_are_chosen(
    digits: Dataset, profile: Profile, held: bool, share: float
) -> None:
    own = Split(digits.test.images[:20], digits.test.labels[:20]) if held else None
    data = Dataset(**{**vars(digits), "validation": own})
    asked = Digits(validation=share)
    one = Experiment(data=asked, regimes=(Regime(name="r", profile=profile),)).runs()
    chosen = selection.choose(one[0], data)
    train, outer = selection.planned(profile, one[0].data.validation, data)
    assert train.tolist() == chosen.counts.tolist()
    assert outer.tolist() == chosen.validation.counts(10).tolist()


def test_reduced_classes_are_those_that_the_profile_made_rare(digits: Dataset) -> None:
    assert selection.reduced_classes(run(), digits) == (3, 4, 5)
    # Also of few images less, which the common classes keep.
    mild = Regime(name="mild", profile=Reduced(classes=(2,), fraction=0.8))
    asked = run().model_copy(update={"regime": mild})
    assert selection.reduced_classes(asked, digits) == (2,)


def test_images_of_which_none_can_be_held_are_refused(digits: Dataset) -> None:
    first = np.array([np.flatnonzero(digits.train.labels == k)[0] for k in range(10)])
    single = Split(digits.train.images[first], digits.train.labels[first])
    natural = run().model_copy(update={"regime": Regime(name="all", profile=Natural())})
    data = Dataset(**{**vars(digits), "train": single})
    with pytest.raises(ProfileError, match="two images of at least one class"):
        selection.choose(natural, data)
    with pytest.raises(ProfileError, match="two images of at least one class"):
        selection.planned(Natural(), 0.1, data)


def test_the_classes_without_a_second_image_are_named() -> None:
    kept, available = np.array([1, 1, 1]), np.array([16, 1, 8])
    with pytest.raises(ProfileError, match=r"no second training image of: dog\. Add"):
        selection.require_two(kept, available, ("cat", "dog", "owl"))
    selection.require_two(np.array([2, 1, 1]), available, ("cat", "dog", "owl"))

"""What no test image can answer is refused before any training."""

import numpy as np
import pytest

from tessera import selection, study, tested
from tessera.data.dataset import Dataset, Split, assemble
from tessera.experiment import Experiment, Exponential, Natural, Profile, Reduced
from tessera.imbalance.profiles import ProfileError

NAMES = ("cat", "dog", "owl, grey", "frog")


def dataset(train: tuple[int, ...], test: tuple[int, ...]) -> Dataset:
    """Blank images, so many of each class."""

    def split(counts: tuple[int, ...]) -> Split:
        labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
        return Split(np.zeros((len(labels), 4, 4, 1), np.uint8), labels)

    return assemble("Pets", NAMES, train=split(train), test=split(test))


@pytest.mark.parametrize(
    ("profile", "test", "missing"),
    [
        (Reduced(classes=(2,)), (5, 5, 0, 5), '"owl, grey"'),
        (Reduced(classes=(0, 3)), (0, 5, 5, 0), "cat, frog"),
        (Reduced(classes=(0, 1, 2)), (5, 5, 5, 0), "frog"),
        # 200, 43, 9 and 2: the last two are the tail; the second is rare as well.
        (Exponential(factor=100), (5, 5, 0, 0), '"owl, grey", frog'),
    ],
)
def test_classes_of_which_no_mean_can_be_taken_are_refused_by_name(
    profile: Profile, test: tuple[int, ...], missing: str
) -> None:
    data = dataset((200,) * 4, test)
    counts, _ = selection.planned(profile, 0.1, data)
    with pytest.raises(ProfileError, match=f"at least one of {missing}, whose mean"):
        tested.check(profile, counts, data)


@pytest.mark.parametrize(
    ("profile", "test"),
    [
        (Natural(), (5, 0, 5, 5)),
        (Reduced(classes=(2, 3)), (5, 0, 5, 0)),
        (Exponential(factor=100), (5, 5, 0, 5)),
    ],
)
def test_one_tested_class_of_every_side_is_enough(
    profile: Profile, test: tuple[int, ...]
) -> None:
    data = dataset((200,) * 4, test)
    counts, _ = selection.planned(profile, 0.1, data)
    tested.check(profile, counts, data)


def test_a_study_of_them_is_refused_with_its_regime() -> None:
    with pytest.raises(ProfileError, match="regime imbalanced: test: expected images"):
        study.adapted(Experiment(), dataset((200,) * 4, (5, 5, 5, 0)))

"""Whether the test images of a dataset can answer what a study compares.

Image folders hold every class in every split; a `Dataset` made by a program need not.
"""

from collections.abc import Iterator

from tessera.arrays import Counts
from tessera.data.dataset import Dataset
from tessera.evaluation.groups import groups
from tessera.experiment import Profile
from tessera.imbalance import profiles
from tessera.phrases import in_row


def check(profile: Profile, counts: Counts, dataset: Dataset) -> None:
    """Refuse a profile of which some score would be a mean over no class.

    Args:
        profile: Of a regime.
        counts: Images per class that its runs train on, int64 [K].
        dataset: The data.

    Raises:
        ProfileError: No test image of any reduced class, of any other, or of a group.
    """
    names = dataset.class_names
    available = dataset.train.counts(len(names))
    reduced = profiles.reduced_classes(
        profiles.counts(profile, available, names), available
    )
    tested = dataset.test.counts(len(names))
    for members in _compared(counts, reduced):
        if not tested[list(members)].any():
            raise profiles.ProfileError(
                "test: expected images of at least one of "
                f"{in_row(names[k] for k in members)}, whose mean recall is a score. "
                "Received none. Add test images, or choose a profile that keeps other "
                "classes rare."
            )


def _compared(counts: Counts, reduced: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Sets of classes whose means stand in a study, none of them empty."""
    others = tuple(k for k in range(len(counts)) if k not in reduced)
    sides = (reduced, others) if reduced else ()
    parted = groups(counts.tolist())
    parts = (parted.head, parted.middle, parted.tail) if parted else ()
    return filter(None, (*sides, *parts))

"""A run and its dataset -> which images it trains on, and which it validates on."""

from dataclasses import dataclass

import numpy as np

from tessera.arrays import Counts, Indices, Labels
from tessera.data import splits
from tessera.data.dataset import Dataset, Split
from tessera.experiment import Profile, Run
from tessera.imbalance import profiles
from tessera.phrases import in_row


@dataclass(frozen=True, eq=False)
class Chosen:
    """Which of the dataset's images a run uses, and for what."""

    train: Indices
    """Positions in the dataset's training images."""
    validation: Split
    held: Indices
    """Positions of the validation images in the split that they come from."""
    counts: Counts
    """Images per class that the optimiser sees, int64 [K]."""


def choose(run: Run, dataset: Dataset) -> Chosen:
    """Make the imbalance, then cut the validation set from what is left.

    A dataset that brings a validation set of its own keeps it.

    Raises:
        ProfileError: It does not fit the data, or leaves none to validate with.
    """
    labels, classes = dataset.train.labels, len(dataset.class_names)
    kept = profiles.select(
        run.regime.profile, labels, dataset.class_names, seed=run.seed
    )
    if dataset.validation is not None:
        own = dataset.validation
        return Chosen(kept, own, np.arange(len(own)), _counts(labels[kept], classes))
    require_two(
        _counts(labels[kept], classes),
        dataset.train.counts(classes),
        dataset.class_names,
    )
    groups = dataset.train.groups
    inner, outer = splits.stratified(
        labels[kept],
        run.data.validation,
        seed=run.seed,
        groups=None if groups is None else [groups[at] for at in kept],
    )
    train, held = kept[inner], kept[outer]
    if not len(held):
        raise profiles.ProfileError(
            "validation: expected two groups of images of at least one class, to learn "
            "from one and to validate with the other. Received one of each class. Add "
            "images, or a folder val/, or choose regimes that keep more."
        )
    validation = Split(dataset.train.images[held], labels[held])
    return Chosen(train, validation, held, _counts(labels[train], classes))


def _counts(labels: Labels, classes: int) -> Counts:
    return np.bincount(labels, minlength=classes).astype(np.int64)


def planned(
    profile: Profile, validation: float, dataset: Dataset
) -> tuple[Counts, Counts]:
    """Images per class that `choose` will train and validate on, without choosing.

    Of images in groups it holds whole ones, so about as many.

    Args:
        profile: Of the regime.
        validation: Share that is held of data without a validation set.
        dataset: The data.

    Returns:
        Both int64 [K].

    Raises:
        ProfileError: See `choose`.
    """
    names = dataset.class_names
    available = dataset.train.counts(len(names))
    kept = profiles.counts(profile, available, names)
    if dataset.validation is not None:
        return kept, dataset.validation.counts(len(names))
    require_two(kept, available, names)
    held = np.array([splits.held_count(int(n), validation) for n in kept], np.int64)
    return kept - held, held


def require_two(kept: Counts, available: Counts, names: tuple[str, ...]) -> None:
    """Refuse images of which none can be held: a class of one has none to spare.

    Args:
        kept: Images per class, of which the validation set is to be cut.
        available: Images per class before the profile.
        names: Of the classes.

    Raises:
        ProfileError: No class has two.
    """
    if kept.max() < 2:
        single = in_row(names[k] for k in np.flatnonzero(available == 1))
        because = (
            f", for there is no second training image of: {single}" if single else ""
        )
        raise profiles.ProfileError(
            "validation: expected two images of at least one class, to learn from one "
            f"and to validate with the other. Received one of each class{because}. Add "
            "images, or a folder val/, or choose regimes that keep more."
        )


def reduced_classes(run: Run, dataset: Dataset) -> tuple[int, ...]:
    """The classes that this run's profile made rare."""
    available = dataset.train.counts(len(dataset.class_names))
    kept = profiles.counts(run.regime.profile, available, dataset.class_names)
    return profiles.reduced_classes(kept, available)

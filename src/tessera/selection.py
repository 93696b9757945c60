"""A run and its dataset -> which images it trains on, and which it validates on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tessera.arrays import Counts, Indices, Labels
from tessera.data import splits
from tessera.data.dataset import Dataset, Split
from tessera.experiment import Experiment, Profile, Regime, Run
from tessera.imbalance import profiles
from tessera.phrases import NAMED, first, in_list, in_row, listed

DRAWN = "profiles draw single images, and what they keep of a class may be of one group"
"""Why a class of several groups may have none for validating."""

SINGLE = "of such a class the profile keeps one image, which is learned from"
"""Why a class of several images may have none."""


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
    if dataset.validation is not None:
        own = dataset.validation
        kept = profiles.select(
            run.regime.profile, labels, dataset.class_names, seed=run.seed
        )
        return Chosen(kept, own, np.arange(len(own)), _counts(labels[kept], classes))
    train, held = _divided(run.regime.profile, run.data.validation, dataset, run.seed)
    validation = Split(dataset.train.images[held], labels[held])
    return Chosen(train, validation, held, _counts(labels[train], classes))


def _divided(
    profile: Profile, validation: float, dataset: Dataset, seed: int
) -> tuple[Indices, Indices]:
    """Positions of the training images that a profile keeps, and that are held of them.

    Raises:
        ProfileError: See `choose`.
    """
    labels, names = dataset.train.labels, dataset.class_names
    kept = profiles.select(profile, labels, names, seed=seed)
    require_two(
        _counts(labels[kept], len(names)), dataset.train.counts(len(names)), names
    )
    groups = dataset.train.groups
    inner, outer = splits.stratified(
        labels[kept],
        validation,
        seed=seed,
        groups=None if groups is None else [groups[at] for at in kept],
    )
    if not len(outer):
        raise profiles.ProfileError(
            "validation: expected two groups of images of at least one class, to learn "
            "from one and to validate with the other. Received one of each class; "
            f"{DRAWN}. Add images, or a folder val/, or choose regimes that keep more."
        )
    return kept[inner], kept[outer]


def unvalidated(dataset: Dataset, held: Mapping[int, Counts]) -> tuple[str, ...]:
    """Classes of which a profile leaves nothing to validate with, in a sentence.

    Those of which there is one image or group alone are told with the data.

    Args:
        dataset: The data.
        held: Images per class that are validated with, int64 [K], by the run's seed.
    """
    train, names = dataset.train, dataset.class_names
    if dataset.validation is not None:
        return ()
    several = splits.units(train.labels, train.groups, len(names)) > 1
    missing: dict[str, list[str]] = {}
    for seed, counts in held.items():
        for k in np.flatnonzero(several & (counts == 0)):
            missing.setdefault(names[k], []).append(str(seed))
    if not missing:
        return ()
    classes = [
        f"{in_list(name)} (seed{'s' * (len(of) > 1)} {listed(of)})"
        for name, of in missing.items()
    ]
    why, what = f"{DRAWN}, which is not parted", "groups"
    if train.groups is None:
        why, what = SINGLE, "images"
    return (
        f"No validation images of: {first(classes, NAMED)}; {why}. The epoch, and what "
        f"a remedy chooses, is decided without such a class: add {what} of it, or a "
        "folder val/, or choose regimes that keep more of it.",
    )


def all_unvalidated(experiment: Experiment, dataset: Dataset) -> Iterator[str]:
    """What `unvalidated` says of each profile, behind the names of its regimes.

    Raises:
        ProfileError: See `choose`.
    """
    if dataset.validation is not None:
        return
    alike: dict[str, list[Regime]] = {}
    for regime in experiment.regimes:
        alike.setdefault(regime.profile.model_dump_json(), []).append(regime)
    for regimes in alike.values():
        names = ", ".join(regime.name for regime in regimes)
        try:
            held = _held(experiment, regimes[0].profile, dataset)
        except profiles.ProfileError as error:
            raise profiles.ProfileError(f"regime {names}: {error}") from error
        for sentence in unvalidated(dataset, held):
            yield f"{names}: {sentence}"


def _held(
    experiment: Experiment, profile: Profile, dataset: Dataset
) -> dict[int, Counts]:
    """Images per class that each seed validates on; of single ones all alike."""
    share, seeds = experiment.data.validation, experiment.seeds
    if dataset.train.groups is None:
        return dict.fromkeys(seeds, planned(profile, share, dataset)[1])
    labels, classes = dataset.train.labels, len(dataset.class_names)
    return {
        seed: _counts(labels[_divided(profile, share, dataset, seed)[1]], classes)
        for seed in seeds
    }


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

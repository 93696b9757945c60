"""An image folder into everything worth knowing before training on it."""

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Counts, Indices
from tessera.data import grouped, leaks, safety, splits
from tessera.data.decoded import Decoded
from tessera.data.divided import Divided
from tessera.data.scan import Refused
from tessera.experiment import VALIDATION
from tessera.phrases import NAMED, first, in_list
from tessera.results import FEW

Group: TypeAlias = tuple[str, ...]
"""Paths of files whose decoded pixels are equal."""


FOLDS = 5
"""As many as are usual: each model learns from four fifths of the images."""

FEWEST_HELD = 2
"""Of one validation image a class is found wholly or not at all, epoch by epoch."""


@dataclass(frozen=True)
class Sizes:
    """Widths and heights of the pictures as stored, in pixels."""

    smallest: tuple[int, int]
    """By area."""
    median: tuple[int, int]
    """Of the widths, and of the heights."""
    largest: tuple[int, int]
    distinct: int
    """How many different sizes there are."""


@dataclass(frozen=True)
class Grouped:
    """The groups that images belong to."""

    count: int
    """Those of images that stand alone left out."""
    alone: int
    """Images that do."""
    largest: int
    """Images of the largest group."""


@dataclass(frozen=True)
class Inspection:
    """What an image folder holds."""

    folder: str
    class_names: tuple[str, ...]
    """In the order of the labels."""
    counts: dict[str, tuple[int, ...]]
    """Readable images per class, for train, test and, where there is one, val."""
    test_is_cut: bool
    """The folder has no `test/`: the test images are cut from the others."""
    imbalance_factor: float | None
    """Largest / smallest class of the training images; None where one is empty."""
    groups: Grouped | None
    """None where no rule says what belongs together."""
    sizes: Sizes | None
    """None where no file is readable."""
    image_size: int
    """To which pictures were resized before they were compared."""
    across_splits: tuple[Group, ...]
    """Equal images in more than one split."""
    nearly_across: tuple[Group, ...]
    """A test image and one of another split that is nearly the same."""
    contradictory: tuple[Group, ...]
    """Equal images with more than one label."""
    within_split: tuple[Group, ...]
    """Equal images in one split."""
    unreadable: tuple[Refused, ...]
    stray: tuple[str, ...]
    """Files that are left alone: outside class folders, and lists beside images."""
    problems: tuple[str, ...]
    """What makes training unsafe."""
    warnings: tuple[str, ...]

    @property
    def safe(self) -> bool:
        """Whether nothing in the images speaks against training."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"safe": self.safe}


def inspect(found: Divided) -> Inspection:
    """Look at every file of an image folder, as training would.

    What was decoded for it is cached, so that training starts at once.
    """
    listing, pixels, parts = found.listing, found.pixels, found.parts
    twins = leaks.find_twins(pixels, parts)
    counts = {
        split: _counts(pixels, at, classes=len(listing.class_names))
        for split, at in parts.items()
    }
    problems = safety.problems(listing, pixels, parts, twins)
    warnings = safety.warnings(listing, pixels, parts, twins)
    return Inspection(
        folder=str(listing.place),
        class_names=listing.class_names,
        counts=counts,
        test_is_cut="test" not in listing.classes,
        imbalance_factor=_imbalance(counts["train"]),
        groups=_grouped(pixels),
        sizes=_sizes(pixels.sizes),
        image_size=found.data.image_size,
        across_splits=_paths(pixels, twins.across),
        nearly_across=_paths(pixels, twins.near),
        contradictory=_paths(pixels, twins.contradictory),
        within_split=_paths(pixels, twins.within),
        unreadable=pixels.refused,
        stray=listing.stray,
        problems=problems,
        warnings=(
            *(text for text in warnings if text not in problems),
            *_few_to_test(found),
            *_few_to_validate(listing.class_names, counts),
        ),
    )


def _counts(pixels: Decoded, positions: Indices, *, classes: int) -> tuple[int, ...]:
    labels = pixels.labels[positions]
    known = labels[labels >= 0]
    return tuple(np.bincount(known, minlength=classes).tolist())


def _few_to_test(found: Divided) -> Iterable[str]:
    """Classes with test images, but too few, or groups, to be drawn from themselves."""
    listing, pixels, parts = found.listing, found.pixels, found.parts
    units = grouped.units(listing, pixels, parts["test"])
    tested = zip(listing.class_names, units, strict=True)
    few = [f"{in_list(n)} ({c})" for n, c in tested if 0 < c < FEW]
    if few:
        of = "groups of test images" if _grouped(pixels) else "test images"
        cut = "test" not in listing.classes
        rule, whole = found.data.groups, np.concatenate([parts["train"], parts["test"]])
        yield (
            f"fewer than {FEW} {of} of: {first(few, NAMED)}. Scores that average over "
            f"classes get no interval."
            f"{_folds(grouped.units(listing, pixels, whole), rule) if cut else ''}"
        )


def _folds(dealt: Counts, rule: str | None) -> str:
    """The way to test every image, if no class has too few for it."""
    smallest = int(dealt.min())
    if smallest < 2:
        return ""
    options = ["--folds", str(min(smallest, FOLDS))]
    options += ["--groups", rule] if rule else []
    return f" `tessera study {shlex.join(options)}` tests every image."


def _few_to_validate(
    names: tuple[str, ...], counts: dict[str, tuple[int, ...]]
) -> Iterable[str]:
    """Classes with two training images or more, of which too few are held."""
    share = "" if "val" in counts else f", with a share of {VALIDATION:g},"
    held = counts.get("val") or [
        splits.held_count(count, VALIDATION) for count in counts["train"]
    ]
    few = [
        f"{in_list(n)} ({c})"
        for n, c in zip(names, held, strict=True)
        if 0 < c < FEWEST_HELD
    ]
    if few:
        yield (
            f"fewer than {FEWEST_HELD} validation images{share} of: "
            f"{first(few, NAMED)}. They choose the epoch; a class of one is found "
            "wholly or not at all."
        )


def _grouped(pixels: Decoded) -> Grouped | None:
    counts = Counter(file.group for file in pixels.files)
    alone = counts.pop("", 0)
    return Grouped(len(counts), alone, max(counts.values())) if counts else None


def _imbalance(counts: tuple[int, ...]) -> float | None:
    return max(counts) / min(counts) if min(counts) else None


def _sizes(sizes: NDArray[np.int32]) -> Sizes | None:
    if len(sizes) == 0:
        return None
    area = sizes.prod(axis=1, dtype=np.int64)
    return Sizes(
        smallest=_pair(sizes[area.argmin()]),
        median=_pair(np.median(sizes, axis=0)),
        largest=_pair(sizes[area.argmax()]),
        distinct=len(np.unique(sizes, axis=0)),
    )


def _pair(size: NDArray[Any]) -> tuple[int, int]:
    return int(size[0]), int(size[1])


def _paths(pixels: Decoded, groups: Iterable[Indices]) -> tuple[Group, ...]:
    return tuple(tuple(pixels.files[at].path for at in group) for group in groups)

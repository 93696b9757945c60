"""Test images that a model may know: copies, near copies, parted folders and groups."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images, Indices
from tessera.data import cache, grouped, near, splits
from tessera.data.decoded import Decoded
from tessera.data.scan import Listing
from tessera.grouping import BY_FOLDER
from tessera.phrases import first, plural

VERSION = 1
"""Raised whenever what counts as a copy changes, so that no cache knows old ones."""

Parts: TypeAlias = dict[str, Indices]
"""Positions of each split's images, by the split's name."""


@dataclass(frozen=True)
class Twins:
    """Groups of positions whose decoded pixels are equal; a group may be in several."""

    across: tuple[Indices, ...]
    """In more than one split."""
    contradictory: tuple[Indices, ...]
    """With more than one label."""
    within: tuple[Indices, ...]
    """Twice or more in one split."""
    near: tuple[Indices, ...]
    """A test image and another that is nearly the same, see `near`."""


def find_twins(pixels: Decoded, parts: Parts) -> Twins:
    """Images that are equal after decoding and resizing, as a model would see them.

    They are looked for once, for that takes seconds where images are many.
    """
    divided = {name: positions.tolist() for name, positions in parts.items()}
    key = cache.key("twins", VERSION, pixels.key, pixels.labels.tolist(), divided)
    known = cache.find(key)
    if known is not None:
        groups = known.facts.items()
        return Twins(**{kind: tuple(map(np.array, found)) for kind, found in groups})
    twins = _look_for_twins(pixels, parts)
    kinds = vars(twins).items()
    cache.store(key, {}, {kind: [at.tolist() for at in found] for kind, found in kinds})
    return twins


def _look_for_twins(pixels: Decoded, parts: Parts) -> Twins:
    split = np.full(len(pixels.labels), -1)
    for number, positions in enumerate(parts.values()):
        split[positions] = number
    groups = _equal(pixels.images)
    return Twins(
        across=tuple(g for g in groups if len(np.unique(split[g])) > 1),
        contradictory=tuple(g for g in groups if len(np.unique(pixels.labels[g])) > 1),
        within=tuple(g for g in groups if len(np.unique(split[g])) < len(g)),
        near=_near(pixels, parts, groups),
    )


def _near(
    pixels: Decoded, parts: Parts, groups: Sequence[Indices]
) -> tuple[Indices, ...]:
    """Test images with a near copy among the others, where they have no exact one."""
    others = np.concatenate([at for name, at in parts.items() if name != "test"])
    if not len(others):
        return ()
    group_of = {int(at): number for number, g in enumerate(groups) for at in g}
    return tuple(
        np.array([test, other])
        for test, other in near.pairs(pixels.images, parts["test"], others)
        if test not in group_of or group_of[test] != group_of.get(other)
    )


def _equal(images: Images) -> list[Indices]:
    """Positions of equal images, by SHA-256, for every image that is not alone."""
    seen: dict[bytes, list[int]] = {}
    for position, image in enumerate(images):
        seen.setdefault(hashlib.sha256(image.tobytes()).digest(), []).append(position)
    return [np.array(group) for group in seen.values() if len(group) > 1]


def equal(
    pixels: Decoded, parts: Parts, twins: Twins, *, least: float
) -> Iterable[str]:
    """Test images whose pixels are those of others."""
    test = set(parts["test"].tolist())
    leaked = sum(len(test.intersection(group.tolist())) for group in twins.across)
    if leaked > least * len(test):
        group = next(g for g in twins.across if test & set(g.tolist()))
        example = pair(pixels, group, np.isin(group, parts["test"]))
        yield (
            f"{leaked} of {len(test)} test images are also training or validation "
            f"images, such as {example}. Scores would flatter; remove the copies."
        )


def nearly_equal(pixels: Decoded, parts: Parts, twins: Twins) -> Iterable[str]:
    """Test images that are nearly others."""
    if twins.near:
        test, other = (pixels.files[at].path for at in twins.near[0])
        yield (
            f"{len(twins.near)} of {len(parts['test'])} test images are nearly the "
            f"same as training or validation images, such as {test} and {other}. "
            "Where both show one picture, scores would flatter; remove the copies."
        )


def parted_folders(listing: Listing, pixels: Decoded, parts: Parts) -> Iterable[str]:
    """Folders within classes that a test set was cut through."""
    if "test" in listing.classes or grouped.are_grouped(pixels.files):
        return
    sides = [_inner_folders(listing, pixels, parts[n]) for n in ("train", "test")]
    parted = sorted(set.intersection(*sides))
    if parted and not (listing.source and _hold_a_class(pixels)):
        yield (
            f"images of {plural(len(parted), 'folder')}"
            f"{'' if listing.source else ' within classes'} are on both sides of the "
            f"cut test set: {first(parted)}. Where such a folder shows one thing (an "
            "animal, a patient, a film), a model may know it again, and scores would "
            f"flatter: `--groups {BY_FOLDER}` parts none."
        )


def _inner_folders(listing: Listing, pixels: Decoded, positions: Indices) -> set[str]:
    """The folders of images that do not lie in a class's own."""
    files = [pixels.files[at] for at in positions]
    return {
        str(PurePosixPath(file.path).parent)
        for file in files
        if grouped.inner_folders(listing, file)
    }


def _hold_a_class(pixels: Decoded) -> bool:
    """Whether some class lies in one folder, as where all images of a list do."""
    folders = [str(PurePosixPath(file.path).parent) for file in pixels.files]
    return bool((splits.units(pixels.labels.clip(0), folders) < 2).any())


def parted_groups(pixels: Decoded, parts: Parts, *, least: float) -> Iterable[str]:
    """Groups of test images that are trained or validated on."""
    others = np.concatenate([at for name, at in parts.items() if name != "test"])
    tested = parts["test"]
    parted = _known_groups(pixels, tested, others)
    if len(parted) > least * len(tested):
        # A test set that was cut parts no group of what it was cut from.
        own = all(pixels.files[at].split == "test" for at in tested)
        yield (
            f"{len(parted)} of {len(tested)} test images are of groups that are "
            f"trained or validated on too: {_names(parted)}. Scores would flatter; "
            f"{_to_one_side('the test set' if own else 'val/')}."
        )


def known_to_validation(pixels: Decoded, parts: Parts) -> Iterable[str]:
    """Groups of validation images that are trained on.

    As with copies of them, training is possible: no reported score is theirs.
    """
    if "val" not in parts:
        return
    parted = _known_groups(pixels, parts["val"], parts["train"])
    if len(parted):
        yield (
            f"{len(parted)} of {len(parts['val'])} validation images are of groups "
            f"that are trained on too: {_names(parted)}. Their scores flatter, and "
            "choose the epoch, the strength of a remedy and the calibration; "
            f"{_to_one_side('val/')}."
        )


def _known_groups(pixels: Decoded, positions: Indices, others: Indices) -> list[str]:
    """The groups of those images of which others are too, image by image."""
    known = {pixels.files[at].group for at in others} - {""}
    groups = (pixels.files[at].group for at in positions)
    return [group for group in groups if group in known]


def _names(groups: Iterable[str]) -> str:
    return first(sorted(set(groups)))


def _to_one_side(split: str) -> str:
    return (
        f"move each group to one side, or leave {split} out, so that it is cut without "
        "parting any"
    )


def pair(pixels: Decoded, group: Indices, kinds: NDArray[Any]) -> str:
    """A group's first file and its first of another kind."""
    other = group[kinds != kinds[0]][0]
    return f"{pixels.files[group[0]].path} = {pixels.files[other].path}"

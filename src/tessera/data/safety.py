"""Decoded data into what makes training on it unsafe, in plain words."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Images, Indices
from tessera.data import near
from tessera.data.decoded import Decoded
from tessera.data.entries import shown
from tessera.data.scan import SPLIT_NAMES, Listing
from tessera.phrases import plural

VERSION = 6
"""Raised whenever a check changes, so that no cache vouches for the old ones."""

TOLERATED = 0.01
"""Share of files, or of images, above which a fault makes the data unsafe."""

NAMED = 3
"""Files of a kind that a sentence names."""

IMAGE_FILES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
"""Suffixes by which images are known in places where no file is opened."""

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
    """Images that are equal after decoding and resizing, as a model would see them."""
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


def problems(
    listing: Listing, pixels: Decoded, parts: Parts, twins: Twins | None = None
) -> tuple[str, ...]:
    """Everything that makes training unsafe; empty when nothing does."""
    twins = twins or find_twins(pixels, parts)
    return (
        *_unknown_classes(listing),
        *_alike_classes(listing),
        *_empty_classes(listing, pixels, parts),
        *_none_to_validate_with(pixels, parts),
        *_unreadable(listing, pixels, least=TOLERATED),
        *_leak(pixels, parts, twins, least=TOLERATED),
        *_contradiction(pixels, twins, least=TOLERATED),
    )


def warnings(
    listing: Listing, pixels: Decoded, parts: Parts, twins: Twins | None = None
) -> tuple[str, ...]:
    """What a user should know although training is possible."""
    twins = twins or find_twins(pixels, parts)
    return (
        *left_alone(listing),
        *_unreadable(listing, pixels, least=0.0),
        *_small_classes(listing, pixels, parts),
        *_parted_folders(listing, pixels, parts),
        *_leak(pixels, parts, twins, least=0.0),
        *_near_leak(pixels, parts, twins),
        *_contradiction(pixels, twins, least=0.0),
    )


def _unknown_classes(listing: Listing) -> Iterable[str]:
    for split, names in listing.classes.items():
        unknown = sorted(set(names) - set(listing.class_names))
        if unknown:
            yield (
                f"{split} has classes that train does not have: {', '.join(unknown)}. "
                f"Rename, move or remove them; train has: "
                f"{', '.join(listing.class_names)}."
            )


def _alike_classes(listing: Listing) -> Iterable[str]:
    """Names that another file system, or a reader, would take for one."""
    alike: dict[str, list[str]] = {}
    for name in listing.class_names:
        alike.setdefault(unicodedata.normalize("NFKC", name).casefold(), []).append(
            name
        )
    for names in alike.values():
        if len(names) > 1:
            yield (
                f"classes whose names differ only in case or spelling of letters: "
                f"{', '.join(names)}. Put their images into one folder, or rename them."
            )


def _empty_classes(listing: Listing, pixels: Decoded, parts: Parts) -> Iterable[str]:
    for split, positions in parts.items():
        present = set(pixels.labels[positions].tolist())
        missing = [n for k, n in enumerate(listing.class_names) if k not in present]
        if missing and (present or split != "val"):
            yield (
                f"{split} has no readable image of: {', '.join(missing)}. Every class "
                "needs one to learn from, one to be measured on and, where there is "
                "val/, one to validate with."
            )


def _none_to_validate_with(pixels: Decoded, parts: Parts) -> Iterable[str]:
    """A class of one image has none to spare; a `val/` must hold one."""
    if "val" in parts:
        if not len(parts["val"]):
            yield "val has no readable image. Put images into it, or remove it."
    elif np.bincount(pixels.labels[parts["train"]].clip(0), minlength=1).max() < 2:
        yield (
            "no class has two training images, one to learn from and one to validate "
            "with. Add images, or a folder val/."
        )


def _unreadable(listing: Listing, pixels: Decoded, *, least: float) -> Iterable[str]:
    total, refused = len(listing.files) + len(listing.refused), pixels.refused
    if len(refused) > least * total:
        named = _first([f"{one.path} ({one.reason})" for one in refused])
        yield (
            f"{len(refused)} of {total} files cannot be used: {named}. Repair or "
            "remove them."
        )


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def left_alone(listing: Listing) -> tuple[str, ...]:
    """What looks like images and is in no split: folders beside them, loose files."""
    return (*_folders_aside(listing), *_loose_images(listing))


def _folders_aside(listing: Listing) -> Iterable[str]:
    for name in listing.stray:
        if name.endswith("/") and _holds_images(listing.root / name):
            flat = name[:-1].lower() in SPLIT_NAMES
            why = "has no folder per class" if flat else "is no train/, test/ or val/"
            yield (
                f"{shown(name)} holds images that are not used: it {why}. Rename, sort "
                "or move it."
            )


def _holds_images(folder: Path) -> bool:
    return any(
        name.lower().endswith(IMAGE_FILES)
        for _, _, names in os.walk(folder)
        for name in names
    )


def _loose_images(listing: Listing) -> Iterable[str]:
    loose = [name for name in listing.stray if name.lower().endswith(IMAGE_FILES)]
    if loose:
        yield (
            f"Images outside the folders of classes are not used: {_first(loose)}. "
            "Move them into one."
        )


def _leak(
    pixels: Decoded, parts: Parts, twins: Twins, *, least: float
) -> Iterable[str]:
    test = set(parts["test"].tolist())
    leaked = sum(len(test.intersection(group.tolist())) for group in twins.across)
    if leaked > least * len(test):
        group = next(g for g in twins.across if test & set(g.tolist()))
        example = _pair(pixels, group, np.isin(group, parts["test"]))
        yield (
            f"{leaked} of {len(test)} test images are also training or validation "
            f"images, such as {example}. Scores would flatter; remove the copies."
        )


def _near_leak(pixels: Decoded, parts: Parts, twins: Twins) -> Iterable[str]:
    if twins.near:
        test, other = (pixels.files[at].path for at in twins.near[0])
        yield (
            f"{len(twins.near)} of {len(parts['test'])} test images are nearly the "
            f"same as training or validation images, such as {test} and {other}. "
            "Where both show one picture, scores would flatter; remove the copies."
        )


def _contradiction(pixels: Decoded, twins: Twins, *, least: float) -> Iterable[str]:
    images = sum(len(group) for group in twins.contradictory)
    if images > least * len(pixels.labels):
        group = twins.contradictory[0]
        example = _pair(pixels, group, pixels.labels[group])
        yield (
            f"{images} of {len(pixels.labels)} images carry more than one label, such "
            f"as {example}. Keep each under one class."
        )


def _small_classes(listing: Listing, pixels: Decoded, parts: Parts) -> Iterable[str]:
    counts = np.bincount(
        pixels.labels[parts["train"]].clip(0), minlength=len(listing.class_names)
    )
    single = [listing.class_names[k] for k in np.flatnonzero(counts == 1)]
    if single and "val" not in parts:
        yield f"only one training image of: {', '.join(single)}; none to validate with."


def _parted_folders(listing: Listing, pixels: Decoded, parts: Parts) -> Iterable[str]:
    """Folders within classes that a test set was cut through."""
    if "test" in listing.classes:
        return
    sides = [_inner_folders(pixels, parts[name]) for name in ("train", "test")]
    parted = sorted(set.intersection(*sides))
    if parted:
        yield (
            f"images of {plural(len(parted), 'folder')} within classes are on both "
            f"sides of the cut test set: {_first(parted)}. Where such a folder shows "
            "one thing (an animal, a patient, a film), a model may know it again, and "
            "scores would flatter: divide the images into train/ and test/ yourself."
        )


def _inner_folders(pixels: Decoded, positions: Indices) -> set[str]:
    """The folders of images that do not lie in a class's own."""
    found = set()
    for file in (pixels.files[at] for at in positions):
        place = PurePosixPath(file.path).parent
        depth = 1 if file.split == "all" else 2  # of a class's folder
        if len(place.parts) > depth:
            found.add(str(place))
    return found


def _pair(pixels: Decoded, group: Indices, kinds: NDArray[Any]) -> str:
    """A group's first file and its first of another kind."""
    other = group[kinds != kinds[0]][0]
    return f"{pixels.files[group[0]].path} = {pixels.files[other].path}"

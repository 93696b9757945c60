"""Decoded data into what makes training on it unsafe, in plain words."""

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tessera.data import grouped, leaks
from tessera.data.decoded import Decoded
from tessera.data.entries import IMAGE_FILES, shown
from tessera.data.leaks import Parts, Twins
from tessera.data.scan import SPLIT_NAMES, Listing
from tessera.phrases import first, first_classes, in_row

VERSION = 10
"""Raised whenever a check changes, so that no cache vouches for the old ones."""

TOLERATED = 0.01
"""Share of files, or of images, above which a fault makes the data unsafe."""


def problems(
    listing: Listing, pixels: Decoded, parts: Parts, twins: Twins
) -> tuple[str, ...]:
    """Everything that makes training unsafe; empty when nothing does."""
    return (
        *_unknown_classes(listing),
        *_alike_classes(listing),
        *_empty_classes(listing, pixels, parts),
        *_none_to_validate_with(listing, pixels, parts),
        *_unreadable(listing, pixels, least=TOLERATED),
        *leaks.equal(pixels, parts, twins, least=TOLERATED),
        *leaks.parted_groups(pixels, parts, least=TOLERATED),
        *_contradiction(pixels, twins, least=TOLERATED),
    )


def warnings(
    listing: Listing, pixels: Decoded, parts: Parts, twins: Twins
) -> tuple[str, ...]:
    """What a user should know although training is possible."""
    return (
        *left_alone(listing),
        *_unreadable(listing, pixels, least=0.0),
        *_small_classes(listing, pixels, parts),
        *leaks.parted_folders(listing, pixels, parts),
        *_ungrouped(pixels),
        *leaks.parted_groups(pixels, parts, least=0.0),
        *leaks.known_to_validation(pixels, parts),
        *leaks.equal(pixels, parts, twins, least=0.0),
        *leaks.nearly_equal(pixels, parts, twins),
        *_contradiction(pixels, twins, least=0.0),
    )


def _unknown_classes(listing: Listing) -> Iterable[str]:
    for split, names in listing.classes.items():
        unknown = sorted(set(names) - set(listing.class_names))
        if unknown:
            yield (
                f"{split} has classes that train does not have: {in_row(unknown)}. "
                f"Rename, move or remove them; train has: "
                f"{in_row(listing.class_names)}."
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
                f"{in_row(names)}. Put their images into one folder, or rename them."
            )


def _empty_classes(listing: Listing, pixels: Decoded, parts: Parts) -> Iterable[str]:
    for split, positions in parts.items():
        present = set(pixels.labels[positions].tolist())
        missing = [n for k, n in enumerate(listing.class_names) if k not in present]
        if missing and (present or split != "val"):
            yield (
                f"{split} has no readable image of: {in_row(missing)}. Every class "
                "needs one to learn from, one to be measured on and, where there is "
                "val/, one to validate with."
            )


def _none_to_validate_with(
    listing: Listing, pixels: Decoded, parts: Parts
) -> Iterable[str]:
    """A class of one image, or group, has none to spare; a `val/` must hold one."""
    if "val" in parts:
        if not len(parts["val"]):
            yield "val has no readable image. Put images into it, or remove it."
    elif grouped.units(listing, pixels, parts["train"]).max() < 2:
        several = (
            "groups of training images"
            if grouped.are_grouped(pixels.files)
            else "training images"
        )
        yield (
            f"no class has two {several}, one to learn from and one to validate "
            "with. Add images, or a folder val/."
        )


def _unreadable(listing: Listing, pixels: Decoded, *, least: float) -> Iterable[str]:
    total, refused = len(listing.files) + len(listing.refused), pixels.refused
    if len(refused) > least * total:
        named = first([f"{one.path} ({one.reason})" for one in refused])
        yield (
            f"{len(refused)} of {total} files cannot be used: {named}. Repair, "
            "convert or remove them."
        )


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
            f"Images outside the folders of classes are not used: {first(loose)}. "
            "Move them into one."
        )


def _contradiction(pixels: Decoded, twins: Twins, *, least: float) -> Iterable[str]:
    images = sum(len(group) for group in twins.contradictory)
    if images > least * len(pixels.labels):
        group = twins.contradictory[0]
        example = leaks.pair(pixels, group, pixels.labels[group])
        yield (
            f"{images} of {len(pixels.labels)} images carry more than one label, such "
            f"as {example}. Keep each under one class."
        )


def _small_classes(listing: Listing, pixels: Decoded, parts: Parts) -> Iterable[str]:
    counts = grouped.units(listing, pixels, parts["train"])
    single = [listing.class_names[k] for k in np.flatnonzero(counts == 1)]
    if single and "val" not in parts:
        one = (
            "group of training images"
            if grouped.are_grouped(pixels.files)
            else "training image"
        )
        yield f"only one {one} of: {first_classes(single)}; none to validate with."


def _ungrouped(pixels: Decoded) -> Iterable[str]:
    """Files that a rule for groups passed over, where it found any."""
    alone = [file.path for file in pixels.files if not file.group]
    if 0 < len(alone) < len(pixels.files):
        yield (
            f"{len(alone)} of {len(pixels.files)} images are of no group and stand "
            f"alone: {first(alone)}."
        )

"""Files into groups that no division may part: a patient's images, an animal's."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tessera.arrays import Counts, Indices
from tessera.columns import Columns
from tessera.data import entries, splits, table
from tessera.data.dataset import DataError
from tessera.data.decoded import Decoded
from tessera.data.scan import File, Listing, scan
from tessera.grouping import BY_FOLDER, group_of
from tessera.phrases import first, plural


def listed(root: Path, rule: str | None, columns: Columns | None = None) -> Listing:
    """The images below a folder or in a list, with their groups.

    Args:
        root: The folder, or the list, a CSV file.
        rule: See `tessera.grouping`; None: what the list says.
        columns: What the list's columns are called.

    Raises:
        DataError: As `scan` and `table.scan` say; or there is a rule, and no file is
            of a group.
    """
    if table.is_list(root):
        found = table.scan(root, columns or Columns())
    else:
        found = scan(root)
    if rule is None:
        return found
    files = tuple(
        file._replace(group=group_of(inner_folders(found, file), file.path, rule))
        for file in found.files
    )
    if not are_grouped(files):
        within = f"in folders{'' if found.source else ' within their classes'}"
        raise DataError(
            f"groups: expected images "
            f"{within if rule == BY_FOLDER else f'whose path matches {rule!r}'}. "
            f"Received none, of {plural(len(files), 'file')}: "
            f"{first([file.path for file in files])}."
        )
    return replace(found, files=files)


def inner_folders(listing: Listing, file: File) -> tuple[str, ...]:
    """The folders between its class's own and a file; all of them in a list."""
    of_class = 0 if listing.source else 1 if file.split == "all" else 2
    return tuple(file.path.split("/")[of_class:-1])


def are_grouped(files: Iterable[File]) -> bool:
    """Whether any of them is of a group."""
    return any(file.group for file in files)


def names(files: Iterable[File]) -> tuple[str, ...] | None:
    """The group of each file, of itself where it has none; None: nobody has one."""
    files = list(files)
    if not are_grouped(files):
        return None
    # A slash before the path keeps it from being the name of another's group.
    return tuple(file.group or f"/{file.path}" for file in files)


def told(
    listing: Listing, rule: str | None, columns: Columns | None = None
) -> Iterator[str]:
    """By which rule images belong together, if any do, and what that keeps whole."""
    sizes = Counter(file.group for file in listing.files if file.group)
    if sizes:
        yield (
            f"Images of one group belong together: {plural(len(sizes), 'group')}, the "
            f"largest of {plural(max(sizes.values()), 'image')}, by "
            f"{_rule(listing, rule, columns or Columns())}.{_whole(listing)}"
        )


def _whole(listing: Listing) -> str:
    """Of splits that are cut, a sentence behind others."""
    named = {"test": "for testing", "val": "for validating"}
    cut = [what for split, what in named.items() if split not in listing.classes]
    return f" What is cut {' and '.join(cut)} parts no group." if cut else ""


def _rule(listing: Listing, rule: str | None, columns: Columns) -> str:
    if rule is None:
        return f"the column {entries.shown(columns.group)} of {listing.source}"
    if rule == BY_FOLDER:
        return "folder" if listing.source else "folder within the classes"
    return f"what {entries.shown(rule)} matches in their path"


def units(listing: Listing, pixels: Decoded, positions: Indices) -> Counts:
    """What can be dealt out of each class of some images: them, or their groups."""
    known = positions[pixels.labels[positions] >= 0]
    groups = names(pixels.files)
    own = None if groups is None else [groups[at] for at in known]
    return splits.units(pixels.labels[known], own, len(listing.class_names))

"""An inspection of an image folder, printed for people or as JSON."""

import dataclasses
import json as json_format
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tessera import settings, study
from tessera.cli import errors, progress
from tessera.data import divided, folder
from tessera.data.dataset import DataError
from tessera.data.divided import Divided
from tessera.data.inspect import Inspection, inspect
from tessera.experiment import Data, Experiment, Folder
from tessera.imbalance.guards import RemedyError
from tessera.imbalance.profiles import ProfileError
from tessera.phrases import plural

SHOWN = 10
"""Lines of a long list that are printed; `--json` has them all."""

SAFE, UNSAFE, UNUSABLE = 0, 1, 2
"""Exit statuses: trainable; not to be trained on; no image folder at all."""


def data(
    folder: Path,
    overrides: Sequence[str] = (),
    *,
    json: bool = False,
    image_size: int = 32,
    groups: str | None = None,
) -> int:
    """Print what an image folder holds and whether it is safe to train on.

    Args:
        folder: `train/ test/ [val/]` with a folder per class, or a folder per class;
            or a CSV file that lists images.
        overrides: More settings, as `--set` takes them.
        json: Print everything as JSON instead of tables.
        image_size: Height and width of the experiment's images.
        groups: The rule by which images belong together.

    Returns:
        The exit status: 0 safe, 1 unsafe or refused by a study, 2 not an image folder.

    Raises:
        ExperimentError: A setting is wrong.
    """
    console, notes = Console(), Console(stderr=True)
    table = {"kind": "folder", "path": str(folder), "image_size": image_size}
    rule = {} if groups is None else {"groups": groups}
    asked = settings.read(None, overrides, data=table | rule).data
    try:
        found = _read(asked, notes)
        inspection = inspect(found)
        if inspection.safe:
            refused = _refusal(found)
            inspection = dataclasses.replace(inspection, problems=refused)
    except DataError as error:
        notes.print(_plain(f"tessera: {error}"), soft_wrap=True)
        return UNUSABLE
    if json:
        print(json_format.dumps(inspection.to_json(), indent=2))
    else:
        show(inspection, console)
    return SAFE if inspection.safe else UNSAFE


def _read(asked: Data, console: Console) -> Divided:
    if not isinstance(asked, Folder):
        raise DataError(f"data.kind: expected folder. Received: {asked.kind!r}.")
    with progress.loading(console) as report:
        return divided.read(asked, progress=report)


def _refusal(found: Divided) -> tuple[str, ...]:
    """What a study with regimes of its own choice says against the folder."""
    try:
        study.adapted(Experiment(), folder.dataset(found))
    except (ProfileError, RemedyError) as error:
        return (f"`tessera study` refuses it: {error}",)
    return ()


def show(found: Inspection, console: Console) -> None:
    """Print an inspection."""
    console.print(_plain(found.folder, "bold"), soft_wrap=True)
    console.print(_counts(found))
    console.print(*_facts(found), sep="\n", highlight=False, soft_wrap=True)
    pairs = [f"{refused.path}: {refused.reason}" for refused in found.unreadable]
    same = f"decoded pixels equal at {found.image_size} x {found.image_size}"
    _list(
        f"Same image in several splits ({same})", _joined(found.across_splits), console
    )
    _list(
        "Test images nearly the same as others", _joined(found.nearly_across), console
    )
    _list("Same image under several labels", _joined(found.contradictory), console)
    _list("Same image again in one split", _joined(found.within_split), console)
    _list("Files that cannot be used", pairs, console)
    _list("Files left alone, no images of a class", found.stray, console)
    _list("[yellow]Worth knowing[/yellow]", found.warnings, console)
    _list("[red]Not safe to train on[/red]", found.problems, console)
    if found.safe:
        console.print("[green]Safe to train on.[/green]")


def _counts(found: Inspection) -> Table:
    table = Table("Class", title="Images per class", title_justify="left")
    for split in found.counts:
        cut = split == "test" and found.test_is_cut
        table.add_column("test (cut)" if cut else split, justify="right")
    for label, name in enumerate(found.class_names):
        row = [f"{counts[label]:,}" for counts in found.counts.values()]
        table.add_row(_plain(f"{label} {name}"), *row)
    table.add_section()
    table.add_row("all", *(f"{sum(counts):,}" for counts in found.counts.values()))
    return table


def _facts(found: Inspection) -> list[str]:
    lines = []
    if found.imbalance_factor is not None:
        lines.append(
            f"Imbalance factor of train: {found.imbalance_factor:.2f} "
            "(largest class / smallest class)"
        )
    if found.groups is not None:
        lines.append(
            f"Groups: {found.groups.count:,}, the largest of "
            f"{plural(found.groups.largest, 'image')}; "
            f"{plural(found.groups.alone, 'image')} of none"
        )
    if found.sizes is not None:
        sizes = [found.sizes.smallest, found.sizes.median, found.sizes.largest]
        low, middle, high = (f"{width} x {height}" for width, height in sizes)
        lines.append(
            f"Picture sizes: {low} to {high}, median {middle}, "
            f"{found.sizes.distinct} different; brought to "
            f"{found.image_size} x {found.image_size}"
        )
    return lines


def _joined(groups: Sequence[Sequence[str]]) -> list[str]:
    return [" = ".join(group) for group in groups]


def _list(title: str, lines: Sequence[str], console: Console) -> None:
    if not lines:
        return
    console.print(f"\n[bold]{title}[/bold]: {len(lines)}", highlight=False)
    for line in lines[:SHOWN]:
        console.print(_plain(f"  {line}"), soft_wrap=True)
    if len(lines) > SHOWN:
        console.print(f"  … and {len(lines) - SHOWN} more; --json lists all.")


def _plain(text: str, style: str = "") -> Text:
    """Names of files as they are: no markup, no control characters."""
    return Text(errors.plain(text, lines=True), style)

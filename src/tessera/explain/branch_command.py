"""`tessera explain RUN --branches`: a hybrid's evidence, split by branch.

With image files: signed maps of both branches, and what each adds to the logit.
Without: what they add to each class over the test images, before and after a remedy.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tessera import files
from tessera.data import apart
from tessera.data.dataset import Dataset
from tessera.explain import (
    branch_panel,
    branches,
    command,
    methods,
    panel,
    shares,
    view,
)
from tessera.explain import trained as trainings
from tessera.explain.branches import BranchMaps
from tessera.explain.graph import ExplainError
from tessera.explain.methods import GradCam, HiResCam
from tessera.explain.shares import Change, ClassShares, Shares
from tessera.models.rebuild import Rebuilt
from tessera.record import RunFolder

TITLES = ("CNN branch", "token branch")
"""The branches of Tessera's hybrid, in the order in which they are fused."""

REFERENCE = (
    "A branch that says nothing is its mean over the validation images: parts are what "
    "it adds to that."
)
MEAN_PARTS = (
    "Mean Shapley parts of a class's own logit over its test images, in logits, less "
    f"the part's mean over the classes. {REFERENCE}"
)


def branch_images(
    run: Path,
    paths: Sequence[Path],
    *,
    method: str = "gradcam",
    target: str | None = None,
    contrast: str | None = None,
    layer: str | None = None,
    out: Path = Path("explanations"),
    console: Console | None = None,
) -> int:
    """Split image files' evidence: `out/NAME-branches.png` and `.npz` each.

    Args:
        run: A finished run's folder, of a model with two branches.
        paths: Image files; one that cannot be read is named, and the rest goes on.
        method: `gradcam` or `hirescam`, whose maps of branches add up.
        target: Class to explain, see `command.explain_images`; None: the predicted.
        contrast: Class to explain it against; None: none.
        layer: The map that both branches share; None: `features`.
        out: Folder for the results, made if absent.
        console: Where the table goes; None: standard output.

    Returns:
        Exit status: 0, or 1 where an image could not be read.

    Raises:
        ExplainError: No finished run, no two branches, no such class or method.
        DataError: The run's data cannot be read; its validation images are needed.
            Or `out` lies among images of its classes.
    """
    console = console or Console()
    chosen = linear_method(method)
    trained, decoded = command.opened(RunFolder(run), paths, target, contrast)
    require_branches(trained)
    apart.keep_from_classes(trained.class_names, out)
    if decoded.paths:
        images = np.stack(decoded.images)
        found = branches.explain(
            trained.net,
            images,
            method=chosen,
            target=command.asked(target, contrast, decoded.paths, trained.class_names),
            layer=layer or "features",
        )
        divided = split(trained, trainings.data(trained), images)
        names = command.distinct_names(decoded.paths)
        for i in command.counted(len(names), console):
            write(out, names[i], images[i], found, divided, i, trained.class_names)
        report(console, decoded.paths, names, found, divided, trained.class_names)
        console.print(Text(f"Pictures and maps: {out.resolve()}"), soft_wrap=True)
    return command.name_refused(console, decoded.refused)


def print_shares(
    run: Path, *, against: Path | None = None, console: Console | None = None
) -> tuple[Change, ...] | tuple[ClassShares, ...]:
    """Print what the branches add to each class's own logit on the test images.

    Args:
        run: A finished run's folder, of a model with two branches.
        against: Another run to compare with, such as the same with a remedy.
        console: Where the table goes; None: standard output.

    Raises:
        ExplainError: No finished run, no two branches, or other classes.
        DataError: A run's data cannot be read.
    """
    console = console or Console()
    first, trained = class_shares(RunFolder(run))
    minority = [trained.class_names[k] for k in trained.record.reduced_classes]
    if against is None:
        console.print(share_table(first, TITLES, minority))
        console.print(Text(MEAN_PARTS), soft_wrap=True)
        return first
    second, other = class_shares(RunFolder(against))
    minority += [other.class_names[k] for k in other.record.reduced_classes]
    changes = shares.compare(first, second, minority)
    console.print(change_table(changes, TITLES))
    console.print(Text(MEAN_PARTS), soft_wrap=True)
    return changes


def class_shares(folder: RunFolder) -> tuple[tuple[ClassShares, ...], Rebuilt]:
    """A run's shares on its test images, and the run."""
    trained = trainings.load(folder)
    require_branches(trained)
    dataset = trainings.data(trained)
    divided = split(trained, dataset, dataset.test.images)
    return shares.by_class(divided, dataset.test.labels, trained.class_names), trained


def require_branches(trained: Rebuilt) -> None:
    """Raise `ExplainError` for a run without two branches to be told apart."""
    if branches.FUSION not in [layer.name for layer in trained.net.layers]:
        received = f"{trained.folder.path}, a {trained.run.model.kind}"
        raise ExplainError(
            "--branches: expected a run of a hybrid, in which a CNN branch and a token "
            f"branch meet. Received: {received} without such branches. Leave "
            "--branches away for its heatmaps."
        )


def split(trained: Rebuilt, dataset: Dataset, images: NDArray[np.uint8]) -> Shares:
    """Divide the images' logits, with the validation images as the reference."""
    held = trainings.validation(trained.folder, dataset)
    return shares.split(trained.net, images, reference=held.images)


def linear_method(name: str) -> GradCam | HiResCam:
    """The method, if maps of branches add up under it.

    Raises:
        ExplainError: They do not.
    """
    method = methods.by_name(name)
    if isinstance(method, GradCam | HiResCam):
        return method
    raise ExplainError(
        "--method: expected gradcam or hirescam with --branches, for their maps are "
        f"linear in the gradient, so that branches add up. Received: {name!r}."
    )


def write(
    out: Path,
    name: str,
    image: NDArray[np.uint8],
    found: BranchMaps,
    divided: Shares,
    index: int,
    class_names: tuple[str, ...],
) -> None:
    """Write one image's picture and the arrays behind it."""
    content = picture(name, image, found, divided, index, class_names)
    panel.save(out / f"{name}-branches.png", branch_panel.draw(content))
    files.write_arrays(
        out / f"{name}-branches.npz",
        image=image,
        raw=found.raw[:, index],
        total=found.total.raw[index],
        branches=np.array(found.names),
        residual=found.residuals[index],
        parts=divided.parts[:, index],
        base=divided.base,
        kind=np.array(divided.kind),
        **view.facts(found.total, class_names, index),
    )


def picture(
    name: str,
    image: NDArray[np.uint8],
    found: BranchMaps,
    divided: Shares,
    index: int,
    class_names: tuple[str, ...],
) -> branch_panel.BranchPanel:
    """The panel of one image, in words a reader can check."""
    total = found.total
    first, second = parts_of(found, divided, index)
    height, width = total.grid
    return branch_panel.BranchPanel(
        title=f"{name}: evidence for {total.subject(index, class_names)}; "
        f"predicted {class_names[total.predicted[index]]}",
        caption=f"{total.method} at {total.layer}, {height} x {width} cells; the maps "
        f"add up to within {found.residuals[index]:.0e}. In logits, over the mean of "
        f"the validation images: {TITLES[0]} {first:+.2f}, {TITLES[1]} {second:+.2f}.",
        image=image,
        names=TITLES,
        raw=found.raw[:, index],
    )


def parts_of(found: BranchMaps, divided: Shares, index: int) -> tuple[float, float]:
    """What each branch adds to the logit explained, or to the difference of two."""
    total = found.total
    parts = divided.parts[:, index, total.targets[index]]
    if total.against is not None:
        parts = parts - divided.parts[:, index, total.against[index]]
    return float(parts[0]), float(parts[1])


def report(
    console: Console,
    paths: Sequence[Path],
    names: Sequence[str],
    found: BranchMaps,
    divided: Shares,
    class_names: tuple[str, ...],
) -> None:
    """Print the parts of each image, and the residuals."""
    both = Column("image, and its picture", overflow="fold")
    table = Table(both, "predicted", "explained", *TITLES, "blank because")
    total = found.total
    for i, (path, name) in enumerate(zip(paths, names, strict=True)):
        numbers = [f"{part:+.3f}" for part in parts_of(found, divided, i)]
        table.add_row(
            Text(f"{path}\n{name}-branches.png"),
            Text(class_names[total.predicted[i]]),
            Text(total.subject(i, class_names)),
            *numbers,
            Text(str(total.reasons[i])),
        )
    console.print(table)
    for line in (
        f"Parts in logits: {divided.kind}. {REFERENCE}",
        f"Residual of the maps, relative to their largest cell: "
        f"{found.residuals.max():.1e}; of the parts, relative to the largest logit: "
        f"{divided.residuals.max():.1e}.",
        *(f"Caution: {caution}" for caution in total.cautions),
    ):
        console.print(Text(line), soft_wrap=True)


def share_table(
    rows: Sequence[ClassShares], names: tuple[str, str], minority: Sequence[str]
) -> Table:
    """One row per class: what each branch adds, and the second one's share."""
    table = Table("class", "test images", *names, f"share of {names[1]}", "minority")
    for row in rows:
        table.add_row(
            Text(row.name),
            str(row.images),
            f"{row.first:+.3f}",
            f"{row.second:+.3f}",
            percent(row.share),
            "yes" if row.name in minority else "",
        )
    return table


def change_table(changes: Sequence[Change], names: tuple[str, str]) -> Table:
    """One row per class, minority classes first: both runs' parts and shares."""
    table = Table("class", "minority")
    for when in ("before", "after"):
        table.add_column(f"{when}: {names[0]}, {names[1]} (share of the latter)")
    for change in changes:
        cells = [
            f"{row.first:+.3f}, {row.second:+.3f} ({percent(row.share)})"
            for row in (change.before, change.after)
        ]
        name = Text(change.before.name)
        table.add_row(name, "yes" if change.reduced else "", *cells)
    return table


def percent(share: float | None) -> str:
    """A share for a table; where a branch speaks against the class there is none."""
    return "-" if share is None else f"{share:.0%}"

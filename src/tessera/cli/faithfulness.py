"""`tessera faithfulness`: a run, or a whole study's first seed, and what is printed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tessera import files, runtime
from tessera.evaluation.faithfulness import Faithfulness, Interval, Method
from tessera.record import Record, RunFolder, StudyFolder, StudyRecord

if TYPE_CHECKING:
    from tessera.experiment import Data
    from tessera.explain.faithfulness.command import Wanted
    from tessera.explain.faithfulness.method import Glyphs

MOST_NAMES = 3
"""Controls that a cell of the table names; of more, it says how many."""


def faithfulness(
    folder: Path,
    *,
    images: int,
    methods: str,
    layer: str,
    steps: int,
    seed: int,
    data: str | None,
    shuffled: int,
    out: Path | None,
    console: Console,
) -> None:
    """Check the maps of a run, or of every cell's first seed of a study.

    Raises:
        ExplainError: No such run, or it cannot be explained.
        DataError: Its images cannot be read.
    """
    runtime.prepare()
    runtime.load_backend()
    from tessera.data import source
    from tessera.explain.faithfulness import command, mappers
    from tessera.explain.faithfulness.measure import Settings
    from tessera.explain.faithfulness.method import glyphs

    wanted = command.Wanted(
        methods=mappers.parse(methods),
        layer=layer,
        settings=Settings(images=images, steps=steps, seed=seed),
        shuffled_epochs=shuffled,
    )
    place = None if data is None else source.from_argument(data)
    runs = runs_of(folder)
    ground = None
    for number, run in enumerate(runs, 1):
        if len(runs) > 1:
            console.print(Text(f"\n{number}/{len(runs)}: {run.path}"), soft_wrap=True)
        target = None if out is None else _place(out, folder, run, len(runs))
        found = command.kept(run, wanted) if out is None else None
        if found is None:
            ground = ground or glyphs(seed=seed)
            found = _checked(run, wanted, place, ground, target, console)
        show(found, console)
        written = _write_charts(found, RunFolder(target or run.path))
        console.print(Text(f"Table, values and charts: {written}"), soft_wrap=True)
    if out is None and StudyFolder(folder).study.exists():
        judge_again(folder)
        from tessera.report import page

        console.print(f"\nReport: {page.write_report(folder)}", soft_wrap=True)


def runs_of(folder: Path) -> list[RunFolder]:
    """The run that a folder is, or each cell's first seed of the study that it is."""
    study = StudyFolder(folder)
    if not study.study.exists():
        return [RunFolder(folder)]
    record = StudyRecord.model_validate_json(study.study.read_bytes())
    return [RunFolder(folder / cell.folders[0]) for cell in record.cells]


def _place(out: Path, folder: Path, run: RunFolder, count: int) -> Path:
    return out if count == 1 else out / run.path.relative_to(folder)


def _checked(
    run: RunFolder,
    wanted: "Wanted",
    data: "Data | None",
    ground: "Glyphs",
    out: Path | None,
    console: Console,
) -> Faithfulness:
    from tessera.explain.faithfulness import command

    tell: Callable[[str], None]
    with console.status("…") as status:
        tell = status.update if console.is_terminal else lambda _: None
        return command.check_run(
            run,
            wanted,
            data=data,
            ground=ground,
            out=out,
            tell=tell,
        )


def _write_charts(found: Faithfulness, folder: RunFolder) -> Path:
    from tessera.report import faithfulness as drawn
    from tessera.report.style import standalone

    for drawing in drawn.drawings(found):
        files.write_text(folder.path / f"{drawing.key}.svg", standalone(drawing.svg))
    return folder.path


def judge_again(folder: Path) -> None:
    """Write a study's verdicts anew: the maps of its runs have been checked."""
    from tessera.evaluation import faithfulness as checked
    from tessera.evaluation.hypotheses import verdicts

    path = StudyFolder(folder).study
    study = StudyRecord.model_validate_json(path.read_bytes())
    runs = [RunFolder(folder / name) for c in study.cells for name in c.folders]
    records = [Record.model_validate_json(r.record.read_bytes()) for r in runs]
    found = checked.read_all(runs, records)
    judged = verdicts(study.experiment, records, faithfulness=found)
    updated = study.model_copy(update={"verdicts": judged})
    files.write_text(path, updated.model_dump_json(indent=2) + "\n")


def show(found: Faithfulness, console: Console) -> None:
    """Print tables of one run: metrics against controls, checks, blank maps."""
    for method in found.methods:
        console.print(_metrics(found, method))
        console.print(_checks(method))
        blank = sum(n for b in method.blanks.values() for n in b.reasons.values())
        text = f"Blank or degenerate maps: {blank} of {found.images}"
        details = [
            f"{name} {count} {reason}"
            for name, row in method.blanks.items()
            for reason, count in row.reasons.items()
        ]
        console.print(Text("; ".join([text, *details]) + "."))
        for note in method.notes:
            console.print(Text(note))
    console.print(Text(f"{found.images} images in {found.seconds:.0f} s."))


def _metrics(found: Faithfulness, method: Method) -> Table:
    table = Table(
        Column("metric", overflow="fold"),
        Column("", justify="center"),
        Column("mean [95 %]", justify="right", no_wrap=True),
        Column("random", justify="right"),
        "beats",
        "does not beat",
        title=f"{method.name}: {found.model}, {found.regime}, seed {found.seed}; "
        f"{found.images} images",
    )
    for row in method.measured:
        metric = found.metric(row.metric)
        judged = metric.direction != "neither"
        chance = next((a for a in row.against if a.control == "random"), None)
        table.add_row(
            Text(metric.name),
            metric.arrow,
            words(row.level),
            "" if chance is None else number(chance.level.mean),
            Text(names(row.beaten()) if judged else ""),
            Text(names(row.unbeaten()) if judged else ""),
        )
    return table


def _checks(method: Method) -> Table:
    table = Table(
        "sanity check",
        Column("Spearman", no_wrap=True),
        Column("absolute", no_wrap=True),
        "SSIM",
        "result",
    )
    for check in method.checks:
        last = check.steps[-1]
        table.add_row(
            Text(check.name),
            words(last.spearman),
            number(last.absolute.mean),
            number(last.ssim.mean),
            check.result,
        )
    return table


def names(controls: Sequence[str]) -> str:
    """A short list."""
    if len(controls) > MOST_NAMES:
        return f"{len(controls)} controls"
    return ", ".join(controls) or "none"


def words(interval: Interval) -> str:
    """Say `0.42 [0.40, 0.44]`."""
    if interval.mean is None:
        return "none"
    return f"{number(interval.mean)} [{number(interval.low)}, {number(interval.high)}]"


def number(value: float | None) -> str:
    """Three decimals, or a dash."""
    return "\N{EN DASH}" if value is None else f"{value:.3f}"

"""`tessera faithfulness`: a run, or a whole study's first seed, and what is printed."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from tessera import choice, cross_validation, files, runtime
from tessera.cli import faithfulness_tables, stopping
from tessera.cli.explaining import METHODS
from tessera.evaluation.faithfulness import Faithfulness, read_all
from tessera.evaluation.findings import GRAD_CAM
from tessera.phrases import plural
from tessera.record import RunFolder, StudyFolder, Verdict
from tessera.report import load

if TYPE_CHECKING:
    from tessera.experiment import Data
    from tessera.explain.faithfulness.command import Wanted
    from tessera.explain.faithfulness.method import Glyphs
    from tessera.explain.graph import ExplainError


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
) -> int:
    """Check the maps of a run, or of every cell's first seed of a study.

    Returns:
        The exit status: 1 where runs of the study had to be left out.

    Raises:
        ExperimentError: No such method.
        RunError: No such run or study.
        ExplainError: The run, or none of the study's, can be explained.
        DataError: Its images cannot be read.
    """
    from tessera.data import source
    from tessera.models import rebuild

    whole = StudyFolder(folder).study.exists()
    if not whole:  # a wrong folder is told before a framework loads
        rebuild.read_record(RunFolder(folder), or_study=True)
    named = names_of(methods)
    place = None if data is None else source.from_argument(data)
    runs = runs_of(folder)
    runtime.prepare()
    runtime.load_backend(alone=True)
    from tessera.explain.faithfulness import command
    from tessera.explain.faithfulness.measure import Settings
    from tessera.explain.methods import by_name

    wanted = command.Wanted(
        methods=tuple(by_name(name) for name in named),
        layer=layer,
        settings=Settings(images=images, steps=steps, seed=seed),
        shuffled_epochs=shuffled,
    )
    done: list[Faithfulness] = []
    left: list[Exception] = []
    with stopping.telling(console, lambda: kept(len(done), len(runs), out)):
        for found in _checks_of(runs, folder, wanted, place, out, console):
            if isinstance(found, Faithfulness):
                done.append(found)
            else:
                left.append(found)
        if not done:
            raise left[0]
        faithfulness_tables.summarise(done, console)
        if out is None and whole:
            conclude(folder, console)
    return leave_out(left, len(runs), console)


def names_of(methods: str) -> tuple[str, ...]:
    """`gradcam,hirescam` -> the names of methods, each once.

    Raises:
        ExperimentError: A name is no method's, or there is none.
    """
    named = [part.strip() for part in methods.split(",") if part.strip()]
    for name in named or [methods]:
        choice.require("--methods", name, METHODS)
    return tuple(dict.fromkeys(named))


def leave_out(left: Sequence[Exception], count: int, console: Console) -> int:
    """Say which of so many runs were left out, and why; return the exit status."""
    if left:
        told = f"\nLeft out, {len(left)} of {plural(count, 'run')}:"
        console.print(Text("\n  ".join([told, *map(str, left)])), soft_wrap=True)
    return 1 if left else 0


def _checks_of(
    runs: Sequence[RunFolder],
    folder: Path,
    wanted: "Wanted",
    data: "Data | None",
    out: Path | None,
    console: Console,
) -> Iterator["Faithfulness | ExplainError"]:
    """Check run by run, print each one's tables and leave its charts.

    A run is told of before its charts are drawn, for by then it is kept.
    """
    from tessera.explain.faithfulness import command
    from tessera.explain.faithfulness.method import glyphs
    from tessera.explain.graph import ExplainError

    ground = cache(lambda: glyphs(seed=wanted.settings.seed))
    for number, run in enumerate(runs, 1):
        if len(runs) > 1:
            console.print(Text(f"\n{number}/{len(runs)}: {run.path}"), soft_wrap=True)
        target = None if out is None else _place(out, folder, run, len(runs))
        found = command.kept(run, wanted) if out is None else None
        if found is None:
            try:
                found = _checked(run, wanted, data, ground, target, console)
            except ExplainError as error:
                yield error
                continue
        yield found
        faithfulness_tables.show(found, console)
        written = _write_charts(found, RunFolder(target or run.path))
        console.print(Text(f"Table, values and charts: {written}"), soft_wrap=True)


def kept(done: int, count: int, out: Path | None) -> str:
    """What is there after Ctrl-C, in sentences."""
    if not done:
        return "No run is checked yet. The same command starts over:"
    told = f"{done} of {plural(count, 'run')} checked"
    if out is not None:
        return f"{told}, in {out}. The same command checks all again:"
    return f"{told} and kept. The same command does the rest:"


def conclude(folder: Path, console: Console) -> None:
    """Judge a study anew, print its verdict on the maps and write its report."""
    from tessera.report import page

    for verdict in judge_again(folder):
        if verdict.key == GRAD_CAM.key:
            told = f"\nThe study's verdict: {verdict.verdict}. {verdict.because}"
            console.print(Text(told), soft_wrap=True)
    console.print(f"\nReport: {page.write_report(folder)}", soft_wrap=True)


def runs_of(folder: Path) -> list[RunFolder]:
    """The run that a folder is, or each cell's first seed of the study that it is.

    Raises:
        StudyError: The study, or the record of one of its runs, cannot be read; or it
            pools folds, which hold the models.
    """
    if not StudyFolder(folder).study.exists():
        return [RunFolder(folder)]
    record = load.load(folder).record
    if folds := cross_validation.parts(record.experiment, folder):
        raise load.StudyError(cross_validation.no_models(folder, folds))
    return [RunFolder(folder / cell.folders[0]) for cell in record.cells]


def _place(out: Path, folder: Path, run: RunFolder, count: int) -> Path:
    return out if count == 1 else out / run.path.relative_to(folder)


def _checked(
    run: RunFolder,
    wanted: "Wanted",
    data: "Data | None",
    ground: "Callable[[], Glyphs]",
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


def judge_again(folder: Path) -> tuple[Verdict, ...]:
    """Write a study's verdicts anew, its runs' maps being checked; return them."""
    from tessera.evaluation.hypotheses import verdicts

    study = load.load(folder)
    records = study.records
    runs = [study.folders[r.model, r.regime, r.seed] for r in records]
    found = read_all(runs, records)
    judged = verdicts(study.record.experiment, records, faithfulness=found)
    updated = study.record.model_copy(update={"verdicts": judged})
    files.write_text(study.folder.study, updated.model_dump_json(indent=2) + "\n")
    return judged

"""A study's events -> live progress on a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from tessera import workers
from tessera.cli import errors
from tessera.experiment import Folder, Run, Training


def follow(
    console: Console,
    events: Iterator[workers.Event],
    tasks: Sequence[workers.Task],
    training: Training,
    title: str = "study",
) -> list[workers.Failed]:
    """Show events as they come, under a title; return the failures."""
    if not tasks:
        return []
    board = _Board(console, tasks, training, title)
    with board.display:
        for event in events:
            board.show(event)
    return board.failures


class _Left(TimeRemainingColumn):
    """How long it still takes; a narrow terminal leaves the word away with the time."""

    def render(self, task: Task) -> Text:
        return Text.assemble("left ", super().render(task), no_wrap=True)


class _Board:
    """The display's state: one bar for the study and one per run under way."""

    def __init__(
        self,
        console: Console,
        tasks: Sequence[workers.Task],
        training: Training,
        title: str,
    ) -> None:
        self.display = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            _Left(elapsed_when_finished=True),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            speed_estimate_period=600.0,
        )
        self.failures: list[workers.Failed] = []
        self._console = console
        self._epochs = training.epochs
        self._finished = 0
        self._total = len(tasks)
        self._costs = {task: _relative_cost(task.run) for task in tasks}
        self._fractions: dict[workers.Task, float] = {}
        self._bars: dict[workers.Task, TaskID] = {}
        self._began: dict[workers.Task, float] = {}
        self._whole = self.display.add_task(
            title, total=sum(self._costs.values()), note=f"0/{self._total} runs"
        )

    def show(self, event: workers.Event) -> None:
        """Show one event, and keep it if it is a failure."""
        match event:
            case workers.Started(task):
                self._began[task] = time.perf_counter()
                self._bars[task] = self.display.add_task(
                    _title(task.run), total=self._epochs, note=""
                )
            case workers.Stepped(task, epoch, fraction, row):
                self._advance(task, epoch + fraction)
                if row is not None:
                    note = f"val {row['val_accuracy']:.3f}"
                    self.display.update(self._bars[task], note=note)
            case workers.Finished(task):
                self._end(task, "done")
            case workers.Failed(task, message):
                self.failures.append(event)
                if task is not None:
                    self._end(task, f"FAILED: {message}")

    def _advance(self, task: workers.Task, epochs: float) -> None:
        self._fractions[task] = epochs / self._epochs
        self.display.update(self._bars[task], completed=epochs)
        done = sum(self._costs[t] * part for t, part in self._fractions.items())
        self.display.update(self._whole, completed=done)

    def _end(self, task: workers.Task, how: str) -> None:
        self._finished += 1
        self._advance(task, self._epochs)
        self.display.remove_task(self._bars[task])
        note = f"{self._finished}/{self._total} runs"
        self.display.update(self._whole, note=note)
        seconds = time.perf_counter() - self._began[task]
        line = f"  {note}: {_title(task.run)}, {seconds:.0f} s, {how}"
        self._console.print(line, soft_wrap=True)


def _relative_cost(run: Run) -> float:
    """A run's share of the study's time, roughly: the transformer takes longest."""
    return 4.0 if run.model.kind == "transformer" else 1.0


def _title(run: Run) -> str:
    data = run.data
    fold = f", fold {data.fold}" if isinstance(data, Folder) and data.fold else ""
    return f"{run.model.label}, {run.regime.name}, seed {run.seed}{fold}"


def describe_failures(failures: Sequence[workers.Failed], out: Path) -> str:
    """One message for all runs that failed, with the traceback of a fault of ours."""
    lines = [f"{out}: {len(failures)} of the study's runs failed:"]
    for failure in failures:
        title = _title(failure.task.run) if failure.task else "worker"
        lines.append(f"  {title}: {failure.message}")
    ours = (f for f in failures if f.details and not _is_mendable(f))
    if (fault := next(ours, None)) is not None:
        lines += ["The first fault's traceback:", fault.details.rstrip()]
    lines.append("Finished runs are kept; the same command tries the others again.")
    return "\n".join(lines)


def _is_mendable(failure: workers.Failed) -> bool:
    """Whether the message alone tells a user what to do."""
    return failure.message.partition(":")[0] in errors.MENDABLE


@contextlib.contextmanager
def single(console: Console, run: Run) -> Iterator[Callable[..., None]]:
    """Progress of one training in this process."""
    display = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        _Left(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=not console.is_terminal,
    )
    with display:
        bar = display.add_task(_title(run), total=run.training.epochs, note="")

        def report(
            epoch: int, done: int, steps: int, row: dict[str, float] | None
        ) -> None:
            display.update(bar, completed=epoch + done / steps)
            if row is not None:
                note = f"validation accuracy {row['val_accuracy']:.3f}"
                display.update(bar, note=note)
                if not console.is_terminal:
                    console.print(f"  epoch {int(row['epoch'])}: {note}")

        yield report


@contextlib.contextmanager
def loading(console: Console) -> Iterator[Callable[[int, int], None]]:
    """Progress of reading images: told (done, total)."""
    display = Progress(
        TextColumn("reading images"),
        BarColumn(bar_width=12),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with display:
        bar = display.add_task("", total=None, visible=False)

        def report(done: int, total: int) -> None:
            display.update(bar, completed=done, total=total, visible=True)

        yield report

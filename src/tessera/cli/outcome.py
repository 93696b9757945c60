"""What came out of a run, and what is to be noted about it."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tessera.experiment import Experiment
from tessera.phrases import plural
from tessera.record import Record, RunFolder

UNDEFINED = "\N{EN DASH}"
"""The precision of a class that was never predicted: 0/0, which a record keeps as 0."""


def show(console: Console, record: Record) -> None:
    """Print a run's scores and its notes."""
    scores = record.scores
    table = Table(title=f"{record.model}, {record.regime}, seed {record.seed}")
    for heading in ("class", "precision", "recall", "F1", "test images"):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for row in scores.per_class:
        numbers = [f"{value:.3f}" for value in (row.precision, row.recall, row.f1)]
        if row.name in scores.never_predicted:
            numbers[0] = UNDEFINED
        table.add_row(row.name, *numbers, str(row.support))
    console.print(table)
    console.print(
        f"accuracy {scores.accuracy:.3f}, balanced accuracy "
        f"{scores.balanced_accuracy:.3f}, macro-F1 {scores.macro_f1:.3f}; "
        f"{record.parameters:,} parameters, {record.train_seconds:.0f} s, "
        f"{record.images_per_second:.0f} images/s",
        soft_wrap=True,
    )
    for note in record.notes:
        console.print(f"note: {note}", soft_wrap=True)


def remark(console: Console, records: Sequence[Record]) -> None:
    """Print of how many runs there is something to note, and one of the notes."""
    noted = [record for record in records if record.notes]
    if not noted:
        return
    first = noted[0]
    console.print(
        f"note: {len(noted)} of {len(records)} runs have notes, say {first.model}, "
        f"{first.regime}, seed {first.seed}: {first.notes[0]} The report lists all "
        "under Provenance.",
        soft_wrap=True,
    )


def short(
    console: Console,
    experiment: Experiment,
    records: Sequence[Record],
    way: str = "tessera study --epochs N",
) -> None:
    """Print that the runs were still learning when they ended, if they were.

    Args:
        console: Where it is said.
        experiment: What the runs are of.
        records: Of all its finished runs.
        way: How the caller's user asks for more epochs.
    """
    from tessera.evaluation import length

    told = length.still_learning(experiment, records)
    if told:
        console.print(f"note: {told} `{way}` trains longer.", soft_wrap=True)


def beside(console: Console, out: Path, runs: Sequence[RunFolder]) -> None:
    """Print how many finished runs of a study's folder are not in its report.

    Args:
        console: Where it is said.
        out: The study's folder.
        runs: Those that the report covers.
    """
    covered = {run.record for run in runs}
    others = len(set(out.glob("runs/*/*/record.json")) - covered)
    if others:
        told = plural(others, "other finished run")
        console.print(
            "The report covers this command's runs. In the same folder "
            f"{'lies' if others == 1 else 'lie'} {told}: the command that trained "
            f"{'it' if others == 1 else 'them'} writes that report again.",
            soft_wrap=True,
        )

"""What a check of heatmaps found: tables of a run, and a line each at the end."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tessera.evaluation import meaningful
from tessera.evaluation.faithfulness import Check, Faithfulness, Interval, Method

MOST_NAMES = 3
"""Controls that a cell of the table names; of more, it says how many."""


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


def summarise(checked: Sequence[Faithfulness], console: Console) -> None:
    """Print a line per run and method: what its tables come to."""
    rows = [(found, method) for found in checked for method in found.methods]
    heading = "Do the maps mark what the answers depend on? Better than controls that"
    console.print(Text(f"\n{heading} do not know the model:"), soft_wrap=True)
    for found, method in rows:
        console.print(Text(f"  {summary(found, method)}"), soft_wrap=True)


def summary(found: Faithfulness, method: Method) -> str:
    """One run's decisions, counted; `evaluation.meaningful` makes them."""
    *hiding, place, sane = meaningful.decided(method)
    placed = {"better": "found", "worse": "missed"}.get(place, "undecided")
    if not meaningful.has_mosaics(method):
        placed = "there are none"
    anew = {"better": "passed", "worse": "failed"}.get(sane, "open")
    return (
        f"{method.name}, {found.model}, {found.regime}, seed {found.seed}: "
        f"{meaningful.outcome([*hiding, place, sane])} (hiding: "
        f"{hiding.count('better')} of {len(hiding)} better, {hiding.count('worse')} "
        f"worse; place in mosaics: {placed}; layers drawn anew: {anew})"
    )


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
            result(check),
        )
    return table


def result(check: Check) -> str:
    """In a word or two; of a map that knows no model, that it is a control."""
    if check.key != meaningful.CONTROL:
        return check.result
    expected = {"passed": "as expected", "failed": "not as expected"}
    return f"control: {expected.get(check.result, check.result)}"


def names(controls: Sequence[str]) -> str:
    """A short list."""
    if len(controls) > MOST_NAMES:
        return f"{len(controls)} controls"
    return ", ".join(controls) or "none"


def words(interval: Interval) -> str:
    """Say `0.42 [0.40, 0.44]`; no brackets of few images."""
    if interval.low is None:
        return "none" if interval.mean is None else number(interval.mean)
    return f"{number(interval.mean)} [{number(interval.low)}, {number(interval.high)}]"


def number(value: float | None) -> str:
    """Three decimals, or a dash."""
    return "\N{EN DASH}" if value is None else f"{value:.3f}"

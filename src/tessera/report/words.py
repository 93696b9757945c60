"""Numbers -> the words and cells that pages and tables share."""

from collections.abc import Sequence

from tessera.evaluation.roles import rare_word
from tessera.experiment import Experiment
from tessera.phrases import MINUS, plural
from tessera.record import CellSummary, Spread, StudyRecord
from tessera.results import Ranking

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"

COLUMNS: tuple[tuple[str, str], ...] = (
    ("accuracy", "Accuracy"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("macro_precision", "Macro precision"),
    ("macro_f1", "Macro-F1"),
    ("reduced_recall", "Reduced classes' recall"),
    ("reduced_f1", "Reduced classes' F1"),
    ("worst_class_recall", "Worst class's recall"),
)
"""The scores of the comparison table and what heads them."""
_ROOM = 20
_OF_REDUCED = ("reduced_recall", "reduced_f1")


def columns(record: StudyRecord) -> list[tuple[str, str]]:
    """The scores of the comparison table that every cell has, and what heads them."""
    return [
        (score, title)
        for score, title in titled(COLUMNS, record.experiment)
        if all(score in cell.scores for cell in record.cells)
    ]


def titled(
    titles: Sequence[tuple[str, str]], experiment: Experiment
) -> list[tuple[str, str]]:
    """Scores and what heads them; where nothing was reduced, classes are rare."""
    rare = rare_word(experiment).capitalize()
    return [
        (s, title.replace("Reduced", rare) if s in _OF_REDUCED else title)
        for s, title in titles
    ]


def sides(rankings: Sequence[Ranking]) -> tuple[str, str]:
    """What the two sides of rankings are called together.

    `smaller` and `larger` where they differ: one may be of the reduced classes, another
    of a tail, and `rare` is kept for the classes that count as such.
    """
    names = {ranking.sides for ranking in rankings}
    return names.pop() if len(names) == 1 else ("smaller", "larger")


def over_seeds(record: StudyRecord) -> str:
    """`5 seeds`, or that the means of an unfinished study are over fewer."""
    asked = len(record.experiment.seeds)
    text = plural(asked, "seed")
    if all(len(cell.seeds) == asked for cell in record.cells):
        return text
    return f"as many of {text} as are finished"


def percent(spread: Spread) -> str:
    """Mean and standard deviation in percent, say `71.3 +- 0.4`."""
    mean = f"{100 * spread.mean:.1f}".replace("-", MINUS)
    if spread.deviation is None:
        return mean
    return f"{mean} {PLUS_MINUS} {100 * spread.deviation:.1f}"


def seconds(spread: Spread) -> str:
    """Mean time, in whole seconds from ten on."""
    return f"{spread.mean:,.0f}" if spread.mean >= 10 else f"{spread.mean:.1f}"


def millions(count: int) -> str:
    """A count in millions, say `12.1 M`, or whole below a million."""
    return f"{count / 1e6:,.1f} M" if count >= 1_000_000 else f"{count:,}"


def best(cells: tuple[CellSummary, ...], score: str) -> frozenset[tuple[str, str]]:
    """The (model, regime) with the highest mean of each regime, ties included.

    A regime with a single model has no best.
    """
    found: set[tuple[str, str]] = set()
    for regime in {c.regime for c in cells}:
        rivals = [c for c in cells if c.regime == regime and score in c.scores]
        if len(rivals) < 2:
            continue
        top = max(c.scores[score].mean for c in rivals)
        # Where every model scores 0 there is nothing to be best at.
        if top > 0:
            found |= {(c.model, regime) for c in rivals if c.scores[score].mean == top}
    return frozenset(found)


def short(name: str, room: int = _ROOM) -> str:
    """A name with room beside a figure: of one of more letters both ends."""
    if len(name) <= room:
        return name
    end = (room - 1) // 2
    return f"{name[: room - 1 - end]}\N{HORIZONTAL ELLIPSIS}{name[-end:]}"


def tidy(text: str) -> str:
    """Keep a number and the percent sign after it on one line."""
    return text.replace(" %", f"{NO_BREAK}%")


def unbroken(interval: str) -> str:
    """Keep the ends of an interval, `[2.1, 3.4]` or `(21 to 34 %)`, on one line."""
    joined = interval.replace(" to ", f"{NO_BREAK}to{NO_BREAK}")
    return joined.replace(", ", f",{NO_BREAK}")

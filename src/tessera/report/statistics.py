"""A study's statistics -> the words, numbers and rows that its page shows of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from tessera.evaluation.bootstrap import thin
from tessera.evaluation.outcomes import AFTER, read
from tessera.evaluation.recommendation import p_value, with_interval
from tessera.evaluation.significance import McNemar, mcnemar, sign_floor
from tessera.phrases import MINUS, in_list, in_row, listed, whole_percent
from tessera.record import CellSummary, DataSummary, StudyRecord
from tessera.report import shown
from tessera.report.load import Study
from tessera.report.words import NO_BREAK, titled, unbroken
from tessera.results import FEW, Change, GapClosed, Groups, Interval, Ranking, Spread

if TYPE_CHECKING:  # tables, and so all verbs in Python, do without Matplotlib
    from tessera.report.templates import Filters

_FURTHER = (
    ("chance_adjusted", "Chance-adjusted"),
    ("g_mean", "G-mean"),
    ("mcc", "MCC"),
    ("head_recall", "Head recall"),
    ("middle_recall", "Middle recall"),
    ("tail_recall", "Tail recall"),
    ("weighted_f1", "Weighted F1"),
)
_RESAMPLED = (
    ("macro_f1", "Macro-F1"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("accuracy", "Accuracy"),
    ("reduced_recall", "Reduced classes' recall"),
    ("worst_class_recall", "Worst class's recall"),
    ("g_mean", "G-mean"),
    ("ece", "ECE"),
    ("aurc", "AURC"),
)
_FEW_SEEDS = 6
"""Seeds from which the sign-flip test can reach 5 %: 2^-(6-1) = 3 %."""
_NAMED = 3


@dataclass(frozen=True)
class Duel:
    """Two trained models of one seed on the same test images."""

    model: str
    regime: str
    plain: str
    seed: int
    test: McNemar


def values(study: Study) -> dict[str, Any]:
    """What the templates need beyond the record itself."""
    record = study.record
    seeds = [len(row.seeds) for r in record.rankings for row in r.remedies]
    few = min(seeds, default=_FEW_SEEDS)
    return {
        "further": _shared(record, _FURTHER, lambda cell: cell.scores),
        "resampled": titled(
            _shared(record, _RESAMPLED, lambda cell: cell.intervals), record.experiment
        ),
        "thin": FEW if thin(np.array(record.data.test_units)).any() else 0,
        "unit": "image" if record.data.test_groups is None else "group",
        "still": any(
            found.low is not None and found.low == found.high
            for cell in record.cells
            for score, _ in _RESAMPLED
            for found in cell.intervals.get(score, ())
        ),
        "names_groups": groups_in_words(record),
        "drawn_regimes": shown.regimes(record),
        "many": len(record.experiment.regimes) > shown.MOST,
        "few_seeds": few if 1 < few < _FEW_SEEDS else 0,
        "floor": sign_floor(few),
        "warm": any(cell.temperature for cell in record.cells),
        "unfitted": any(
            1.0 in cell.temperature.values for cell in record.cells if cell.temperature
        ),
        "duels": duels(study),
    }


@cache
def filters() -> "Filters":
    """The templates' own words for numbers."""
    return {
        "with_interval": lambda change: unbroken(with_interval(change)),
        "p_value": p_value,
        "both_p": both_p,
        "gap": lambda found: unbroken(gap(found)),
        "before_after": before_after,
        "between": between,
        "not_found": not_found,
        "plain_number": plain_number,
        "in_row": in_row,
        "joined": lambda names: shown.joined(list(names)),
    }


def _shared(
    record: StudyRecord,
    wanted: tuple[tuple[str, str], ...],
    of: Callable[[CellSummary], Any],
) -> list[tuple[str, str]]:
    """The scores that every cell has."""
    return [w for w in wanted if all(w[0] in of(cell) for cell in record.cells)]


def both_p(change: Change) -> str:
    """The corrected p of the t-test, then that of the sign-flip test."""
    flips = f"{change.p_signs:.3f}"
    if change.p_adjusted is None:
        return flips
    t = p_value(change.p_adjusted).removeprefix("p = ").removeprefix("p ")
    return f"{t}; {flips}"


def gap(found: GapClosed | None) -> str:
    """`48 % (31 to 66 %)`; empty where it is undefined."""
    if found is None or found.value is None or found.low is None or found.high is None:
        return ""
    value, low, high = map(whole_percent, (found.value, found.low, found.high))
    return f"{value}{NO_BREAK}% ({low} to {high}{NO_BREAK}%)"


def before_after(cell: CellSummary, score: str, unit: float, digits: int) -> str:
    """A score and, where there is a temperature, the score after it."""
    if score not in cell.scores:
        return ""
    text = f"{unit * cell.scores[score].mean:.{digits}f}"
    after = cell.scores.get(score + AFTER)
    arrow = "\N{RIGHTWARDS ARROW}"
    return f"{text} {arrow} {unit * after.mean:.{digits}f}" if after else text


def between(found: Interval) -> str:
    """An interval in percent, with the replicates that had no score."""
    if found.low is None or found.high is None:
        return "undefined"
    text = f"{100 * found.low:.1f} to {100 * found.high:.1f}"
    return f"{text} ({found.invalid} invalid)" if found.invalid else text


def plain_number(spread: Spread) -> str:
    """A mean with two digits, say `0.64`."""
    return f"{spread.mean:.2f}".replace("-", MINUS)


def not_found(cell: CellSummary, data: DataSummary) -> str:
    """Tested classes with a recall of 0 in some seed: why its G-mean is 0."""
    tested = zip(data.class_names, data.test_counts, strict=True)
    missed = [n for n, t in tested if t and min(cell.per_class_recall[n].values) == 0]
    if len(missed) > _NAMED:
        return f"{len(missed)} classes"
    return listed([in_list(name) for name in missed])


def groups_in_words(record: StudyRecord) -> str:
    """Who is head, middle and tail, by which thresholds, in a sentence."""
    known: dict[str, list[str]] = {}
    of = {c.groups.model_dump_json(): c.groups for c in record.cells if c.groups}
    for cell in record.cells:
        if cell.groups:
            regimes = known.setdefault(cell.groups.model_dump_json(), [])
            regimes += [cell.regime] if cell.regime not in regimes else []
    names = record.data.class_names
    several = len(known) > 1
    return " ".join(
        f"Groups of classes{f' ({shown.joined(regimes)})' if several else ''}: "
        f"{_group_words(of[key], names)}."
        for key, regimes in known.items()
    )


def _group_words(found: Groups, names: Sequence[str]) -> str:
    head, tail = f"more than {found.above:,}", f"fewer than {found.below:,}"
    if found.scheme == "levels":  # two counts, each the bound of the other group
        head, tail = f"{found.below:,}", f"{found.above:,}"
    parts = [
        f"{part} ({bound}): {_members([in_list(names[i]) for i in members])}"
        for part, bound, members in (
            ("head", f"{head} training images", found.head),
            ("middle", "between", found.middle),
            ("tail", tail, found.tail),
        )
        if members
    ]
    return "; ".join(parts)


def _members(names: list[str]) -> str:
    return listed(names) if len(names) <= 10 else f"{len(names)} classes"


def duels(study: Study) -> tuple[Duel, ...]:
    """McNemar's test of the best remedy against plain training, seed by seed."""
    found = []
    for ranking in study.record.rankings:
        regime = ranking.pick or ranking.remedies[0].regime
        found += _duels(study, ranking, regime)
    return tuple(found)


def _duels(study: Study, ranking: Ranking, regime: str) -> list[Duel]:
    row = next(r for r in ranking.remedies if r.regime == regime)
    found = []
    for seed in row.seeds:
        first = read(study.folders[ranking.model, regime, seed])
        second = read(study.folders[ranking.model, ranking.plain, seed])
        if first is None or second is None:
            continue
        right = [o.logits.argmax(axis=1) == o.labels for o in (first, second)]
        test = mcnemar(*right)
        found.append(Duel(ranking.model, regime, ranking.plain, seed, test))
    return found

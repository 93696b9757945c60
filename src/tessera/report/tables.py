"""A study's record -> Markdown tables of its results and verdicts."""

from collections.abc import Mapping, Sequence

from tessera.evaluation.recommendation import with_interval
from tessera.phrases import listed, plural
from tessera.record import CellSummary, StudyRecord
from tessera.report import provenance, words
from tessera.report.statistics import gap
from tessera.results import Change, Ranking

_SCORES = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "reduced_recall",
    "worst_class_recall",
)


def results(record: StudyRecord) -> str:
    """The comparison as a Markdown table, with the lines that say what it is.

    Scores are percentages: mean and sample standard deviation over seeds; the best
    mean of each regime is bold.
    """
    shown = [column for column in words.columns(record) if column[0] in _SCORES]
    best = {score: words.best(record.cells, score) for score, _ in shown}
    head = ["Regime", "Model", *(t for _, t in shown), "Parameters", "Training, s"]
    rows = [
        [
            cell.regime,
            cell.model,
            *(_score(cell, score, best[score]) for score, _ in shown),
            f"{cell.parameters:,}",
            words.seconds(cell.train_seconds),
        ]
        for cell in sorted(record.cells, key=lambda c: _regimes(record).index(c.regime))
    ]
    return f"{caption(record)}\n\n{markdown(head, rows)}\n\n{provenance.line(record)}\n"


def has_ranking(record: StudyRecord) -> bool:
    """Whether the study tried several remedies on one profile."""
    return any(len(ranking.remedies) > 1 for ranking in record.rankings)


def rankings(record: StudyRecord) -> str:
    """A table per model and profile: every remedy against plain training.

    Differences are points with 95 % intervals; bold ones are decided after Holm's
    correction. Plain training, balanced data and the trivial baselines stand below.
    """
    parts = [_ranking(record, ranking) for ranking in record.rankings]
    head = (
        f"{caption(record, best=False)} Differences to plain training in points, with "
        "95 % intervals over seeds; bold: decided after Holm's correction. Gap closed: "
        "(remedy less plain) / (balanced less plain), empty where the gap itself is "
        "not decided."
    )
    return "\n\n".join([head, *parts, provenance.line(record)]) + "\n"


def _ranking(record: StudyRecord, ranking: Ranking) -> str:
    rare, common = ranking.sides
    head = [
        *(
            "Remedy",
            "Macro-F1",
            "Macro-F1, change",
            f"{rare.capitalize()} classes' recall",
        ),
        *(f"{common.capitalize()} classes' recall", "Gap closed, macro-F1"),
        f"Gap closed, {rare} recall",
        *("Parameters", "Multiply-adds", "Training, s"),
    ]
    rows = [
        [
            f"**{row.regime}**" if row.regime == ranking.pick else row.regime,
            words.percent(row.macro_f1),
            *(change(c) for c in (row.change, row.rare, row.common)),
            gap(row.gap_f1),
            gap(row.gap_rare),
            f"{row.parameters:,}",
            words.millions(row.multiply_adds),
            words.seconds(row.train_seconds),
        ]
        for row in ranking.remedies
    ]
    table = markdown(head, [*rows, *_references(record, ranking, len(head))])
    title = f"**{ranking.model}, {ranking.plain}.** {' '.join(ranking.recommendation)}"
    return f"{title}\n\n{table}"


def _references(record: StudyRecord, ranking: Ranking, width: int) -> list[list[str]]:
    """Plain training, data without imbalance and the baselines: names and macro-F1."""
    known = [("plain training", words.percent(ranking.plain_f1))]
    if ranking.balanced_f1:
        known.append((ranking.reference, words.percent(ranking.balanced_f1)))
    known += [
        (baseline.name, f"{100 * baseline.scores['macro_f1']:.1f}")
        for baseline in record.baselines
        if ranking.plain in baseline.regimes
    ]
    return [[f"*{name}*", f1, *[""] * (width - 2)] for name, f1 in known]


def change(found: Change) -> str:
    """A change with its interval, bold where it is decided."""
    text = with_interval(found)
    return text if found.decision == "undecided" else f"**{text}**"


def verdicts(record: StudyRecord, also: Mapping[str, StudyRecord] | None = None) -> str:
    """The claims and their verdicts as a Markdown table.

    Args:
        record: The study's.
        also: Other studies by name: what this one left untested is told from the first
            of them that tested it.
    """
    tested = {
        v.key: (f"In `{name}`: ", v)
        for name, other in reversed(list((also or {}).items()))
        for v in other.verdicts
        if v.verdict != "not tested"
    }
    found = [
        tested.get(v.key, ("", v)) if v.verdict == "not tested" else ("", v)
        for v in record.verdicts
    ]
    rows = [[v.claim, f"**{v.verdict}**", f"{where}{v.because}"] for where, v in found]
    return markdown(["The reference study says", "Verdict", "Because"], rows) + "\n"


def caption(record: StudyRecord, *, best: bool = True) -> str:
    """What the table's numbers are, in one sentence."""
    data, seeds = record.data, record.experiment.seeds
    spread = f", mean {words.PLUS_MINUS} standard deviation" if len(seeds) > 1 else ""
    which = listed([str(seed) for seed in seeds])
    return (
        f"**{data.name}**, {plural(record.experiment.training.epochs, 'epoch')}: test "
        f"scores in percent{spread} over {words.over_seeds(record)} ({which})"
        + (
            "; bold: the best mean of each regime, which a spread of its size may undo."
            if best
            else "."
        )
    )


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |"
        for line in lines
    )


def _regimes(record: StudyRecord) -> list[str]:
    return [regime.name for regime in record.experiment.regimes]


def _score(cell: CellSummary, score: str, best: frozenset[tuple[str, str]]) -> str:
    text = words.percent(cell.scores[score])
    return f"**{text}**" if (cell.model, cell.regime) in best else text

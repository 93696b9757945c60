"""A study's record -> Markdown tables of its results and verdicts."""

from collections.abc import Sequence

from tessera.evaluation.evidence import listed, plural
from tessera.record import CellSummary, StudyRecord
from tessera.report import words

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
    shown = [
        (score, title)
        for score, title in words.COLUMNS
        if score in _SCORES and all(score in c.scores for c in record.cells)
    ]
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
    return f"{caption(record)}\n\n{markdown(head, rows)}\n\n{provenance(record)}\n"


def verdicts(record: StudyRecord) -> str:
    """The claims and their verdicts as a Markdown table."""
    rows = [[v.claim, f"**{v.verdict}**", v.because] for v in record.verdicts]
    return markdown(["The study says", "Verdict", "Because"], rows) + "\n"


def caption(record: StudyRecord) -> str:
    """What the table's numbers are, in one sentence."""
    data, seeds = record.data, record.experiment.seeds
    spread = f", mean {words.PLUS_MINUS} standard deviation" if len(seeds) > 1 else ""
    which = listed([str(seed) for seed in seeds])
    return (
        f"**{data.name}**, {plural(record.experiment.training.epochs, 'epoch')}: test "
        f"scores in percent{spread} over {plural(len(seeds), 'seed')} ({which}); bold: "
        "the best mean of each regime, which a spread of its size may undo."
    )


def provenance(record: StudyRecord) -> str:
    """Where the numbers come from, in one line."""
    env = record.environment
    packages = ", ".join(
        f"{name} {env.packages[name]}"
        for name in ("keras", "tensorflow", "tensorflow-cpu", "jax")
        if name in env.packages
    )
    commit = f"commit `{env.commit[:12]}`" if env.commit else "no commit known"
    changed = ", with uncommitted changes" if env.dirty else ""
    return (
        f"Tessera {env.tessera} ({commit}{changed}); Python {env.python}, {packages}; "
        f"{env.device}, {plural(env.threads, 'thread')}; data SHA-256 "
        f"`{record.data.fingerprint[:12]}`."
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

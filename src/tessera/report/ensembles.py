"""A study's cells -> what their seeds gain when they are asked together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tessera.phrases import points
from tessera.record import CellSummary, Record
from tessera.report.load import Study
from tessera.report.words import titled, unbroken

_SCORES = (
    ("macro_f1", "Macro-F1"),
    ("reduced_recall", "Reduced classes' recall"),
    ("accuracy", "Accuracy"),
)


@dataclass(frozen=True)
class Row:
    """A cell's ensemble, numbers already in words."""

    model: str
    regime: str
    seeds: int
    alone: str
    """Macro-F1, the mean of single runs."""
    together: str
    gains: tuple[str, ...]
    """Of `_SCORES`, in points, with intervals over test images."""
    ece: str
    """Expected calibration error: mean of single runs, and of the ensemble."""


def values(study: Study) -> dict[str, Any]:
    """What the template needs; `ensembles` is empty where no cell has two seeds."""
    found = [cell for cell in study.record.cells if cell.ensemble is not None]
    every = [
        (score, title)
        for score, title in titled(_SCORES, study.record.experiment)
        if found and all(score in cell.scores for cell in found)
    ]
    return {
        "ensembles": [_row(cell, [score for score, _ in every]) for cell in found],
        "gained": [title for _, title in every],
        "range": _range([gain(cell, "macro_f1") for cell in found]),
        "lows": [low for cell in found if (low := _low(cell)) is not None],
        "other_images": other_images(study),
    }


def gain(cell: CellSummary, score: str) -> float:
    """The ensemble's score less the mean of its members'."""
    assert cell.ensemble is not None
    return cell.ensemble.scores[score] - cell.scores[score].mean


def gain_in_words(cell: CellSummary, score: str) -> str:
    """The same in points, with its interval where it has one."""
    assert cell.ensemble is not None
    found, text = cell.ensemble.gains[score], points(gain(cell, score))
    if found.low is None or found.high is None:
        return text
    return f"{text} [{points(found.low)}, {points(found.high)}]"


def other_images(study: Study) -> list[str]:
    """Regimes in which every seed learns from other images of the classes cut.

    Their members together know more images than one of them, which is a part of the
    gain.
    """
    profiles = {r.name: r.profile for r in study.record.experiment.regimes}
    seeded = [name for name, one in profiles.items() if one.selection == "seeded"]
    folds = study.record.experiment.pooled
    cut = {r.regime for r in study.records if _is_cut(r, folds)}
    return [name for name in seeded if name in cut]


def _is_cut(record: Record, folds: int) -> bool:
    """Whether a class has images that neither trained nor validated the run.

    Of a run that pools folds the counts are those of one fold's training.
    """
    counts = zip(
        record.data.train_counts,
        record.train_counts,
        record.validation_counts,
        strict=True,
    )
    return any(
        trained + held < there - (-(-there // folds) if folds else 0)
        for there, trained, held in counts
    )


def _row(cell: CellSummary, scores: Sequence[str]) -> Row:
    assert cell.ensemble is not None
    alone, together = cell.scores["ece"].mean, cell.ensemble.scores["ece"]
    return Row(
        model=cell.model,
        regime=cell.regime,
        seeds=len(cell.seeds),
        alone=f"{100 * cell.scores['macro_f1'].mean:.1f}",
        together=f"{100 * cell.ensemble.scores['macro_f1']:.1f}",
        gains=tuple(unbroken(gain_in_words(cell, score)) for score in scores),
        ece=f"{100 * alone:.1f}; {100 * together:.1f}",
    )


def _low(cell: CellSummary) -> float | None:
    return cell.ensemble.gains["macro_f1"].low if cell.ensemble else None


def _range(gains: Sequence[float]) -> str:
    """`+1.3 to +4.9`."""
    ends = (min(gains), max(gains)) if gains else ()
    return " to ".join(dict.fromkeys(map(points, ends)))

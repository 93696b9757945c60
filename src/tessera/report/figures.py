"""A study -> all its figures, in the order the page shows them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tessera.report.at_once import at_once
from tessera.report.changes import changes
from tessera.report.class_changes import class_changes
from tessera.report.contrasts import contrasts
from tessera.report.curves import curves
from tessera.report.distribution import class_distribution
from tessera.report.drawing import Drawing
from tessera.report.faithfulness import Shown, charted, checks_of
from tessera.report.gallery import galleries
from tessera.report.load import Study
from tessera.report.matrices import confusion_matrices
from tessera.report.mistakes import Looked, looked_at
from tessera.report.ranking import ranking_figures
from tessera.report.recalls import per_class_recall, score_overview
from tessera.report.reliability import reliability
from tessera.report.side_by_side import side_by_side
from tessera.report.traces import answers, class_curves, risk_coverage
from tessera.report.tradeoff import tradeoff


@dataclass(frozen=True)
class Figures:
    """The report's figures, by the part of the page they stand in."""

    overview: Drawing
    changes: Drawing | None
    """None where the study has no pair of regimes to compare."""
    distribution: Drawing
    accuracy: Drawing
    loss: Drawing
    recall: Drawing
    confusion: tuple[Drawing, ...]
    ranking: tuple[Drawing, ...]
    """Empty where the study has no remedy to rank, as are the next two."""
    tradeoff: Drawing | None
    class_changes: tuple[Drawing, ...]
    reliability: Drawing | None
    """None where no predictions are stored, as are the next three."""
    precision_recall: tuple[Drawing, ...]
    roc: tuple[Drawing, ...]
    risk_coverage: Drawing | None
    mistakes: tuple[Looked, ...]
    side_by_side: Drawing | None = None
    """None where no two cells explained an image in common."""
    gallery: tuple[Drawing, ...] = ()
    contrasts: tuple[Drawing, ...] = ()
    """Wrong answers: the evidence for what was said and for the truth."""
    faithfulness: tuple[Shown, ...] = ()

    def all(self) -> tuple[Drawing, ...]:
        """Every figure."""
        every = (
            self.overview,
            self.changes,
            self.distribution,
            self.accuracy,
            self.loss,
            self.recall,
            *self.confusion,
            self.side_by_side,
            *self.gallery,
            *self.contrasts,
            *(drawing for row in self.faithfulness for drawing in row.drawings),
            *self.ranking,
            self.tradeoff,
            *self.class_changes,
            self.reliability,
            *self.precision_recall,
            *self.roc,
            self.risk_coverage,
            *(looked.drawing for looked in self.mistakes),
        )
        return tuple(drawing for drawing in every if drawing)


def figures(study: Study, *, images: bool) -> Figures:
    """Draw a study.

    Args:
        study: A loaded study.
        images: Whether to draw pictures of the dataset (Grad-CAM galleries, mistakes).
    """
    answered = answers(study)
    drawings: dict[str, Callable[[], Any]] = {
        # What takes longest comes first.
        "faithfulness": partial(_charted, study),
        "confusion": partial(confusion_matrices, study),
        "precision_recall": partial(class_curves, study, answered, "precision-recall"),
        "roc": partial(class_curves, study, answered, "roc"),
        "mistakes": partial(looked_at, study, images=images),
        "reliability": partial(reliability, study),
        "accuracy": partial(curves, study, "accuracy"),
        "loss": partial(curves, study, "loss"),
        "class_changes": partial(class_changes, study.record),
        "risk_coverage": partial(risk_coverage, study, answered),
        "recall": partial(per_class_recall, study),
        "changes": partial(changes, study),
        "overview": partial(score_overview, study),
        "ranking": partial(ranking_figures, study.record),
        "tradeoff": partial(tradeoff, study.record),
        "distribution": partial(class_distribution, study),
    }
    if images:
        drawings |= {
            "side_by_side": partial(side_by_side, study),
            "gallery": partial(galleries, study),
            "contrasts": partial(contrasts, study),
        }
    drawn = at_once(list(drawings.values()))
    return Figures(**dict(zip(drawings, drawn, strict=True)))


def _charted(study: Study) -> tuple[Shown, ...]:
    return charted(checks_of(study))

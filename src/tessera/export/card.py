"""A trained model -> its card: data, counts, scores with intervals, limits, licence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, assert_never

import numpy as np
from jinja2 import Environment, StrictUndefined

from tessera.ensembled import Ensemble
from tessera.evaluation.bootstrap import thin
from tessera.experiment import Cifar10, Data, Digits, Folder
from tessera.export import limits, uncertainty, usage
from tessera.export.fidelity import Fidelity
from tessera.export.named import FILES, Format
from tessera.export.parity import Parity
from tessera.export.words import between, escaped, percent
from tessera.folded import Folded
from tessera.phrases import in_row
from tessera.record import Record
from tessera.results import FEW
from tessera.trained import Trained

UNDEFINED = "\N{EN DASH}"
"""Stands for a share of nothing, say the precision of a class never predicted."""


@dataclass(frozen=True)
class ClassRow:
    """One class in the card's tables, numbers already in words."""

    name: str
    available: int
    trained: int
    validated: int
    tested: int
    precision: str
    recall: str
    interval: str
    f1: str


@dataclass(frozen=True)
class ScoreRow:
    """One score in the card's table."""

    name: str
    value: str
    interval: str


def card(
    trained: Trained,
    check: Parity | Fidelity,
    *,
    form: Format,
    licence: str | None = None,
) -> str:
    """The card as Markdown.

    Args:
        trained: The model.
        check: What the check at export found; scores are the exported model's.
        form: The format that it was exported to.
        licence: Of the weights, in words; None: what is known of the data's terms.
    """
    if isinstance(check, Fidelity):
        record = trained.record.model_copy(update={"scores": check.scores})
        trained = replace(trained, record=record)
    environment = Environment(  # Markdown, never shown as HTML by Tessera itself
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = resources.files("tessera.export").joinpath("card.md").read_text("utf-8")
    return environment.from_string(text).render(
        **_values(trained, check, form, licence)
    )


def _values(
    trained: Trained, check: Parity | Fidelity, form: Format, licence: str | None
) -> dict[str, Any]:
    record, rows = trained.record, class_rows(trained.record)
    return {
        "title": f"{escaped(record.data.name)}: {record.model}, {record.regime}",
        "summary": _summary(trained),
        "file": FILES[form],
        "shape": record.data.image_shape,
        "calibration": _calibration(trained),
        "reading": usage.reading(record.data.image_shape[0]),
        "running": usage.running(form, heatmap=check.heatmap is not None),
        "data": record.data,
        "data_name": escaped(record.data.name),
        "data_notes": [escaped(note) for note in record.data.notes],
        "classes": rows,
        "undefined": any(row.precision == UNDEFINED for row in rows),
        "regime": record.regime,
        "reduced": _reduced(record),
        "scores": score_rows(record),
        "draws": f"{uncertainty.DRAWS:,}",
        "few": FEW if thin(np.array(record.data.test_counts)).any() else 0,
        "limits": limits.limits(
            trained,
            heatmap=check.heatmap is not None,
            rounded=isinstance(check, Fidelity),
        ),
        "check": check,
        "licence": licence or terms(trained.run.data),
        "trainings": len(trained.members) if isinstance(trained, Ensemble) else 1,
        "folds": trained.folds if isinstance(trained, Folded) else 0,
        "origin": _origins(trained),
    }


def _calibration(trained: Trained) -> str:
    if trained.uncalibrated:
        return f"none: {trained.uncalibrated}"
    if isinstance(trained, Ensemble):
        return f"inside. {trained.calibration}"
    return (
        f"inside: logits are divided by {trained.temperature:.4f}, fitted on "
        f"{sum(trained.record.validation_counts):,} validation images"
    )


def _summary(trained: Trained) -> str:
    record = trained.record
    names = in_row(escaped(name) for name in record.data.class_names)
    several = (
        f" {len(trained.members)} trainings, {trained.seeds}, are in it and answer "
        "together: its probabilities are the mean of theirs."
        if isinstance(trained, Ensemble)
        else ""
    )
    return (
        f"Says which of {len(record.data.class_names)} classes a picture shows: "
        f"{names}.{several} {record.parameters:,} parameters, "
        f"{record.multiply_adds:,} multiply-adds per image."
    )


def class_rows(record: Record) -> Sequence[ClassRow]:
    """One row per class, in the order of the labels."""
    data = record.data
    counts = zip(
        data.train_counts,
        record.train_counts,
        record.validation_counts,
        data.test_counts,
        strict=True,
    )
    rows = []
    for number, (score, images) in enumerate(
        zip(record.scores.per_class, counts, strict=True)
    ):
        right = record.scores.confusion_matrix[number][number]
        never = score.name in record.scores.never_predicted
        rows.append(
            ClassRow(
                escaped(score.name),
                *images,
                UNDEFINED if never else percent(score.precision),
                percent(score.recall),
                between(uncertainty.wilson(right, score.support)),
                percent(score.f1),
            )
        )
    return rows


def score_rows(record: Record) -> Sequence[ScoreRow]:
    """The averages, each with its interval."""
    matrix = np.array(record.scores.confusion_matrix, np.int64)
    right, total = int(np.trace(matrix)), int(matrix.sum())
    rows = [
        ScoreRow(
            "accuracy",
            percent(record.scores.accuracy),
            between(uncertainty.wilson(right, total)),
        )
    ]
    for name, label in (
        ("balanced_accuracy", "balanced accuracy"),
        ("macro_f1", "macro-F1"),
        ("worst_class_recall", "worst class's recall"),
    ):
        interval = uncertainty.bootstrap(matrix, name)
        value = percent(getattr(record.scores, name))
        rows.append(ScoreRow(label, value, between(interval)))
    return rows


def terms(data: Data) -> str:
    """What is known of the terms that come with the data."""
    code = (
        "The program that made this model is Apache-2.0. The weights were learned from "
    )
    match data:
        case Digits():
            return code + (
                "the UCI optical recognition of handwritten digits data (Alpaydin and "
                "Kaynak 1998), which is CC BY 4.0."
            )
        case Cifar10():
            return code + (
                "CIFAR-10 (Krizhevsky 2009), for which its authors state no licence; "
                "they ask to be cited."
            )
        case Folder():
            return code + (
                "a folder of images whose terms Tessera does not know: they decide who "
                "may use the weights. `tessera export --licence TEXT` states them here."
            )
        case _:
            assert_never(data)


def _reduced(record: Record) -> str:
    if not record.reduced_classes:
        return "It made no class rarer than the others."
    names = [escaped(record.data.class_names[k]) for k in record.reduced_classes]
    return f"Rare in training: {in_row(names)}."


def _origins(trained: Trained) -> str:
    if not isinstance(trained, Ensemble):
        return _origin(trained.record)
    each = [
        f"{title.capitalize()}: {_origin(member.record)}"
        for title, member in zip(trained.titles, trained.members, strict=True)
    ]
    return "\n\n".join(each)


def _origin(record: Record) -> str:
    made = record.provenance
    changed = ", with uncommitted changes" if made.dirty else ""
    commit = f" (commit `{made.commit[:12]}`{changed})" if made.commit else ""
    packages = ", ".join(f"{name} {version}" for name, version in made.packages.items())
    return (
        f"Tessera {made.tessera}{commit}, Python {made.python}, {packages}; trained on "
        f"{made.device}, finished {record.finished_at}; run digest "
        f"`{record.digest[:16]}`."
    )

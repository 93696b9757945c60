"""What the verbs return: frozen values that a notebook shows by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tessera import trained as loading
from tessera.answers import Answer, Refused
from tessera.api import html
from tessera.arrays import Images, Probabilities
from tessera.data.dataset import Dataset
from tessera.experiment import Data as DataSettings
from tessera.explain import overlay
from tessera.explain.explanations import Explanations
from tessera.export import uncertainty
from tessera.record import Scores, StudyRecord
from tessera.trained import Trained

SHOWN = 24
"""Rows of a long result that a notebook shows."""


@dataclass(frozen=True, eq=False)
class Data:
    """A dataset, and the settings that load it again."""

    settings: DataSettings
    dataset: Dataset

    def _repr_html_(self) -> str:
        data = self.dataset
        classes = len(data.class_names)
        counts = {name: split.counts(classes) for name, split in data.splits().items()}
        rows = []
        for k, name in enumerate(data.class_names):
            first = data.train.images[int(np.argmax(data.train.labels == k))]
            picture = html.Picture(first, name, side=48)
            rows.append((name, *(f"{c[k]:,}" for c in counts.values()), picture))
        head = ("class", *counts, "example")
        return html.table(head, rows, caption=f"{data.name}: images per class")


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model."""

    trained: Trained

    @property
    def path(self) -> Path:
        """Its run's folder."""
        return self.trained.folder.path

    @property
    def scores(self) -> Scores:
        """On the test set, as its training recorded them."""
        return self.trained.record.scores

    def _repr_html_(self) -> str:
        record = self.trained.record
        told = (
            f"{record.model}, {record.regime}, seed {record.seed} on "
            f"{record.data.name}; {record.parameters:,} parameters; {self.path}"
        )
        return html.paragraph(told) + scores_table(record.scores)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's scores on labelled images."""

    scores: Scores
    images: int
    data: str
    """Name of the dataset."""

    def _repr_html_(self) -> str:
        told = f"{self.images:,} test images of {self.data}"
        return html.paragraph(told) + scores_table(self.scores)


@dataclass(frozen=True, eq=False)
class Predictions:
    """One answer per image, in order."""

    answers: tuple[Answer | Refused, ...]
    class_names: tuple[str, ...]

    @property
    def classes(self) -> tuple[str | None, ...]:
        """The class of each image; None where a file could not be read."""
        return tuple(
            answer.class_name if isinstance(answer, Answer) else None
            for answer in self.answers
        )

    @property
    def probabilities(self) -> Probabilities:
        """Of the images that were read, float64 [N, K]."""
        rows = [a.probabilities for a in self.answers if isinstance(a, Answer)]
        return np.array(rows).reshape(len(rows), len(self.class_names))

    def _repr_html_(self) -> str:
        rows = [_prediction(answer) for answer in self.answers[:SHOWN]]
        more = len(self.answers) - len(rows)
        rest = html.paragraph(f"… and {more:,} more") if more else ""
        head = ("image", "class", "probability", "runner-up", "probability")
        return html.table(head, rows) + rest


def _prediction(answer: Answer | Refused) -> Sequence[object]:
    if isinstance(answer, Refused):
        return answer.path, f"not read: {answer.reason}", "", "", ""
    return (
        answer.path,
        answer.class_name,
        html.percent(answer.probability),
        answer.runner_up,
        html.percent(answer.runner_up_probability),
    )


@dataclass(frozen=True, eq=False)
class Explained:
    """Images with the map of what their answers rest on."""

    images: Images
    explanations: Explanations
    class_names: tuple[str, ...]

    def _repr_html_(self) -> str:
        found = self.explanations
        rows: list[Sequence[object]] = []
        for i, image in enumerate(self.images[:SHOWN]):
            target = self.class_names[found.targets[i]]
            over = overlay.overlay(image, found.raw[i])
            rows.append(
                (
                    self.class_names[found.predicted[i]],
                    html.Picture(image, f"image {i}"),
                    html.Picture(over, f"evidence for {target}"),
                    target,
                    str(found.reasons[i]),
                )
            )
        head = ("predicted", "image", "evidence", "for", "blank because")
        told = (
            f"{found.method} at {found.layer}: where evidence lies; no proof of cause"
        )
        return html.table(head, rows, caption=told)


@dataclass(frozen=True, eq=False)
class Study:
    """A finished study."""

    path: Path
    record: StudyRecord

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.path / "report.html"

    def recommended(self) -> Model:
        """The study's recommended model; see `tessera.trained.recommended`."""
        return Model(loading.load(self.path))

    def _repr_html_(self) -> str:
        rows = []
        for cell in self.record.cells:
            recalls = [spread.mean for spread in cell.per_class_recall.values()]
            rows.append(
                (
                    f"{cell.model}, {cell.regime}",
                    html.percent(cell.scores["accuracy"].mean),
                    html.percent(cell.scores["balanced_accuracy"].mean),
                    html.percent(cell.scores["macro_f1"].mean),
                    html.percent(min(recalls)),
                )
            )
        head = ("cell", "accuracy", "balanced accuracy", "macro-F1", "worst recall")
        seeds = len(self.record.experiment.seeds)
        caption = f"{self.record.data.name}: test scores, means over {seeds} seeds"
        verdicts = [(v.claim, v.verdict) for v in self.record.verdicts]
        return (
            html.table(head, rows, caption=caption)
            + html.table(("the study says", "verdict"), verdicts)
            + html.paragraph(f"Report: {self.report}")
        )


def scores_table(scores: Scores) -> str:
    """Precision, recall with its 95 % interval, and F1 of every class."""
    rows = []
    for k, one in enumerate(scores.per_class):
        low, high = uncertainty.wilson(scores.confusion_matrix[k][k], one.support)
        interval = f"{100 * low:.0f} to {100 * high:.0f} %"
        shares = map(html.percent, (one.precision, one.recall, one.f1))
        precision, recall, f1 = shares
        rows.append((one.name, precision, recall, interval, f1, f"{one.support:,}"))
    head = ("class", "precision", "recall", "95 % interval", "F1", "test images")
    caption = (
        f"accuracy {html.percent(scores.accuracy)}, balanced accuracy "
        f"{html.percent(scores.balanced_accuracy)}, macro-F1 "
        f"{html.percent(scores.macro_f1)}"
    )
    return html.table(head, rows, caption=caption)

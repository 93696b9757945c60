"""What a study, a training and an evaluation found, as values that show themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tessera.notebook import html
from tessera.phrases import in_row
from tessera.record import Record, RunFolder, Scores, StudyFolder, StudyRecord
from tessera.report import tables, words


@dataclass(frozen=True)
class Study:
    """A finished study: its record, and the folder that holds everything else."""

    record: StudyRecord
    folder: Path

    @property
    def report(self) -> Path:
        """The self-contained report, to open in a browser."""
        return StudyFolder(self.folder).report

    def runs(self) -> tuple[Path, ...]:
        """The folders of all runs."""
        return tuple(
            self.folder / f for cell in self.record.cells for f in cell.folders
        )

    def rows(self) -> list[dict[str, str | float]]:
        """A row per model and regime, with mean scores, not in percent: for pandas."""
        return [
            {"model": cell.model, "regime": cell.regime}
            | {name: spread.mean for name, spread in cell.scores.items()}
            for cell in self.record.cells
        ]

    def __repr__(self) -> str:
        """The comparison as a table in Markdown, and where the report is."""
        return f"{tables.results(self.record)}\nReport: {self.report}"

    def _repr_html_(self) -> str:
        return html.page(self._parts())

    def _parts(self) -> Iterator[str]:
        over = f"mean and standard deviation over {words.over_seeds(self.record)}"
        if len(self.record.experiment.seeds) == 1:
            over = "one seed"
        shown = words.columns(self.record)
        rows = [
            (
                cell.regime,
                cell.model,
                *(words.percent(cell.scores[s]) for s, _ in shown),
            )
            for cell in self.record.cells
        ]
        for ranking in self.record.rankings:
            yield html.paragraph(" ".join(ranking.recommendation))
        yield html.table(
            f"{self.record.data.name}: percent, {over}",
            ("regime", "model", *(title for _, title in shown)),
            rows,
        )
        for verdict in self.record.verdicts:
            yield html.paragraph(
                f"\N{LEFT DOUBLE QUOTATION MARK}{verdict.claim}"
                f"\N{RIGHT DOUBLE QUOTATION MARK} {verdict.verdict}: {verdict.because}"
            )
        yield html.paragraph(f"Report: {self.report}")


@dataclass(frozen=True)
class FinishedRun:
    """A finished run: its record, and the folder with the model."""

    record: Record
    folder: Path

    @property
    def model(self) -> Path:
        """The model as a Keras file: pixels 0..255 in, probabilities out."""
        return RunFolder(self.folder).model

    def __repr__(self) -> str:
        """What was trained, its scores and where it lies."""
        return f"{self._title()}\n{headline(self.record.scores)}\nRun: {self.folder}"

    def _repr_html_(self) -> str:
        notes = [html.paragraph(note) for note in self.record.notes]
        scores = self.record.scores
        return html.page(
            [
                html.paragraph(headline(scores)),
                per_class(self._title(), scores, self.record.train_counts),
                *notes,
                html.paragraph(f"Run: {self.folder}"),
            ]
        )

    def _title(self) -> str:
        record = self.record
        return (
            f"{record.model}, {record.regime}, seed {record.seed} on {record.data.name}"
        )


@dataclass(frozen=True)
class ExportedModel:
    """A model that was handed over, and how it compares with the original."""

    folder: Path
    model: Path
    """The model's file, or its folder where the format is one."""
    card: Path
    """What it is, how to run it, and where it fails, in Markdown."""
    check: str
    """What the comparison with the original found, in sentences."""
    because: str
    """Why this run stands for its study, in sentences; empty for a run itself."""

    def __repr__(self) -> str:
        """Which run it is, how equal, and where it lies."""
        return "\n".join(self._told())

    def _repr_html_(self) -> str:
        return html.page(map(html.paragraph, self._told()))

    def _told(self) -> tuple[str, ...]:
        lines = (self.because, self.check, f"Model: {self.model}", f"Card: {self.card}")
        return tuple(filter(None, lines))


@dataclass(frozen=True)
class Evaluation:
    """How a model fares on labelled images."""

    scores: Scores
    images: str
    """Which images, in words."""

    def __repr__(self) -> str:
        """Which images, and the scores on them."""
        return f"{self.images}\n{headline(self.scores)}"

    def _repr_html_(self) -> str:
        names = [c.name for c in self.scores.per_class]
        matrix = [
            (name, *map(str, row))
            for name, row in zip(names, self.scores.confusion_matrix, strict=True)
        ]
        return html.page(
            [
                html.paragraph(headline(self.scores)),
                per_class(self.images, self.scores),
                html.table(
                    "Confusion matrix: true classes in rows, predicted in columns",
                    ("", *names),
                    matrix,
                ),
            ]
        )


def headline(scores: Scores) -> str:
    """The scores that say most where classes are rare, in one line."""
    text = (
        f"accuracy {scores.accuracy:.1%}, balanced accuracy "
        f"{scores.balanced_accuracy:.1%}, macro-F1 {scores.macro_f1:.1%}, "
        f"worst class's recall {scores.worst_class_recall:.1%}"
    )
    never = scores.never_predicted
    return f"{text}; never predicted: {in_row(never)}" if never else text


def per_class(
    caption: str, scores: Scores, train_counts: Sequence[int] | None = None
) -> str:
    """Precision, recall and F1 of each class as a table, with counts of images.

    A class that was never predicted has no precision, one without test images no score
    at all; a record keeps these as 0.
    """
    counts = train_counts or ()
    head = ("class", "precision", "recall", "F1", "test images")
    rows = []
    for k, c in enumerate(scores.per_class):
        numbers = [f"{value:.1%}" for value in (c.precision, c.recall, c.f1)]
        if c.name in scores.never_predicted:
            numbers[0] = "\N{EN DASH}"
        if not c.support:
            numbers = ["\N{EN DASH}"] * 3
        seen = [f"{counts[k]:,}"] if counts else []
        rows.append((c.name, *numbers, f"{c.support:,}", *seen))
    return html.table(caption, (*head, *(["trained on"] * bool(counts))), rows)

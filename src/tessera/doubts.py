"""A run's or a study's answers -> the images whose labels they contradict.

No model is loaded: every image was answered in training, by models that had not learned
from it. Of a study all seeds of the recommended cell answer together, and of one in
folds every image of the folder was tested.
"""

from dataclasses import dataclass
from pathlib import Path

from tessera import files, meant
from tessera.evaluation import probabilities
from tessera.evaluation.ensemble import mean_probabilities
from tessera.evaluation.mistakes import confident_classes, doubtful_labels
from tessera.models import rebuild
from tessera.phrases import plural
from tessera.record import Record, RunFolder


@dataclass(frozen=True)
class Doubt:
    """An image, and what else it may be."""

    image: str
    """Its file, relative to the data's folder; where there is none, its place among the
    test images, from 0."""
    label: str
    probability: float
    """Of the label, 0..1."""
    suggested: str
    suggested_probability: float


@dataclass(frozen=True)
class Doubts:
    """The labels worth checking, the most contradicted first."""

    rows: tuple[Doubt, ...]
    images: int
    """How many labels were looked at."""
    said_by: str
    """Whose answers contradict them, in sentences."""
    scope: str
    """Which images were looked at, a sentence."""

    @property
    def summary(self) -> str:
        """How many, of which images, and what they are worth."""
        found = plural(len(self.rows), "label")
        return (
            f"{found} of {plural(self.images, 'image')} to look at: candidates, no "
            f"verdicts, for the models may be wrong as well. {self.scope}"
        )


def doubts(path: Path) -> Doubts:
    """Look for labels that the answers contradict, by confident learning.

    Args:
        path: The folder of a finished run or of a finished study.

    Raises:
        RunError: It is neither, or predictions are missing or damaged.
    """
    taken = meant.answered(path)
    record = rebuild.read_record(taken.folder)
    answers = [rebuild.predictions(run.predictions) for run in taken.together]
    labels = answers[0][1]
    shares = mean_probabilities(
        [logits for logits, _ in answers], [_temperature(run) for run in taken.together]
    )
    likeliest = confident_classes(shares, labels)
    known, names = _files(taken.folder), record.data.class_names
    rows = tuple(
        Doubt(
            image=known[at] if known else str(at),
            label=names[labels[at]],
            probability=float(shares[at, labels[at]]),
            suggested=names[likeliest[at]],
            suggested_probability=float(shares[at, likeliest[at]]),
        )
        for at in doubtful_labels(shares, labels)
    )
    folds = rebuild.asked(taken.folder).experiment().pooled
    scope = _scope(record, folds)
    if not known:
        scope += " Numbers are places among the test images, from 0."
    return Doubts(rows, len(labels), taken.because, scope)


def _temperature(run: RunFolder) -> float:
    held = rebuild.predictions(run.validation_predictions)
    return probabilities.temperature(*held).value


def _files(run: RunFolder) -> tuple[str, ...]:
    """Of the test images; none where they are no files."""
    return tuple(map(str, files.read_arrays(run.predictions).get("names", ())))


def _scope(record: Record, folds: int) -> str:
    if folds:
        return (
            "Each was answered by models that had not learned from it, those of one of "
            f"{folds} folds."
        )
    known = sum(record.data.train_counts)
    return (
        f"These are the test images: the models have learned from the {known:,} others "
        "or chosen their epoch by them. A study with --folds tests all."
    )

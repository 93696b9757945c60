"""What a finished run and a finished study leave behind, and where it lies.

The values here are frozen and turn into JSON and back without loss. A run is
finished exactly when its folder holds `record.json`, which is written last.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from tessera.experiment import Experiment
from tessera.results import Baseline, Ensemble, Groups, Interval, Ranking, Value
from tessera.results import Spread as Spread
from tessera.results import Verdict as Verdict

SCHEMA_VERSION = 2
"""2 adds a study's statistics; files of version 1 are read as files without them."""

NO_HEATMAPS = "No heatmaps: "
"""How the note of a run begins whose map is too coarse to be drawn."""


def _inside(folder: str) -> str:
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(folder)
        if path.anchor or ".." in path.parts:
            raise ValueError(f"expected a folder in the study's. Received: {folder!r}")
    return folder


Inside = Annotated[str, AfterValidator(_inside)]
"""A folder in the study's own, relative to it: a record names no other place."""


class ClassScores(Value):
    """How one class fared on the test set."""

    name: str
    precision: float
    """0 where the class was never predicted."""
    recall: float
    f1: float
    support: int
    """Test images of this class."""


class Scores(Value):
    """Scores on the test set; every average is over classes that have test images."""

    accuracy: float
    balanced_accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    weighted_precision: float
    weighted_recall: float
    weighted_f1: float
    worst_class_recall: float
    per_class: tuple[ClassScores, ...]
    never_predicted: tuple[str, ...]
    """Classes whose precision is undefined (0/0) and stands as 0."""
    confusion_matrix: tuple[tuple[int, ...], ...]
    """Row: true class; column: predicted class."""


class Environment(Value):
    """What a number was computed with."""

    tessera: str
    commit: str | None
    """None outside a git checkout."""
    dirty: bool | None
    python: str
    packages: dict[str, str]
    backend: str
    device: str
    cores: int
    threads: int
    """Threads that one training used."""
    platform: str


class DataSummary(Value):
    """The dataset as it was loaded."""

    name: str
    """As results must call it, say `CIFAR-10`."""
    fingerprint: str
    """SHA-256 of the decoded pixels, labels, class names and groups."""
    class_names: tuple[str, ...]
    train_counts: tuple[int, ...]
    """Images per class before any profile."""
    test_counts: tuple[int, ...]
    test_groups: tuple[int, ...] | None = None
    """How many groups each class's test images are of; None: each stands alone."""
    image_shape: tuple[int, int, int]
    notes: tuple[str, ...] = ()
    """What to know of how it was loaded; empty in records of earlier versions."""

    @property
    def test_units(self) -> tuple[int, ...]:
        """What is drawn of each class for intervals: its test images or groups."""
        return self.test_counts if self.test_groups is None else self.test_groups


class Record(Value):
    """One finished run."""

    schema_version: int = Field(SCHEMA_VERSION, le=SCHEMA_VERSION)
    digest: str
    model: str
    regime: str
    seed: int
    scores: Scores
    parameters: int
    multiply_adds: int
    """Of one image's forward pass."""
    train_counts: tuple[int, ...]
    """Images per class that the optimiser saw."""
    validation_counts: tuple[int, ...]
    reduced_classes: tuple[int, ...]
    """Classes that the profile made rarer than the most common kept class."""
    best_epoch: int
    """Counted from 1."""
    train_seconds: float
    """Wall time."""
    train_cpu_seconds: float | None = None
    """Processor time over all threads; None in records of earlier versions."""
    images_per_second: float
    """Training images seen per second, augmentation and validation included."""
    notes: tuple[str, ...] = ()
    """Warnings a reader needs, in plain words."""
    tuned: dict[str, float] = Field(default_factory=dict)
    """What the remedy chose on the validation images, say `tau`."""
    data: DataSummary
    provenance: Environment
    finished_at: str
    """UTC, ISO 8601."""


class CellSummary(Value):
    """One row of the comparison: a model under a regime, over its seeds."""

    model: str
    regime: str
    seeds: tuple[int, ...]
    folders: tuple[Inside, ...]
    """Of the runs."""
    parameters: int
    multiply_adds: int
    train_seconds: Spread
    scores: dict[str, Spread]
    """By name; of reduced classes, groups and probabilities where there are any."""
    per_class_recall: dict[str, Spread]
    per_class_precision: dict[str, Spread] = Field(default_factory=dict)
    per_class_f1: dict[str, Spread] = Field(default_factory=dict)
    train_counts: tuple[int, ...] = ()
    """Images per class that the first seed's optimiser saw."""
    groups: Groups | None = None
    """Head, middle and tail; None where all classes are equal."""
    intervals: dict[str, tuple[Interval, ...]] = Field(default_factory=dict)
    """Bootstrap intervals of scores over test images, one per seed."""
    temperature: Spread | None = None
    """Fitted on validation images, or 1; scores ending in `_scaled` are after it."""
    ensemble: Ensemble | None = None
    """All seeds asked together; None for a single seed, and in earlier versions."""


class ComputedWith(Value):
    """What some of a study's runs were computed with."""

    environment: Environment
    runs: int


class StudyRecord(Value):
    """`study.json`: everything a reader of the study needs, pictures aside."""

    schema_version: int = Field(SCHEMA_VERSION, le=SCHEMA_VERSION)
    experiment: Experiment
    data: DataSummary
    environment: Environment
    """Of the command that concluded the study."""
    trained: tuple[ComputedWith, ...] = ()
    """What runs were computed with, most runs first; empty in earlier versions."""
    cells: tuple[CellSummary, ...]
    verdicts: tuple[Verdict, ...]
    rankings: tuple[Ranking, ...] = ()
    """Per model and imbalanced profile with at least one remedy."""
    baselines: tuple[Baseline, ...] = ()


@dataclass(frozen=True)
class RunFolder:
    """Names of the files in a run's folder."""

    path: Path

    @property
    def experiment(self) -> Path:
        """The resolved experiment of this run alone, TOML."""
        return self.path / "experiment.toml"

    @property
    def manifest(self) -> Path:
        """Which images were used: recipe, counts, indices and their hash, JSON."""
        return self.path / "manifest.json"

    @property
    def history(self) -> Path:
        """One row per epoch, CSV."""
        return self.path / "history.csv"

    @property
    def weights(self) -> Path:
        """The weights of the best epoch."""
        return self.path / "best.weights.h5"

    @property
    def checkpoints(self) -> Path:
        """Where an unfinished training goes on; gone when the run is finished."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """The best model: raw pixels 0..255 in, probabilities out."""
        return self.path / "model.keras"

    @property
    def predictions(self) -> Path:
        """Test set: `logits` [N, K], `labels`, `indices`; perhaps `groups`, `names`."""
        return self.path / "predictions.npz"

    @property
    def validation_predictions(self) -> Path:
        """Validation set: the same arrays; for calibration, never for scores."""
        return self.path / "validation_predictions.npz"

    @property
    def heatmaps(self) -> Path:
        """Explained test images and their raw maps (see `tessera.explain`)."""
        return self.path / "heatmaps.npz"

    @property
    def mistakes(self) -> Path:
        """Test images worth looking at, explained, with their files' names."""
        return self.path / "mistakes.npz"

    @property
    def faithfulness(self) -> Path:
        """How far the run's maps can be trusted, JSON; see `tessera faithfulness`."""
        return self.path / "faithfulness.json"

    @property
    def faithfulness_values(self) -> Path:
        """The values per image behind it, and the raw maps."""
        return self.path / "faithfulness.npz"

    @property
    def record(self) -> Path:
        """The `Record`; its presence says the run is finished."""
        return self.path / "record.json"


@dataclass(frozen=True)
class StudyFolder:
    """Names of the files in a study's folder."""

    path: Path

    @property
    def study(self) -> Path:
        """The `StudyRecord`."""
        return self.path / "study.json"

    @property
    def report(self) -> Path:
        """The self-contained report."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        """The report's figures as SVG files."""
        return self.path / "figures"

    def run(self, cell: str, digest: str, seed: int) -> RunFolder:
        """The folder of one run."""
        return RunFolder(self.path / "runs" / f"{cell}-{digest[:8]}" / f"seed-{seed}")


def finished(folder: RunFolder, digest: str) -> Record | None:
    """The record in a folder, if it is whole and of the run with this digest."""
    with contextlib.suppress(OSError, ValidationError):
        record = Record.model_validate_json(folder.record.read_bytes())
        return record if record.digest == digest else None
    return None

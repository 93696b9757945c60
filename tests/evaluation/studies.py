"""Synthetic records: runs whose recalls are chosen, so that verdicts are known."""

from collections.abc import Callable, Sequence

import numpy as np

from tessera.arrays import Confusion
from tessera.evaluation.roles import Roles, roles
from tessera.evaluation.scores import from_confusion
from tessera.experiment import Cnn, Experiment, Regime
from tessera.record import DataSummary, Environment, Record, StudyRecord
from tessera.results import Ranking, Spread

NAMES = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
REDUCED = (3, 4, 5)
PER_CLASS = 1000

FIVE = Experiment(models=(Cnn(),), seeds=(0, 1, 2, 3, 4))
"""One model, the reference study's regimes, seeds enough for narrow intervals."""

Recalls = Callable[[str, str, int], Sequence[float]]
"""(model label, regime name, seed) -> the recall of every class."""

ENVIRONMENT = Environment(
    tessera="0.1.0",
    commit="0123456789abcdef",
    dirty=False,
    python="3.11.9",
    packages={"keras": "3.15.1", "numpy": "2.2.0"},
    backend="tensorflow",
    device="A processor",
    cores=2,
    threads=2,
    platform="Linux x86_64",
)


def confusion(recalls: Sequence[float], per_class: int = PER_CLASS) -> Confusion:
    """Every miss goes to the next class."""
    classes = len(recalls)
    matrix = np.zeros((classes, classes), np.int64)
    for i, recall in enumerate(recalls):
        hits = round(recall * per_class)
        matrix[i, i] = hits
        matrix[i, (i + 1) % classes] = per_class - hits
    return matrix


def flat(common: float, reduced: float) -> list[float]:
    """One recall for the reduced classes and one for all the others."""
    return [reduced if i in REDUCED else common for i in range(len(NAMES))]


def record(
    model: str, regime: Regime, seed: int, recalls: Sequence[float], **changes: object
) -> Record:
    """A finished run with these recalls."""
    reduces = regime.profile.kind not in ("balanced", "natural")
    counts = tuple(900 if reduces and i in REDUCED else 4500 for i in range(len(NAMES)))
    fields: dict[str, object] = {
        "digest": "d" * 64,
        "model": model,
        "regime": regime.name,
        "seed": seed,
        "scores": from_confusion(confusion(recalls), NAMES),
        "parameters": 193_098,
        "multiply_adds": 12_000_000,
        "train_counts": counts,
        "validation_counts": tuple(n // 9 for n in counts),
        "reduced_classes": REDUCED if reduces else (),
        "best_epoch": 7,
        "train_seconds": 100.0 + seed,
        "images_per_second": 900.0,
        "data": DataSummary(
            name="Synthetic",
            fingerprint="f" * 64,
            class_names=NAMES,
            train_counts=(5000,) * len(NAMES),
            test_counts=(PER_CLASS,) * len(NAMES),
            image_shape=(32, 32, 3),
        ),
        "provenance": ENVIRONMENT,
        "finished_at": "2026-01-02T03:04:05+00:00",
    }
    return Record.model_validate(fields | changes)


def records(experiment: Experiment, recalls: Recalls) -> list[Record]:
    """Every run of the experiment, with the recalls that the function gives it."""
    return [
        record(
            run.model.label,
            run.regime,
            run.seed,
            recalls(run.model.label, run.regime.name, run.seed),
        )
        for run in experiment.runs()
    ]


def found(experiment: Experiment, recalls: Recalls) -> Roles:
    """The roles in a study whose runs have these recalls."""
    return roles(experiment, records(experiment, recalls))


def sway(seed: int, size: float = 0.002) -> float:
    """Small differences between seeds that do not cancel between regimes."""
    return size * (-1) ** seed * (1 + seed)


def by_nature(record: Record, rare: int = 900) -> Record:
    """A run on data whose classes 3, 4 and 5 come with fewer images than the others.

    Balanced training leaves images out; 900 of 4,500 are rare, 3,600 are not.
    """
    levelled = record.regime == "balanced"
    common = rare if levelled else 4500
    named = REDUCED if rare < common / 2 else ()
    counts, natural = (
        tuple(rare if i in REDUCED else most for i in range(len(NAMES)))
        for most in (common, 4500)
    )
    data = record.data.model_copy(update={"train_counts": natural})
    told = {"train_counts": counts, "reduced_classes": named, "data": data}
    return record.model_copy(update=told)


def of_one_class(record: Record) -> Record:
    """The run on the test images of the first class alone."""
    matrix = np.array(record.scores.confusion_matrix)
    matrix[1:] = 0
    return record.model_copy(update={"scores": from_confusion(matrix, NAMES)})


def folders(experiment: Experiment) -> list[str]:
    """The folder of every record, in the order of `records`."""
    return [f"runs/{run.cell}-dddddddd/seed-{run.seed}" for run in experiment.runs()]


def picking(study: StudyRecord, *models: str) -> StudyRecord:
    """The study with a ranking that recommends each of these models' regime."""
    none = Spread(mean=0, deviation=None, values=(0,))
    rankings = [
        Ranking(
            model=model,
            plain="plain",
            balanced=None,
            rare_classes=(),
            common_classes=(),
            sides=("reduced", "other"),
            plain_f1=none,
            balanced_f1=None,
            plain_seconds=none,
            remedies=(),
            pick="balanced",
            recommendation=(),
        )
        for model in models
    ]
    return study.model_copy(update={"rankings": tuple(rankings)})

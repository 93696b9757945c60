"""One run, start to finish: the whole story on one screen.

data -> imbalance -> model -> training -> evaluation -> explanation -> record
"""

import csv
import datetime
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tessera import files, runtime, settings
from tessera.arrays import Counts, Indices, Logits
from tessera.data import manifest, splits
from tessera.data.dataset import Dataset, Split
from tessera.evaluation import scores
from tessera.experiment import Run
from tessera.explain import examples, gradcam, mistakes
from tessera.imbalance import plan, profiles
from tessera.models import build, cost
from tessera.record import Record, RunFolder
from tessera.training import fit, predict


@dataclass(frozen=True, eq=False)
class Chosen:
    """Which of the dataset's images a run uses, and for what."""

    train: Indices
    """Positions in the dataset's training images."""
    validation: Split
    held: Indices
    """Positions of the validation images in the split that they come from."""


def execute(
    run: Run,
    dataset: Dataset,
    folder: RunFolder,
    *,
    threads: int | None = None,
    report: Callable[..., None] = lambda *_: None,
) -> Record:
    """Train, test and explain one model, and leave everything in `folder`.

    `record.json` is written last: a folder without it is unfinished work, which the
    next call does again from the start.

    Args:
        run: What to do.
        dataset: What `run.data` was loaded to.
        folder: Where to leave it.
        threads: Threads of this process, for the record; None: all cores.
        report: Told of every training step, see `training.fit.Report`.

    Raises:
        ProfileError: The profile does not fit the data.
        ModelError: The model cannot be built for these images.
        TrainingDiverged: The loss became NaN or infinite.
    """
    files.write_text(folder.experiment, settings.dumps(run.experiment()))
    chosen = choose(run, dataset)
    files.write_json(folder.manifest, describe(run, dataset, chosen))
    runtime.make_deterministic(run.seed)
    classes = len(dataset.class_names)
    net = build.build(run.model, dataset.image_shape, classes, seed=run.seed)
    fitted = train_model(run, net, dataset, chosen, folder=folder, report=report)
    write_history(folder, fitted.history)
    logits = predict_splits(net, dataset, chosen, folder)
    notes = write_heatmaps(run, net, dataset, logits, folder)
    with files.replacing(folder.model) as temporary:
        build.with_probabilities(net).save(temporary)
    record = conclude(
        run, net, dataset, chosen, fitted, logits=logits, notes=notes, threads=threads
    )
    files.write_text(folder.record, record.model_dump_json(indent=2) + "\n")
    return record


def choose(run: Run, dataset: Dataset) -> Chosen:
    """Make the imbalance, then cut the validation set from what is left.

    A dataset that brings a validation set of its own keeps it.
    """
    labels = dataset.train.labels
    kept = profiles.select(
        run.regime.profile, labels, dataset.class_names, seed=run.seed
    )
    if dataset.validation is not None:
        everything = np.arange(len(dataset.validation))
        return Chosen(kept, dataset.validation, everything)
    inner, outer = splits.stratified(labels[kept], run.data.validation, seed=run.seed)
    held = kept[outer]
    return Chosen(kept[inner], Split(dataset.train.images[held], labels[held]), held)


def describe(run: Run, dataset: Dataset, chosen: Chosen) -> dict[str, Any]:
    """The manifest: which images, by which recipe."""
    return manifest.manifest(
        run.data,
        run.regime.profile,
        dataset,
        seed=run.seed,
        train=chosen.train,
        validation=chosen.held,
    )


def train_model(
    run: Run,
    net: Any,
    dataset: Dataset,
    chosen: Chosen,
    *,
    folder: RunFolder,
    report: Callable[..., None],
) -> fit.Fitted:
    """Turn the remedy into a plan for the images at hand, and train by it."""
    return fit.fit(
        net,
        plan.plan(run.regime.remedy, train_counts(dataset, chosen)),
        fit.Material(dataset.train, chosen.train, chosen.validation),
        run.training,
        seed=run.seed,
        weights=folder.weights,
        report=report,
    )


def predict_splits(
    net: Any, dataset: Dataset, chosen: Chosen, folder: RunFolder
) -> Logits:
    """Store validation and test predictions; return the test set's logits."""
    validation = predict.logits(net, chosen.validation.images)
    write_predictions(
        folder.validation_predictions, validation, chosen.validation, chosen.held
    )
    logits = predict.logits(net, dataset.test.images)
    everything = np.arange(len(dataset.test))
    write_predictions(folder.predictions, logits, dataset.test, everything)
    return logits


def conclude(
    run: Run,
    net: Any,
    dataset: Dataset,
    chosen: Chosen,
    fitted: fit.Fitted,
    *,
    logits: Logits,
    notes: tuple[str, ...],
    threads: int | None,
) -> Record:
    """The record of a run that is done."""
    names = dataset.class_names
    return Record(
        digest=run.digest(dataset.fingerprint),
        model=run.model.label,
        regime=run.regime.name,
        seed=run.seed,
        scores=scores.scores(dataset.test.labels, logits.argmax(axis=1), names),
        parameters=net.count_params(),
        multiply_adds=cost.multiply_adds(net),
        train_counts=tuple(train_counts(dataset, chosen).tolist()),
        validation_counts=tuple(chosen.validation.counts(len(names)).tolist()),
        reduced_classes=reduced_classes(run, dataset),
        best_epoch=fitted.best_epoch,
        train_seconds=fitted.seconds,
        images_per_second=fitted.images_per_second,
        notes=notes,
        data=dataset.summary(),
        provenance=runtime.environment(threads),
        finished_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def train_counts(dataset: Dataset, chosen: Chosen) -> Counts:
    """Images per class that the optimiser sees, int64 [K]."""
    labels = dataset.train.labels[chosen.train]
    return np.bincount(labels, minlength=len(dataset.class_names)).astype(np.int64)


def reduced_classes(run: Run, dataset: Dataset) -> tuple[int, ...]:
    """The classes that this run's profile made rare."""
    available = dataset.train.counts(len(dataset.class_names))
    kept = profiles.counts(run.regime.profile, available, dataset.class_names)
    return profiles.reduced_classes(kept, available)


def write_history(folder: RunFolder, history: tuple[dict[str, float], ...]) -> None:
    """Write one CSV row per epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    files.write_text(folder.history, text.getvalue())


def write_predictions(path: Any, logits: Logits, split: Split, where: Indices) -> None:
    """Write what every later score, interval and figure is computed from."""
    files.write_arrays(path, logits=logits, labels=split.labels, indices=where)


def write_heatmaps(
    run: Run, net: Any, dataset: Dataset, logits: Logits, folder: RunFolder
) -> tuple[str, ...]:
    """Explain right and wrong test answers of every class; return what to note.

    A map too coarse to say where a model looks is not drawn, and that is noted.
    """
    test = dataset.test
    indices = examples.choose(
        test.labels,
        logits.argmax(axis=1),
        per_class=run.explain.examples,
        seed=run.seed,
    )
    if not len(indices):
        return ()
    try:
        explanations = gradcam.explain(net, test.images[indices])
    except gradcam.CoarseGrid as error:
        return (f"No heatmaps: {error}",)
    examples.write(
        folder.heatmaps,
        explanations,
        images=test.images,
        labels=test.labels,
        indices=indices,
    )
    return mistakes.write(
        folder.mistakes,
        net,
        images=test.images,
        labels=test.labels,
        logits=logits,
    )

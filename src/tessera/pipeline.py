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
from tessera.arrays import Indices, Logits
from tessera.data import manifest, splits
from tessera.data.dataset import Dataset, Split
from tessera.evaluation import scores
from tessera.experiment import Run
from tessera.imbalance import plan, profiles
from tessera.record import Record, RunFolder


@dataclass(frozen=True)
class Chosen:
    """Which of the dataset's training images a run uses, and for what."""

    train: Indices
    validation: Indices
    """Empty when the dataset brings a validation set of its own."""


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

    Raises:
        TrainingDiverged: The loss became NaN or infinite.
    """
    from tessera.models import build, cost
    from tessera.training import fit, predict

    folder.path.mkdir(parents=True, exist_ok=True)
    files.write_text(folder.experiment, settings.dumps(run.experiment()))
    chosen = choose(run, dataset)
    validation, held = validation_split(dataset, chosen)
    files.write_json(
        folder.manifest,
        manifest.manifest(
            run.data,
            run.regime.profile,
            dataset,
            seed=run.seed,
            train=chosen.train,
            validation=held,
        ),
    )
    runtime.make_deterministic(run.seed)
    classes = len(dataset.class_names)
    net = build.build(run.model, dataset.image_shape, classes, seed=run.seed)
    counts = np.bincount(dataset.train.labels[chosen.train], minlength=classes)
    fitted = fit.fit(
        net,
        plan.plan(run.regime.remedy, counts),
        fit.Material(dataset.train, chosen.train, validation),
        run.training,
        seed=run.seed,
        weights=folder.weights,
        report=report,
    )
    write_history(folder, fitted.history)
    write_predictions(
        folder.validation_predictions,
        predict.logits(net, validation.images),
        validation,
        held,
    )
    logits = predict.logits(net, dataset.test.images)
    everything = np.arange(len(dataset.test.labels))
    write_predictions(folder.predictions, logits, dataset.test, everything)
    notes = write_heatmaps(run, net, dataset, logits, folder)
    with files.replacing(folder.model) as temporary:
        build.with_probabilities(net).save(temporary)

    record = Record(
        digest=run.digest(dataset.fingerprint),
        model=run.model.label,
        regime=run.regime.name,
        seed=run.seed,
        scores=scores.scores(
            dataset.test.labels, logits.argmax(axis=1), dataset.class_names
        ),
        parameters=net.count_params(),
        multiply_adds=cost.multiply_adds(net),
        train_counts=tuple(counts.tolist()),
        validation_counts=tuple(validation.counts(classes).tolist()),
        reduced_classes=reduced_classes(run, dataset),
        best_epoch=fitted.best_epoch,
        train_seconds=fitted.seconds,
        images_per_second=fitted.images_per_second,
        notes=notes,
        data=dataset.summary(),
        provenance=runtime.environment(threads),
        finished_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    files.write_text(folder.record, record.model_dump_json(indent=2) + "\n")
    return record


def choose(run: Run, dataset: Dataset) -> Chosen:
    """Make the imbalance, then cut the validation set from what is left."""
    labels = dataset.train.labels
    kept = profiles.select(
        run.regime.profile, labels, dataset.class_names, seed=run.seed
    )
    if dataset.validation is not None:
        return Chosen(kept, np.empty(0, np.int64))
    inner, held = splits.stratified(labels[kept], run.data.validation, seed=run.seed)
    return Chosen(kept[inner], kept[held])


def validation_split(dataset: Dataset, chosen: Chosen) -> tuple[Split, Indices]:
    """The validation images and their indices in the split that they come from."""
    if dataset.validation is not None:
        return dataset.validation, np.arange(len(dataset.validation.labels))
    held = chosen.validation
    return Split(dataset.train.images[held], dataset.train.labels[held]), held


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
    from tessera.explain import examples, gradcam

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
    return ()

"""One run, start to finish: the whole story on one screen.

data -> imbalance -> model -> training -> evaluation -> explanation -> record
"""

import datetime
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from tessera import artefacts, checkpoint, files, history, run_notes, runtime, settings
from tessera.arrays import Logits
from tessera.data import manifest
from tessera.data.dataset import Dataset
from tessera.evaluation import health, scores
from tessera.evaluation.probabilities import fitted_temperature
from tessera.experiment import Run
from tessera.imbalance import plan
from tessera.models import build, cost, weights
from tessera.models.portable import portable
from tessera.record import Record, RunFolder, finished
from tessera.selection import Chosen, choose, reduced_classes, unvalidated
from tessera.training import after, fit, predict
from tessera.training.batches import Material
from tessera.training.resume import Store

SHARED = (
    "The training is that of the same regime without the last step, which the same "
    "seed would repeat bit by bit."
)


def execute(
    run: Run,
    dataset: Dataset,
    folder: RunFolder,
    *,
    threads: int | None = None,
    donor: RunFolder | None = None,
    start: RunFolder | None = None,
    report: Callable[..., None] = lambda *_: None,
    fitted: fit.Fitted | None = None,
) -> Record:
    """Train, test and explain one model, and leave everything in `folder`.

    `record.json` is written last, and an earlier one is removed first: a folder without
    it is unfinished work. The next call goes on with its training, to the same bits,
    and does the rest again.

    Args:
        run: What to do.
        dataset: What `run.data` was loaded to.
        folder: Where to leave it.
        threads: Threads of this process, for the record; None: all cores.
        donor: Where the run lies that differs only in what is done after training.
            If it is finished, its training is taken over.
        start: Of the run whose weights it starts from; None: where its settings say.
        report: Told of every training step, see `training.fit.Report`.
        fitted: Of a training that is done and has left its weights in `folder`.

    Raises:
        ProfileError: The profile does not fit the data.
        ModelError: The model cannot be built for these images.
        RemedyError: The remedy cannot be used on them.
        RunError: The run whose weights this one starts from is gone.
        TrainingDiverged: The loss became NaN or infinite.
    """
    files.sweep(folder.path)
    folder.record.unlink(missing_ok=True)
    here = run if start is None else run.starting_at(start.path)
    chosen = choose(run, dataset)
    made = manifest.manifest(
        run.data,
        run.regime.profile,
        dataset,
        seed=run.seed,
        train=chosen.train,
        validation=chosen.held,
    )
    runtime.make_deterministic(run.seed)
    net = build.for_run(run, dataset.image_shape, len(dataset.class_names))
    remarks = (
        *run_notes.before(here, chosen),
        *unvalidated(dataset, {run.seed: chosen.validation.counts(len(chosen.counts))}),
    )
    # Nothing refuses the run from here on; what is refused leaves nothing behind.
    files.write_text(folder.experiment, settings.dumps(run.experiment()))
    files.write_json(folder.manifest, made)
    fitted, more = trained(
        here, net, dataset, chosen, folder, donor=donor, report=report, fitted=fitted
    )
    history.write(folder, fitted.history)
    tuned = finish(run, net, chosen, folder)
    logits, warmth = predict_splits(net, dataset, chosen, folder)
    drawn = artefacts.write_heatmaps(
        run, net, dataset, logits, folder, temperature=warmth
    )
    with weights.replacing(folder.model) as temporary:
        portable(build.with_probabilities(net)).save(temporary)
    record = conclude(
        run,
        net,
        dataset,
        chosen,
        fitted,
        logits=logits,
        notes=(*remarks, *more, *drawn),
        tuned=tuned,
        threads=threads,
    )
    files.write_text(folder.record, record.model_dump_json(indent=2) + "\n")
    checkpoint.clear(folder.checkpoints)
    return record


def trained(
    run: Run,
    net: Any,
    dataset: Dataset,
    chosen: Chosen,
    folder: RunFolder,
    *,
    donor: RunFolder | None,
    report: Callable[..., None],
    fitted: fit.Fitted | None,
) -> tuple[fit.Fitted, tuple[str, ...]]:
    """Train the model, unless that is done or another run has done it; with remarks."""
    if fitted is not None:
        weights.load(net, folder.weights)
        return fitted, fitted.notes
    if donor and (fitted := take_over(run, net, dataset, donor, folder)):
        return fitted, (SHARED,)
    passed_over: list[str] = []

    def note(why: str) -> None:
        checkpoint.loudly(why)
        # A record may be passed on: it names places within its folder only.
        passed_over.append(why.replace(f"{folder.path}/", ""))

    store = checkpoints(run, dataset, folder, note)
    asked = job(run, net, dataset, chosen, folder=folder, report=report, store=store)
    return fit.fit(asked), tuple(passed_over)


def job(
    run: Run,
    net: Any,
    dataset: Dataset,
    chosen: Chosen,
    *,
    folder: RunFolder,
    report: fit.Report = lambda *_: None,
    store: Store | None = None,
) -> fit.Job:
    """A run's training: its remedy, as a plan for these images, and all it needs."""
    return fit.Job(
        net=net,
        plan=plan.plan(run.regime.remedy, chosen.counts),
        material=Material(dataset.train, chosen.train, chosen.validation),
        training=run.training,
        seed=run.seed,
        weights=folder.weights,
        report=report,
        store=store,
        start=run.model.start,
    )


def checkpoints(
    run: Run, dataset: Dataset, folder: RunFolder, note: Callable[[str], None]
) -> Store:
    """Where a run's checkpoints lie, and the hash of all that decides its bits.

    The machine counts, because another processor, thread count or library may round
    differently: what would not be bit-equal starts over instead.
    """
    facts = [run.digest(dataset.fingerprint), run.seed, runtime.numerics()]
    canonical = json.dumps(facts, sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return Store(folder.checkpoints, digest, note)


def take_over(
    run: Run, net: Any, dataset: Dataset, donor: RunFolder, folder: RunFolder
) -> fit.Fitted | None:
    """The training of a finished run with the same plan; None where there is none.

    `net` gets the donor's weights, as its own training would have left them.
    """
    twin = run.without_after()
    record = finished(donor, twin.digest(dataset.fingerprint))
    if record is None:
        return None
    weights.load(net, donor.weights)
    weights.save(net, folder.weights)
    return fit.Fitted(
        history=history.read(donor),
        best_epoch=record.best_epoch,
        seconds=record.train_seconds,
        cpu_seconds=record.train_cpu_seconds or record.train_seconds,
        images_per_second=record.images_per_second,
    )


def finish(run: Run, net: Any, chosen: Chosen, folder: RunFolder) -> dict[str, float]:
    """Do what the remedy does after training; return what was chosen for it."""
    end = run.regime.remedy.after
    if end is None:
        return {}
    tuned = after.apply(net, end, chosen.counts, chosen.validation)
    weights.save(net, folder.weights)
    return tuned


def predict_splits(
    net: Any, dataset: Dataset, chosen: Chosen, folder: RunFolder
) -> tuple[Logits, float]:
    """Store validation and test predictions.

    Returns:
        The test set's logits, and the temperature that the validation set tells.
    """
    validation = predict.logits(net, chosen.validation.images)
    artefacts.write_predictions(
        folder.validation_predictions, validation, chosen.validation, chosen.held
    )
    logits = predict.logits(net, dataset.test.images)
    everything = np.arange(len(dataset.test))
    artefacts.write_predictions(folder.predictions, logits, dataset.test, everything)
    return logits, fitted_temperature(validation, chosen.validation.labels)


def conclude(
    run: Run,
    net: Any,
    dataset: Dataset,
    chosen: Chosen,
    fitted: fit.Fitted,
    *,
    logits: Logits,
    notes: tuple[str, ...],
    tuned: dict[str, float],
    threads: int | None,
) -> Record:
    """The record of a run that is done."""
    names = dataset.class_names
    found = scores.scores(dataset.test.labels, logits.argmax(axis=1), names)
    planned = plan.plan(run.regime.remedy, chosen.counts)
    starts = plan.starts(planned, run.training.epochs)
    return Record(
        digest=run.digest(dataset.fingerprint),
        model=run.model.label,
        regime=run.regime.name,
        seed=run.seed,
        scores=found,
        parameters=net.count_params(),
        multiply_adds=cost.multiply_adds(net),
        train_counts=tuple(chosen.counts.tolist()),
        validation_counts=tuple(chosen.validation.counts(len(names)).tolist()),
        reduced_classes=reduced_classes(run, dataset),
        best_epoch=fitted.best_epoch,
        train_seconds=fitted.seconds,
        train_cpu_seconds=fitted.cpu_seconds,
        images_per_second=fitted.images_per_second,
        notes=(*notes, *health.remarks(fitted.history, found, starts=starts)),
        tuned=tuned,
        data=dataset.summary(),
        provenance=runtime.environment(threads),
        finished_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )

"""How long a study will take, from a few training steps timed on this machine."""

import contextlib
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tessera import files, machine, processes, runtime, selection, workers
from tessera.data import cache
from tessera.data.dataset import Dataset
from tessera.experiment import Run
from tessera.imbalance import sampling
from tessera.remedies import Remedy
from tessera.settings import ExperimentError

START = 4.0
"""Seconds of a core until the first worker has its framework: medians of 4.3 with
TensorFlow, 2.2 with JAX. Those after it are forks, within tenths of a second."""

EACH = 4.0
"""Seconds that a run takes for itself: tracing, saving, explaining."""

SECOND_STAGE = 1 / 3
"""Cost of an image whose features are not trained: a forward pass, no way back."""

BATCHES = 4
"""Timed after one that is not, which the framework spends on compiling."""


CLOCK = "processor"
"""What speeds were timed by, see `clock`: those timed before by the wall clock alone
count no more."""

COSTLY = {"batch_size", "optimizer", "precision"}
"""Settings of a training that decide how long a step takes."""


@dataclass(frozen=True)
class Speed:
    """Seconds per image of one model."""

    train: float
    predict: float


def seconds(
    tasks: Sequence[workers.Task],
    dataset: Dataset,
    speeds: dict[str, Speed],
    *,
    jobs: int,
) -> float:
    """Wall time of the tasks, `jobs` at a time, by workers that have begun.

    Args:
        tasks: Runs to do.
        dataset: Their data.
        speeds: Of each model, by label.
        jobs: Runs side by side.
    """
    shares = [
        EACH
        + passes(task, dataset) * speeds[task.run.model.label].train
        + predictions(task.run, dataset) * speeds[task.run.model.label].predict
        for task in tasks
    ]
    longest = max(shares, default=0.0)
    return max(sum(shares) / max(jobs, 1), longest)


def passes(task: workers.Task, dataset: Dataset) -> float:
    """Training images that a run will see, in units of a plain step's cost."""
    if task.donor is not None:
        return 0.0
    run, regime = task.run, task.run.regime
    counts, _ = selection.planned(regime.profile, run.data.validation, dataset)
    epochs = run.training.epochs
    first, second = sampling.lengths(regime.remedy, counts, epochs=epochs)
    step = 2.0 if regime.remedy.sharpness else 1.0
    return epochs * (step * first + SECOND_STAGE * second)


def predictions(run: Run, dataset: Dataset) -> float:
    """Images that a run will predict: validation each epoch, the test set once."""
    _, held = selection.planned(run.regime.profile, run.data.validation, dataset)
    return float(held.sum() * run.training.epochs + len(dataset.test))


def speeds(
    tasks: Sequence[workers.Task], dataset: Dataset, *, threads: int
) -> dict[str, Speed]:
    """The speed of each model, timed in a process of its own or remembered.

    Args:
        tasks: Whose models.
        dataset: Gives the size of the images and the number of classes.
        threads: Of each training.

    Returns:
        Speeds by the models' labels; empty when the process could not time them.

    Raises:
        ExperimentError: A model cannot be built for these images, so that every
            training of it would fail.
    """
    images = len(dataset.train)
    runs = {task.run.model.label: _no_larger(task.run, images) for task in tasks}
    place = machine.cache_folder() / "speed.json"
    known = _remembered(place)
    keys = {label: _key(run, dataset, threads=threads) for label, run in runs.items()}
    # Models that differ in name and start alone take the same time.
    missing: dict[str, Run] = {}
    for label, run in runs.items():
        if keys[label] not in known:
            missing.setdefault(keys[label], run)
    if missing:
        shape, classes = dataset.image_shape, len(dataset.class_names)
        found = _elsewhere([*missing.values()], shape, classes, threads)
        known |= {keys[label]: asdict(speed) for label, speed in found.items()}
        if found:
            with contextlib.suppress(files.CannotWrite):  # timed anew the next time
                files.write_json(place, known)
    if any(key not in known for key in keys.values()):
        return {}
    return {label: Speed(**known[key]) for label, key in keys.items()}


def _no_larger(run: Run, images: int) -> Run:
    """The run in batches of no more images than there are, as it will be trained."""
    batch = min(run.training.batch_size, images)
    training = run.training.model_copy(update={"batch_size": batch})
    return run.model_copy(update={"training": training})


def _key(run: Run, dataset: Dataset, *, threads: int) -> str:
    here = runtime.environment(threads)
    return cache.key(
        run.model.network.model_dump(mode="json"),
        run.training.model_dump(mode="json", include=COSTLY),
        [*dataset.image_shape, len(dataset.class_names), threads],
        [here.device, here.backend, here.tessera, here.packages],
        CLOCK,
    )


def _remembered(place: Path) -> dict[str, Any]:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _elsewhere(
    runs: Sequence[Run],
    shape: tuple[int, int, int],
    classes: int,
    threads: int,
) -> dict[str, Speed]:
    """Time the models in a fresh process, which gives TensorFlow's memory back."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    arguments = (theirs, runs, shape, classes, threads)
    process = processes.start(_time_all, arguments, threads=threads)
    # Only the process holds its end now, so that its end closes the pipe.
    theirs.close()
    found: dict[str, Speed] = {}
    with ours, contextlib.suppress(EOFError, OSError):
        while True:
            label, answer = ours.recv()
            if isinstance(answer, str):
                process.terminate()
                raise ExperimentError(f"model {label}: {answer}")
            found[label] = answer
    process.join()
    return found


def _time_all(
    pipe: Any,
    runs: Sequence[Run],
    shape: tuple[int, int, int],
    classes: int,
    threads: int,
) -> None:
    from tessera.models.blocks import ModelError

    for run in runs:
        label = run.model.label
        try:
            pipe.send((label, timed(run, shape, classes, clock(threads))))
        except ModelError as error:
            # As words: its type would have the parent import the framework.
            pipe.send((label, str(error)))
        except Exception:  # a training says it better, if it is one
            continue


def clock(threads: int) -> Callable[[], float]:
    """The clock that says best how long steps take on a machine without other work.

    That is the processor time of a single thread, which other work hardly changes;
    where several threads or an accelerator share the work, only the wall clock knows.
    """
    alone = threads == 1 and runtime.on_processor()
    return time.process_time if alone else time.perf_counter


def timed(
    run: Run,
    shape: tuple[int, int, int],
    classes: int,
    now: Callable[[], float],
) -> Speed:
    """Time a few batches of training and of prediction in this process, by a clock."""
    from tessera.imbalance import plan as plans
    from tessera.models import build
    from tessera.training import predict, stages

    training = run.training.model_copy(update={"epochs": 1})
    net = build.build(run.model, shape, classes, seed=0)
    plan = plans.plan(Remedy(), np.ones(classes, np.int64))
    (span,) = stages.spans(plan, 1)
    stage = stages.begin(net, plan, span, training, epoch_steps=[BATCHES], seed=0)
    counts = np.ones(classes, np.int64)
    train = stages.compiled(net, stage, plan.phases[0], counts, training)
    pixels = np.zeros((training.batch_size, *shape), np.uint8)
    one = (pixels, np.zeros(len(pixels), np.int32))
    train([one], lambda _: None)
    many = np.concatenate([pixels] * BATCHES)
    predict.logits(net, many)
    began = now()
    train([one] * BATCHES, lambda _: None)
    trained = now()
    predict.logits(net, many)
    images = len(pixels) * BATCHES
    return Speed(
        train=(trained - began) / images,
        predict=(now() - trained) / images,
    )

"""A run's folder -> its model, a sample of its test images, and the check of its maps.

Model and data are built again from the run's own `experiment.toml`; nothing stored is
executed.
"""

import datetime
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
from pydantic import ValidationError

from tessera import files, runtime
from tessera.arrays import Heatmaps
from tessera.data import apart, source
from tessera.data.dataset import Dataset, Split
from tessera.evaluation.faithfulness import Check, Faithfulness, Metric, read
from tessera.experiment import Data
from tessera.explain import command as runs
from tessera.explain import trained as trainings
from tessera.explain.faithfulness import checks, fills, mappers, mosaics, sampling
from tessera.explain.faithfulness.answers import Mapper, predictor
from tessera.explain.faithfulness.measure import Settings
from tessera.explain.faithfulness.method import (
    Glyphs,
    Outcome,
    Subject,
    Tell,
    glyphs,
    measure_method,
)
from tessera.explain.faithfulness.sampling import Sample
from tessera.explain.methods import GradCam, Method
from tessera.explain.places import Grid
from tessera.record import Record, RunFolder

More: TypeAlias = Callable[[Mapper, Sample, Heatmaps], Iterator[Check]]
"""Checks that need more than the model, see `method.measure_method`."""

PER_CLASS_OTHERS = 40
"""Training images of each class behind the class-mean control."""


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    methods: tuple[Method, ...] = (GradCam(),)
    layer: str = mappers.FEATURES
    settings: Settings = field(default_factory=Settings)
    shuffled_epochs: int = 0
    """Passes over shuffled labels at most; 0: that check is left out."""

    def words(self) -> dict[str, str]:
        """Everything that decides the result, for the record."""
        return {
            "methods": ", ".join(str(method) for method in self.methods),
            "layer": self.layer,
            "amount": str(self.settings),
            "shuffled labels": f"{self.shuffled_epochs} epochs",
        }


def check_run(
    run: RunFolder,
    wanted: Wanted,
    *,
    data: Data | None = None,
    ground: Callable[[], Glyphs] | None = None,
    out: Path | None = None,
    tell: Tell = lambda _: None,
) -> Faithfulness:
    """Measure a run's maps; write `faithfulness.json` and `faithfulness.npz`.

    Args:
        run: A finished run.
        wanted: What to measure.
        data: Where the images are now, whose size and shares stay the run's; None:
            where the run found them.
        ground: Gives a reader of planted glyphs, where one is needed; None: one is
            trained.
        out: Folder for both files; None: the run's own.
        tell: Told of every step.

    Raises:
        ExplainError: The run is not finished, its weights are gone, its images are not
            those it was trained on, or its model cannot be explained at this layer.
        DataError: The images cannot be read.
        CannotWrite: Nothing can be written there.
    """
    began = time.perf_counter()
    trained = runs.load(run)
    record = trained.record
    if out is not None:
        apart.keep_from_classes(trained.class_names, out)
    folder = RunFolder(out or run.path)
    files.try_writing(folder.faithfulness)
    tell("images")
    way_out = "Say where they are with --data."
    place = data and source.moved(trained.run.data, data)
    dataset = trainings.data(trained, place, way_out=way_out)
    subject = subject_of(trained.net, dataset, record, wanted.settings)
    reader = ground or cache(lambda: glyphs(seed=wanted.settings.seed))
    more = further(run, subject.net, dataset.train, wanted, tell)
    outcomes = [
        _measured(
            subject,
            runs.configured(method, trained),
            runs.grid_for(trained, method, wanted.layer),
            reader,
            more,
            wanted,
            tell,
        )
        for method in wanted.methods
    ]
    found = _record(record, subject, outcomes, wanted, time.perf_counter() - began)
    _write_values(folder.faithfulness_values, subject, outcomes)
    files.write_text(folder.faithfulness, found.model_dump_json(indent=1) + "\n")
    return found


def kept(run: RunFolder, wanted: Wanted) -> Faithfulness | None:
    """What an earlier command left for the same model and the same question."""
    try:
        record = Record.model_validate_json(run.record.read_bytes())
    except (OSError, ValidationError):
        return None
    found = read(run.faithfulness, record)
    there = run.faithfulness_values.exists()
    return found if found and there and found.asked == wanted.words() else None


def subject_of(
    net: keras.Model, dataset: Dataset, record: Record, amount: Settings
) -> Subject:
    """The model with the images on which its maps are measured."""
    predict, test, seed = predictor(net), dataset.test, amount.seed
    classes = len(dataset.class_names)
    sample = sampling.draw(
        predict, test.images, test.labels, count=amount.images, seed=seed
    )
    others = sampling.draw(
        predict,
        dataset.train.images,
        dataset.train.labels,
        count=PER_CLASS_OTHERS * classes,
        seed=seed,
    )
    right = sample.targets == sample.labels
    return Subject(
        net=net,
        class_names=dataset.class_names,
        groups=head_and_tail(record),
        sample=sample,
        others=others,
        colour=fills.mean_colour(dataset.train.images),
        mosaics=mosaics.mosaics(
            sample.images[right].astype(np.uint8),
            sample.labels[right],
            count=amount.mosaics,
            seed=seed,
        ),
    )


def head_and_tail(record: Record) -> dict[str, tuple[str, ...]]:
    """The classes that the run's profile left common, and those it made rare."""
    names = record.data.class_names
    tail = tuple(names[k] for k in record.reduced_classes)
    if not tail:
        return {}
    return {"head": tuple(n for n in names if n not in tail), "tail": tail}


def _measured(
    subject: Subject,
    method: Method,
    grid: Grid | None,
    ground: Callable[[], Glyphs],
    more: More,
    wanted: Wanted,
    tell: Tell,
) -> Outcome:
    return measure_method(
        subject,
        mappers.mapper(method, layer=wanted.layer, grid=grid),
        method.label,
        layer=mappers.place(method, wanted.layer),
        ground=ground,
        reader=mappers.on_any_net(method),
        more_checks=more,
        settings=wanted.settings,
        tell=tell,
    )


def further(
    run: RunFolder, net: keras.Model, train: Split, wanted: Wanted, tell: Tell
) -> More:
    """Checks that need another model, which is loaded or trained once for all methods.

    Args:
        run: Beside it may lie another seed of the same recipe.
        net: Its model.
        train: Its training images, of which some get shuffled labels.
        wanted: Whether they do.
        tell: Told of every check.
    """
    seed, epochs, beside = wanted.settings.seed, wanted.shuffled_epochs, sibling(run)
    others = [cache(lambda: runs.load(beside).net)] if beside else []
    learned = cache(
        lambda: checks.memorised(
            net, train.images, train.labels, epochs=epochs, seed=seed
        )
    )

    def more(mapper: Mapper, few: Sample, known: Heatmaps) -> Iterator[Check]:
        for other in others:
            tell("the same recipe, another seed")
            yield checks.other_seed(other(), mapper, few, known, seed=seed)
        if epochs:
            tell("shuffled labels")
            yield checks.shuffled_labels(learned(), mapper, few, known, seed=seed)

    return more


def sibling(run: RunFolder) -> RunFolder | None:
    """Another finished seed of the same recipe, with its weights, beside this run."""
    folders = sorted(run.path.resolve().parent.glob("seed-*"))
    others = [RunFolder(p) for p in folders if p.name != run.path.resolve().name]
    there = [o for o in others if o.record.exists() and o.weights.exists()]
    return there[0] if there else None


def _record(
    record: Record,
    subject: Subject,
    outcomes: list[Outcome],
    wanted: Wanted,
    seconds: float,
) -> Faithfulness:
    sample = subject.sample
    kinds: dict[str, Metric] = {m.key: m for o in outcomes for m in o.metrics}
    now = datetime.datetime.now(datetime.UTC)
    return Faithfulness(
        digest=record.digest,
        run_finished_at=record.finished_at,
        model=record.model,
        regime=record.regime,
        seed=record.seed,
        data=record.data.name,
        class_names=record.data.class_names,
        images=len(sample),
        sample_seed=wanted.settings.seed,
        asked=wanted.words(),
        right=int((sample.targets == sample.labels).sum()),
        groups=dict(subject.groups),
        metrics=tuple(kinds.values()),
        methods=tuple(o.record for o in outcomes),
        seconds=round(seconds, 1),
        environment=runtime.environment(None),
        finished_at=now.isoformat(timespec="seconds"),
    )


def _write_values(path: Path, subject: Subject, outcomes: list[Outcome]) -> None:
    """Values per image and the raw maps; no pictures."""
    sample = subject.sample
    series = {
        f"{o.record.name}/{key}": values.astype(np.float32)
        for o in outcomes
        for key, values in o.values.items()
    }
    maps = {f"{o.record.name}/raw": o.maps for o in outcomes}
    files.write_arrays(
        path,
        indices=sample.indices,
        labels=sample.labels,
        predicted=sample.targets,
        **maps,
        **series,
    )

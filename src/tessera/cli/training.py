"""A study's missing runs: what there is to do, how long it takes, and how it goes."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from tessera import (
    cross_validation,
    engines,
    locks,
    machine,
    renamed,
    runtime,
    settings,
    study,
    together,
    workers,
)
from tessera.cli import announcing, progress
from tessera.cli.announcing import Work
from tessera.cross_validation import Part
from tessera.data.dataset import Dataset
from tessera.experiment import Experiment, Folder
from tessera.phrases import plural
from tessera.record import Record, RunFolder, StudyRecord


@contextlib.contextmanager
def held(out: Path, folds: Sequence[Part]) -> Iterator[None]:
    """Keep other commands out of a study's folder, and out of those of its folds.

    Raises:
        FolderInUse: Another command is at work in one of them.
        CannotWrite: Nothing can be written into one.
    """
    with contextlib.ExitStack() as folders:
        for folder in (out, *(fold.folder for fold in folds)):
            folders.enter_context(locks.held(folder))
        yield


def begin(
    console: Console, parts: Sequence[Part], datasets: Sequence[Dataset]
) -> tuple[Work, ...]:
    """What a study lacks, or those of all folds.

    Runs that lie in a folder under other names are taken over.

    Args:
        console: Where that is said.
        parts: One or all, whose folders this process holds.
        datasets: Of each.
    """
    works = []
    for part, dataset in zip(parts, datasets, strict=True):
        take_over(console, part.experiment, dataset, part.folder)
        survey = study.survey(part.experiment, dataset, part.folder)
        works.append(Work(part.experiment, dataset, part.folder, survey))
    return tuple(works)


def take_over(
    console: Console, experiment: Experiment, dataset: Dataset, out: Path
) -> None:
    """Take over runs that lie in the folder under other names, and say so."""
    taken = renamed.take_over(experiment, dataset, out)
    if taken:
        console.print(
            f"{plural(taken, 'finished run')} in {out} under other names: taken over, "
            "not trained again.",
            soft_wrap=True,
        )


def carry_out(
    console: Console, whole: Part, works: Sequence[Work], engine: engines.Engine
) -> StudyRecord:
    """Train what is missing and show how it goes; conclude and write the report.

    Whatever ends it, Ctrl-C too, ends the engine's work.

    Args:
        console: Where it is shown.
        whole: The study.
        works: From `begin`: the study's own, or those of its folds, whose answers are
            pooled in the end.
        engine: Who trains.

    Raises:
        StudyError: Runs failed; the others are finished and kept.
    """
    from tessera.report import page

    foretell(console, works, engine)
    records, failures = [], []
    for number, work in enumerate(works, 1):
        fold = f"fold {number} of {len(works)}" if len(works) > 1 else None
        failed = train_missing(console, work, engine, fold)
        failures += failed
        if not failed:
            records.append(conclude(work, engine))
    if failures:
        raise study.StudyError(progress.describe_failures(failures, whole.folder))
    if len(works) == 1:
        return records[0]
    datasets = [work.dataset for work in works]
    record = cross_validation.conclude(
        whole.experiment, datasets, whole.folder, threads=engine.threads
    )
    page.write_report(whole.folder)
    return record


def conclude(work: Work, engine: engines.Engine) -> StudyRecord:
    """Conclude a study without missing runs, or that of a fold; write its report."""
    from tessera.report import page

    record = study.conclude(
        work.experiment, work.dataset, work.folder, threads=engine.threads
    )
    page.write_report(work.folder)
    return record


def foretell(console: Console, works: Sequence[Work], engine: engines.Engine) -> None:
    """Say what there is to do, and how long it takes."""
    announcing.announce(console, works, engine.slots)
    for work in works:
        warn_of_others(console, work)
    announcing.remarks(console, works[0].experiment, *(one.dataset for one in works))
    if isinstance(engine, engines.Processes) and engine.seeds is not None:
        groups = [together.groups(one.survey.missing, engine.seeds) for one in works]
        announcing.grouped(console, [group for some in groups for group in some])
    else:
        jobs = at_full_speed(engine)
        announcing.foretell(console, works, jobs=jobs, threads=engine.threads)


def at_full_speed(engine: engines.Engine) -> int:
    """Trainings side by side that get all their cores; more take turns on them."""
    if isinstance(engine, engines.Processes) and runtime.on_processor():
        return min(engine.slots, max(1, machine.cores() // engine.threads))
    return engine.slots


def train_missing(
    console: Console, work: Work, engine: engines.Engine, fold: str | None = None
) -> list[workers.Failed]:
    """Train a study's missing runs and show how it goes; return the failures."""
    experiment, missing = work.experiment, work.survey.missing
    if missing and fold:
        console.print(f"\n{fold.capitalize()}, in {work.folder}:", soft_wrap=True)
    events = study.train_missing(work.survey, experiment, work.dataset, engine)
    with contextlib.closing(events):
        return progress.follow(
            console, events, missing, experiment.training, fold or "study"
        )


def warn_of_others(console: Console, work: Work) -> None:
    """Say how many finished runs in a study's folder cannot count, and why."""
    others = of_other_images(work.dataset, work.folder) if work.survey.missing else []
    folds = Counter(map(_folds, others))
    changed = folds.pop(_folds_of(work.experiment), 0) + folds.pop(0, 0)
    if changed:
        console.print(
            f"note: {plural(changed, 'finished run')} in {work.folder} learned from "
            "other images than there are now, and cannot count here. If the folder of "
            "images was not meant to change, stop with Ctrl-C and put it back.",
            soft_wrap=True,
        )
    for number, count in folds.items():
        console.print(
            f"note: {plural(count, 'finished run')} in {work.folder} learned from the "
            f"images in {number} folds, and cannot count here. To go on from there, "
            f"stop with Ctrl-C and ask for {number} folds; to keep both, give this "
            "study a folder of its own.",
            soft_wrap=True,
        )


def of_other_images(dataset: Dataset, out: Path) -> list[RunFolder]:
    """The finished runs in a study's folder that are not of these images."""
    others = []
    for path in sorted(out.glob("runs/*/*/record.json")):
        with contextlib.suppress(OSError, ValidationError):
            record = Record.model_validate_json(path.read_bytes())
            if record.data.fingerprint != dataset.fingerprint:
                others.append(RunFolder(path.parent))
    return others


def _folds(run: RunFolder) -> int:
    """In how many folds the images of a run were; 0: in none, or it cannot be told."""
    try:
        return _folds_of(settings.read(run.experiment))
    except settings.ExperimentError:
        return 0


def _folds_of(experiment: Experiment) -> int:
    data = experiment.data
    return (data.folds or 0) if isinstance(data, Folder) else 0

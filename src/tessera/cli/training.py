"""A study's missing runs: what there is to do, how long it takes, and how it goes."""

import contextlib
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from tessera import engines, renamed, study, together
from tessera.cli import progress
from tessera.data.dataset import Dataset
from tessera.experiment import Experiment
from tessera.phrases import plural
from tessera.record import Record


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


def train_missing(
    console: Console,
    experiment: Experiment,
    dataset: Dataset,
    survey: study.Progress,
    engine: engines.Engine,
    out: Path,
) -> None:
    """Say what there is to do, do it, and show how it goes.

    Whatever ends it, Ctrl-C too, ends the engine's work.

    Raises:
        StudyError: Runs failed; the others are finished and kept.
    """
    missing, jobs = survey.missing, engine.slots
    progress.announce(console, experiment, dataset, survey, jobs)
    if missing and (others := of_other_images(dataset, out)):
        console.print(
            f"note: {plural(others, 'finished run')} in {out} learned from other "
            "images than there are now, and cannot count here. If the folder of images "
            "was not meant to change, stop with Ctrl-C and put it back.",
            soft_wrap=True,
        )
    progress.remarks(console, experiment, dataset)
    if isinstance(engine, engines.Processes) and engine.seeds is not None:
        progress.grouped(console, together.groups(missing, engine.seeds))
    else:
        progress.foretell(console, dataset, missing, jobs=jobs, threads=engine.threads)
    events = study.train_missing(survey, experiment, dataset, engine)
    with contextlib.closing(events):
        failures = progress.follow(console, events, missing, experiment.training)
    if failures:
        raise study.StudyError(progress.describe_failures(failures, out))


def of_other_images(dataset: Dataset, out: Path) -> int:
    """How many finished runs in a study's folder are not of these images."""
    others = 0
    for path in out.glob("runs/*/*/record.json"):
        with contextlib.suppress(OSError, ValidationError):
            record = Record.model_validate_json(path.read_bytes())
            others += record.data.fingerprint != dataset.fingerprint
    return others

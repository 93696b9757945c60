"""What a study is about to do, in words, before it is done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tessera import beforehand, estimate, pooling, study, workers
from tessera.catalogue import label
from tessera.data.dataset import Dataset
from tessera.experiment import Experiment, Profile, Regime
from tessera.imbalance.profiles import class_index
from tessera.phrases import in_list, listed, plural


@dataclass(frozen=True)
class Work:
    """A study to be done: a whole one, or that of one of several folds."""

    experiment: Experiment
    dataset: Dataset
    folder: Path
    survey: study.Progress


def announce(console: Console, works: Sequence[Work], jobs: int) -> None:
    """Print the plan before the work.

    Args:
        console: Where it is said.
        works: One, or those of all folds.
        jobs: Trainings at a time, as far as there are so many.
    """
    experiment, dataset = works[0].experiment, works[0].dataset
    training, test, folds = len(dataset.train), len(dataset.test), len(works)
    images = f"{training:,} training and {test:,} test images"
    if folds > 1:
        images = f"{training + test:,} images, each tested in one of {folds} folds"
    console.print(
        f"{experiment.name}: {dataset.name}, {images}, "
        f"{len(dataset.class_names)} classes",
        soft_wrap=True,
    )
    for line in _regimes(experiment.regimes, dataset.class_names):
        console.print(line, soft_wrap=True)
    grid = [
        plural(len(experiment.models), "model"),
        plural(len(experiment.regimes), "regime"),
        plural(len(experiment.seeds), "seed"),
        *([plural(folds, "fold")] if folds > 1 else []),
    ]
    missing = [len(work.survey.missing) for work in works]
    side_by_side = min(jobs, max(missing))  # folds are done one after another
    console.print(
        f"{' x '.join(grid)} = {plural(folds * len(experiment.runs()), 'run')} of "
        f"{plural(experiment.training.epochs, 'epoch')}; "
        f"{sum(len(work.survey.finished) for work in works)} finished, "
        f"{sum(missing)} to do{f', {side_by_side} at a time' if side_by_side else ''}",
        soft_wrap=True,
    )


def _regimes(regimes: Sequence[Regime], names: tuple[str, ...]) -> Iterator[str]:
    """One line per profile, with the remedies tried on it."""
    by_profile: dict[str, list[str]] = {}
    for regime in regimes:
        remedy = label(regime.remedy)
        text = (
            regime.name if regime.name.endswith(remedy) else f"{regime.name} ({remedy})"
        )
        by_profile.setdefault(_profile(regime.profile, names), []).append(text)
    for profile, texts in by_profile.items():
        yield f"{profile}: {', '.join(texts)}"


def _profile(profile: Profile, names: tuple[str, ...]) -> str:
    """The profile's kind with what is particular to it: `exponential, factor 100`."""
    seeded = profile.selection == "seeded"
    given = profile.model_dump(exclude={"kind", *(["selection"] if seeded else [])})
    inner = "".join(f", {key} {_short(value, names)}" for key, value in given.items())
    return f"{profile.kind}{inner}"


def _short(value: object, names: tuple[str, ...]) -> str:
    """A setting of a profile; classes by the names that its numbers mean."""
    if isinstance(value, tuple):
        return listed([in_list(names[class_index(key, names)]) for key in value])
    if isinstance(value, dict):
        shares = value.items()
        return listed(
            [f"{s:g} of {in_list(names[class_index(k, names)])}" for k, s in shares]
        )
    return f"{value:g}" if isinstance(value, float) else str(value)


def remarks(console: Console, experiment: Experiment, *datasets: Dataset) -> None:
    """Print what there is to know of data and remedies before anything is trained.

    Args:
        console: Where it is said.
        experiment: What is asked for.
        datasets: Its data, or that of all folds.
    """
    found = [(*one.notes, *beforehand.notes(experiment, one)) for one in datasets]
    if len(found) > 1:  # the first note says which fold it is
        found = [pooling.told_once([notes[1:] for notes in found])]
    for note in found[0]:
        console.print(f"note: {note}", soft_wrap=True)


def foretell(
    console: Console, works: Sequence[Work], *, jobs: int, threads: int
) -> None:
    """Print how long the missing runs will take, from steps timed here once.

    Args:
        console: Where it is said.
        works: One, or those of all folds, which are done one after another.
        jobs: Trainings that go on at full speed side by side.
        threads: Of each.
    """
    missing = [task for work in works for task in work.survey.missing]
    if not missing:
        return
    speeds = estimate.speeds(missing, works[0].dataset, threads=threads)
    if not speeds:
        console.print("time: this machine could not be timed; it will show as it goes")
        return
    seconds = estimate.START + sum(
        estimate.seconds(work.survey.missing, work.dataset, speeds, jobs=jobs)
        for work in works
    )
    rates = ", ".join(f"{name} {1 / s.train:,.0f}" for name, s in speeds.items())
    console.print(
        f"time: about {_duration(seconds)} at the speeds timed on this machine (images "
        f"trained per second: {rates}); longer where it is busy",
        soft_wrap=True,
    )


def grouped(console: Console, groups: Sequence[workers.Group]) -> None:
    """Print how many runs are trained on the device, and how many train nothing."""
    programs = [group for group in groups if group.resident]
    runs = sum(len(group.tasks) for group in programs)
    heirs = sum(len(group.tasks) for group in groups) - runs
    more = f", and {plural(heirs, 'run')} without a training of their own"
    console.print(
        f"on the device: {plural(runs, 'run')} as {plural(len(programs), 'program')}"
        f"{more if heirs else ''}; how long they take is not estimated",
        soft_wrap=True,
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{10 * max(1, round(seconds / 10))} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"

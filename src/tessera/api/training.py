"""From images to a study or one trained model."""

from collections.abc import Sequence
from operator import index
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from tessera import (
    choice,
    cross_validation,
    engines,
    experiment,
    locks,
    runtime,
    settings,
)
from tessera import study as studies
from tessera.api.script import script_kept_out
from tessera.cli import outcome, progress, training
from tessera.data import apart, source
from tessera.data.dataset import DataError, Dataset
from tessera.notebook.data import Data
from tessera.notebook.results import FinishedRun, Study
from tessera.record import StudyFolder

Source: TypeAlias = Data | str | Path
"""Loaded data, or what `load_data` takes."""


def load_data(
    data: str | Path = "digits", *, image_size: int = 32, verbose: bool = True
) -> Data:
    """Read images.

    Args:
        data: `digits` (embedded), `cifar10` (downloaded), an image folder, or a local
            CIFAR-10 archive.
        image_size: Height and width, in pixels, that every image is brought to.
        verbose: Whether to show progress.

    Raises:
        DataError: The data cannot be used; the message says what to do about it.
    """
    named = _named(data)
    chosen = settings.read(
        None, data=named.model_dump() | {"image_size": image_size}
    ).data
    with progress.loading(_console(verbose)) as report:
        return Data(chosen, source.load(chosen, progress=report))


def study(
    data: Source | None = None,
    *,
    plan: str | Path | None = None,
    epochs: int | None = None,
    seeds: int | Sequence[int] | None = None,
    models: Sequence[str] | None = None,
    remedies: str | Sequence[str] = (),
    folds: int | None = None,
    change: str | Sequence[str] = (),
    out: str | Path | None = None,
    jobs: int | None = None,
    verbose: bool = True,
) -> Study:
    """Train and compare every model under every regime, over several seeds.

    Finished runs are kept and never repeated; worker processes do the rest.

    Args:
        data: The images; None: those of the plan.
        plan: An experiment file; None: the reference study's settings.
        epochs: Of every training.
        seeds: How many, or which.
        models: Only these of the plan's models.
        remedies: Names to compare with plain training, or `all`; without a plan and
            without `models`, the hybrid alone is trained.
        folds: Cross-validate an image folder without `test/`: each of so many parts is
            the test set once, and every image is tested.
        change: Any other setting, or several, as the command line's `--set` takes them:
            `["training.flip=false"]`.
        out: The study's folder; None: `runs/NAME`.
        jobs: Trainings side by side; None: one per core, as memory allows.
        verbose: Whether to print the plan, a line for each run, and how many finished
            runs of the folder its report leaves out.

    Raises:
        ExperimentError: A setting is wrong.
        DataError: The data cannot be used.
        StudyError: A run failed.
        FolderInUse: Another command works in the folder.
    """
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise settings.ExperimentError(
            f"jobs: expected a whole number from 1 up, or None. Received: {jobs!r}."
        )
    asked = _experiment(
        data, plan, epochs=epochs, seeds=seeds, change=change, verbose=verbose
    )
    if folds is not None:
        asked = _divided(asked, folds)
    wanted = choice.remedies(_listed(remedies or (), "remedies"), option="remedies")
    alone, names = bool(wanted) and plan is None, _listed(models or (), "models")
    asked = choice.narrowed(asked, names, alone=alone, option="models")
    folder = Path(out) if out is not None else Path("runs") / asked.name
    apart.keep_from_data(asked.data, folder, "out")
    parts = cross_validation.parts(asked, folder)
    read = [part.experiment for part in parts] or [asked]
    datasets = [_loaded(data, one, verbose) for one in read]
    asked = studies.adapted(asked, datasets[0], wanted)
    parts = cross_validation.parts(asked, folder)
    cross_validation.examine(parts, datasets, folder, "out=")
    runtime.prepare()
    whole = cross_validation.Part(asked, folder)
    with training.held(folder, parts), script_kept_out():
        return _carry_out(whole, parts or (whole,), datasets, jobs, _console(verbose))


def _divided(asked: experiment.Experiment, folds: int) -> experiment.Experiment:
    most = experiment.MOST_FOLDS
    if type(folds) is not int or not 2 <= folds <= most:
        raise settings.ExperimentError(
            f"folds: expected a whole number from 2 to {most}, or None. Received: "
            f"{folds!r}."
        )
    return cross_validation.divided(asked, folds)


def _carry_out(
    whole: cross_validation.Part,
    parts: Sequence[cross_validation.Part],
    datasets: Sequence[Dataset],
    jobs: int | None,
    console: Console,
) -> Study:
    """Train what a study or its folds lack, conclude, and write the report."""
    works = training.begin(console, parts, datasets)
    missing = max(len(work.survey.missing) for work in works)
    slots = studies.jobs_at_once(jobs, missing or 1)
    engine = engines.Processes(slots, studies.THREADS)
    record = training.carry_out(console, whole, works, engine)
    outcome.beside(console, whole.folder, studies.covered(record, whole.folder))
    return Study(record, whole.folder)


def train(
    data: Source | None = None,
    *,
    model: str = "hybrid",
    regime: str = "weighted",
    seed: int = 0,
    plan: str | Path | None = None,
    epochs: int | None = None,
    change: str | Sequence[str] = (),
    out: str | Path = "runs/study",
    verbose: bool = True,
) -> FinishedRun:
    """Train one cell of the comparison with one seed, in this process.

    Args:
        data: The images; None: those of the plan.
        model: One of the plan's models.
        regime: One of its regimes.
        seed: Decides everything that is drawn.
        plan: An experiment file; None: the reference study's settings.
        epochs: Of the training.
        change: Any other setting, or several, as the command line's `--set` takes them.
        out: The study's folder, where `study` with the same settings finds the run.
        verbose: Whether to show progress.

    Raises:
        ExperimentError: A setting is wrong.
        DataError: The data cannot be used.
        TrainingDiverged: The loss became NaN or infinite.
    """
    asked = _experiment(
        data, plan, epochs=epochs, seeds=None, change=change, verbose=verbose
    )
    apart.keep_from_data(asked.data, Path(out), "out")
    dataset = _loaded(data, asked, verbose)
    asked = studies.adapted(asked, dataset)
    run = choice.find_run(asked, model, regime, seed, dashes="")
    runtime.prepare()
    runtime.load_backend()
    from tessera import pipeline

    folder = studies.run_folder(StudyFolder(Path(out)), run, dataset)
    console = _console(verbose)
    with locks.held(folder.path), progress.single(console, run) as report:
        record = pipeline.execute(run, dataset, folder, report=report)
    return FinishedRun(record, folder.path)


def _experiment(
    data: Source | None,
    plan: str | Path | None,
    *,
    epochs: int | None,
    seeds: int | Sequence[int] | None,
    change: str | Sequence[str],
    verbose: bool = False,
) -> experiment.Experiment:
    """The experiment that the arguments ask for; they win over the plan."""
    texts = [f"training.epochs={epochs}"] if epochs is not None else []
    if seeds is not None:
        texts.append(f"seeds={_numbers(seeds)}")
    table = None
    if isinstance(data, Data):
        table = data.settings.model_dump(exclude_none=True)
    elif data is not None:
        named = _named(data)
        table = named.model_dump(exclude_defaults=True) | {"kind": named.kind}

    def suited(asked: experiment.Experiment) -> tuple[experiment.Regime, ...]:
        folds = cross_validation.parts(asked, Path())
        loaded = _loaded(data, folds[0].experiment if folds else asked, verbose)
        return studies.adapted(asked, loaded).regimes

    path = None if plan is None else Path(plan)
    changes = [change] if isinstance(change, str) else change
    return settings.read(
        path, [*texts, *changes], data=table, suited=suited, option="change"
    )


def _named(data: str | Path) -> experiment.Data:
    """The data settings that a name or a path means.

    Raises:
        DataError: It is neither, or there is no such data.
    """
    if not isinstance(data, str | Path):
        raise DataError(
            "data: expected what `load_data` returns, digits, cifar10, or a path, as "
            f"text or Path. Received: {type(data).__name__}. For arrays there is "
            "`tessera.sklearn.TesseraClassifier`."
        )
    return source.from_argument(str(data), "data")


def _loaded(
    data: Source | None, asked: experiment.Experiment, verbose: bool
) -> Dataset:
    """The experiment's data: what is loaded already, if it is read alike."""
    if isinstance(data, Data) and data.settings == asked.data:
        return data.dataset
    with progress.loading(_console(verbose)) as report:
        return source.load(asked.data, progress=report)


def _listed(names: str | Sequence[str], argument: str) -> str:
    try:
        return names if isinstance(names, str) else ",".join(names)
    except TypeError as error:
        raise settings.ExperimentError(
            f"{argument}: expected a list of names. Received: {names!r}."
        ) from error


def _numbers(seeds: int | Sequence[int]) -> list[int]:
    """How many, or which -> which, also of NumPy's whole numbers."""
    try:
        chosen = range(seeds) if isinstance(seeds, int) else seeds
        return [index(seed) for seed in chosen]
    except TypeError as error:
        raise settings.ExperimentError(
            "seeds: expected a count such as 5, or a list such as [3, 7, 11]. "
            f"Received: {seeds!r}."
        ) from error


def _console(verbose: bool) -> Console:
    return Console(highlight=False, markup=False, quiet=not verbose)

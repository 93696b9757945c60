"""From images to a study or one trained model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from tessera import (
    choice,
    cross_validation,
    engines,
    execution,
    locks,
    runtime,
    settings,
    twins,
)
from tessera import study as studies
from tessera.api import arguments
from tessera.api.arguments import Source
from tessera.api.script import script_kept_out
from tessera.api.using import Model, folder_of
from tessera.cli import outcome, progress, training
from tessera.data import apart, source
from tessera.data.dataset import Dataset
from tessera.notebook.data import Data
from tessera.notebook.results import FinishedRun, Study
from tessera.record import StudyFolder


def load_data(
    data: str | Path = "digits",
    *,
    image_size: int = 32,
    groups: str | None = None,
    columns: Mapping[str, str] | None = None,
    verbose: bool = True,
) -> Data:
    """Read images.

    Args:
        data: `digits` (embedded), `cifar10` (downloaded), an image folder, a CSV file
            that lists images, or a local CIFAR-10 archive.
        image_size: Height and width, in pixels, that every image is brought to.
        groups: Of a folder: which images belong together, see `study`.
        columns: Of a CSV file: the names of its columns, where they are not `file`,
            `label`, `split` and `group`: `{"file": "image_id", "label": "dx"}`.
        verbose: Whether to show progress.

    Raises:
        DataError: The data cannot be used; the message says what to do about it.
        ExperimentError: A rule or a column's meaning is none.
    """
    table = arguments.named(data).model_dump()
    if groups is not None:
        table["groups"] = groups
    if columns is not None:
        table["columns"] = columns
    size = f"data.image_size={image_size}"  # in words, also of NumPy's whole numbers
    chosen = settings.read(None, [size], data=table).data
    with progress.loading(arguments.console(verbose)) as report:
        return Data(chosen, source.load(chosen, progress=report))


def study(
    data: Source | None = None,
    *,
    plan: str | Path | None = None,
    epochs: int | None = None,
    seeds: int | Sequence[int] | None = None,
    models: Sequence[str] | None = None,
    remedies: str | Sequence[str] = (),
    start: Model | None = None,
    folds: int | None = None,
    groups: str | None = None,
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
        start: A finished run, or a study, which means its recommended run: each model
            of its architecture is compared with a twin that starts from its weights.
        folds: Cross-validate an image folder without `test/`: each of so many parts is
            the test set once, and every image is tested.
        groups: Images that are never parted between training, validating and testing:
            those of one `folder` within a class, or with the same match of a regular
            expression in their path, say `(patient[0-9]+)`.
        change: Any other setting, or several, as the command line's `--set` takes them:
            `["training.flip=false"]`.
        out: The study's folder; None: `runs/NAME`.
        jobs: Trainings side by side; None: one per core, as memory allows.
        verbose: Whether to print the plan, a line for each run, and how many finished
            runs of the folder its report leaves out.

    Raises:
        ExperimentError: A setting is wrong.
        DataError: The data cannot be used, or is tested on what `start` has learned.
        RunError: `start` is no finished run.
        ProfileError, RemedyError: A regime does not fit the data.
        StudyError: A run failed, or the folder holds a study of other data.
        FolderInUse: Another command works in the folder.
    """
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise settings.ExperimentError(
            f"jobs: expected a whole number from 1 up, or None. Received: {jobs!r}."
        )
    asked = arguments.resolve(
        data,
        plan,
        epochs=epochs,
        seeds=seeds,
        groups=groups,
        change=change,
        verbose=verbose,
    )
    if folds is not None:
        asked = arguments.divided(asked, folds)
    wanted = choice.remedies(
        arguments.listed(remedies or (), "remedies"), option="remedies"
    )
    alone, names = (
        bool(wanted) and plan is None,
        arguments.listed(models or (), "models"),
    )
    narrowed = choice.narrowed(asked, names, alone=alone, option="models")
    choice.require_kept(asked, narrowed, arguments.changes(change), "change")
    place = None if start is None else folder_of(start, "start")
    asked = twins.beside(narrowed, place)
    folder = choice.study_folder(out, asked)
    apart.keep_from_data(asked.data, folder, "out")
    parts = cross_validation.parts(asked, folder)
    read = [part.experiment for part in parts] or [asked]
    datasets = [arguments.loaded(data, one, verbose) for one in read]
    asked = studies.adapted(asked, datasets[0], wanted)
    parts = cross_validation.parts(asked, folder)
    cross_validation.examine(parts, datasets, folder, "out=")
    runtime.prepare()
    whole = cross_validation.Part(asked, folder)
    console = arguments.console(verbose)
    with training.held(folder, parts), script_kept_out():
        return _carry_out(whole, parts or (whole,), datasets, jobs, console)


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
    runs = studies.covered(record, whole.folder)
    outcome.short(console, record.experiment, studies.read(runs), "epochs=N")
    outcome.beside(console, whole.folder, runs)
    return Study(record, whole.folder)


def train(
    data: Source | None = None,
    *,
    model: str = "hybrid",
    regime: str = "weighted",
    seed: int = 0,
    plan: str | Path | None = None,
    epochs: int | None = None,
    start: Model | None = None,
    groups: str | None = None,
    change: str | Sequence[str] = (),
    out: str | Path | None = None,
    verbose: bool = True,
) -> FinishedRun:
    """Train one cell of the comparison with one seed, in this process.

    A finished run is read and not repeated: delete its folder to train it again.

    Args:
        data: The images; None: those of the plan.
        model: One of the plan's models.
        regime: One of its regimes.
        seed: Decides everything that is drawn.
        plan: An experiment file; None: the reference study's settings.
        epochs: Of the training.
        start: A finished run, from whose weights `model="NAME-started"` starts, see
            `study`.
        groups: Images that are never parted, see `study`.
        change: Any other setting, or several, as the command line's `--set` takes them.
        out: The study's folder, where `study` with the same settings finds the run;
            None: `runs/NAME`.
        verbose: Whether to show progress.

    Raises:
        ExperimentError: A setting is wrong.
        DataError: The data cannot be used.
        ProfileError, RemedyError, ModelError: Regime or model does not fit the data.
        FolderInUse: Another command works in the run's folder.
        TrainingDiverged: The loss became NaN or infinite.
    """
    asked = arguments.resolve(
        data,
        plan,
        epochs=epochs,
        seeds=None,
        groups=groups,
        change=change,
        verbose=verbose,
    )
    asked = twins.beside(asked, None if start is None else folder_of(start, "start"))
    place = choice.study_folder(out, asked)
    apart.keep_from_data(asked.data, place, "out")
    dataset = arguments.loaded(data, asked, verbose)
    asked = studies.adapted(asked, dataset)
    run = choice.find_run(asked, model, regime, seed, dashes="")
    runtime.prepare()
    folder = studies.run_folder(StudyFolder(place), run, dataset)
    console = arguments.console(verbose)
    with locks.held(folder.path):
        record = execution.known(run, dataset, folder)
        if record is None:
            runtime.load_backend()
            from tessera import pipeline

            with progress.single(console, run) as report:
                record = pipeline.execute(run, dataset, folder, report=report)
    return FinishedRun(record, folder.path)

"""What each verb does, put together from the modules below."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from tessera import checkpoint, runtime, settings
from tessera.experiment import Experiment, Run, Training
from tessera.record import RunFolder, StudyFolder

if TYPE_CHECKING:
    from tessera.cli.engine import Options as EngineOptions
    from tessera.data.dataset import Dataset
    from tessera.engines import Engine

console = Console(highlight=False, markup=False)

DEMO_EPOCHS = 4
DEMO_BATCH = 32


def demo_experiment() -> Experiment:
    """The whole study, small enough for two minutes on two cores.

    Digits are not flipped: a mirrored digit is another sign.
    """
    training = Training(epochs=DEMO_EPOCHS, batch_size=DEMO_BATCH, flip=False)
    return Experiment(name="demo", training=training)


def study(
    experiment: Experiment,
    out: Path,
    *,
    engine: "EngineOptions",
    remedies: tuple[str, ...] = (),
) -> None:
    """Train what is missing, conclude, and write the report."""
    from tessera import locks
    from tessera import study as studies
    from tessera.cli import engine as engines
    from tessera.cli import outcome
    from tessera.data import apart

    apart.keep_from_data(experiment.data, out)
    runtime.prepare()
    dataset = load(experiment)
    experiment = studies.adapted(experiment, dataset, remedies)
    studies.refuse_other_data(dataset, out)
    # From here on there is something to put into the folder, so it may be made.
    with locks.held(out):
        missing = studies.survey(experiment, dataset, out).missing
        began = time.perf_counter()
        with engines.opened(engine, len(missing)) as chosen:
            train_missing(experiment, dataset, out, chosen)
        record = studies.conclude(experiment, dataset, out, threads=chosen.threads)
        if missing:
            minutes = (time.perf_counter() - began) / 60
            console.print(f"{len(missing)} runs in {minutes:.1f} minutes.")
        for ranking in record.rankings:
            console.print(" ".join(ranking.recommendation))
        runs = [RunFolder(out / place) for c in record.cells for place in c.folders]
        outcome.remark(console, studies.read(runs))
        outcome.beside(console, out, runs)
        report(out)


def train_missing(
    experiment: Experiment, dataset: "Dataset", out: Path, engine: "Engine"
) -> None:
    """Say what there is to do, do it, and show how it goes.

    Raises:
        StudyError: Runs failed; the others are finished and kept.
    """
    from tessera import engines, together
    from tessera import study as studies
    from tessera.cli import progress

    survey = studies.survey(experiment, dataset, out)
    missing, jobs = survey.missing, engine.slots
    progress.announce(console, experiment, dataset, survey, jobs)
    progress.remarks(console, experiment, dataset)
    if isinstance(engine, engines.Processes) and engine.seeds is not None:
        progress.grouped(console, together.groups(missing, engine.seeds))
    else:
        progress.foretell(console, dataset, missing, jobs=jobs, threads=engine.threads)
    events = studies.train_missing(survey, experiment, dataset, engine)
    try:
        failures = progress.follow(console, events, missing, experiment.training)
    except KeyboardInterrupt:
        events.close()
        stopped(experiment, dataset, out)
    if failures:
        raise studies.StudyError(progress.describe_failures(failures, out))


def stopped(experiment: Experiment, dataset: "Dataset", out: Path) -> NoReturn:
    """Say what is kept after Ctrl-C, and how to go on."""
    from tessera import study as studies
    from tessera.cli import stopping

    done = len(studies.survey(experiment, dataset, out).finished)
    stopping.end(
        console,
        f"{done} of {len(experiment.runs())} runs are finished and kept in {out}. "
        "The same command does the rest:",
    )


def train(
    experiment: Experiment, model: str, regime: str, seed: int, out: Path
) -> None:
    """Train one cell with one seed, in this process, with every core."""
    from tessera import study as studies
    from tessera.cli import progress
    from tessera.data import apart

    apart.keep_from_data(experiment.data, out)
    runtime.prepare()
    dataset = load(experiment)
    experiment = studies.adapted(experiment, dataset)
    run = find_run(experiment, model, regime, seed)
    alone = experiment.model_copy(update={"regimes": (run.regime,)})
    progress.remarks(console, alone, dataset)
    from tessera.cli import outcome, stopping

    folder = studies.run_folder(StudyFolder(out), run, dataset)
    with stopping.telling(console, lambda: kept(folder)):
        runtime.load_backend()
        from tessera import locks, pipeline

        with locks.held(folder.path), progress.single(console, run) as report:
            record = pipeline.execute(run, dataset, folder, report=report)
    outcome.show(console, record)
    console.print(f"Run folder: {folder.path}", soft_wrap=True)


def kept(folder: RunFolder) -> str:
    """What is there of a training after Ctrl-C, in sentences."""
    if not any(folder.checkpoints.glob(f"{checkpoint.PREFIX}*")):
        return "Nothing of the training is kept yet. The same command starts over:"
    return (
        f"The training's last checkpoint is kept in {folder.path}. "
        "The same command goes on from there:"
    )


def find_run(
    experiment: Experiment, model: str, regime: str, seed: int, dashes: str = "--"
) -> Run:
    """The run of the named cell.

    Args:
        experiment: Has the regime, and the model unless that is a kind's name.
        model: The label of a model, or a kind such as `hybrid-plus`.
        regime: The name of a regime.
        seed: Of the run.
        dashes: What stands before an option's name where the user gave it.

    Raises:
        ExperimentError: There is no such model or regime.
    """
    models = experiment.named_models()
    for option, name, known in (
        ("model", model, list(models)),
        ("regime", regime, [r.name for r in experiment.regimes]),
    ):
        if name not in known:
            raise settings.ExperimentError(
                f"{dashes}{option}: expected one of {', '.join(known)}. "
                f"Received: {name!r}."
            )
    chosen = {"models": (models[model],), "seeds": (seed,)}
    runs = experiment.model_copy(update=chosen).runs()
    return next(run for run in runs if run.regime.name == regime)


def load(experiment: Experiment) -> "Dataset":
    """Load the experiment's dataset, saying so when it takes a while."""
    from tessera.cli import progress, stopping
    from tessera.data import source

    lost = (
        "The data was being read; nothing of it is kept. The same command starts over:"
    )
    with (
        stopping.telling(console, lambda: lost),
        progress.loading(console) as report,
    ):
        return source.load(experiment.data, progress=report)


def report(folder: Path) -> None:
    """Write the report and print its path."""
    from tessera.report import page

    path = page.write_report(folder)
    console.print(f"Report: {path.resolve()}", soft_wrap=True)


def predict(path: Path, images: list[Path], form: str, heatmaps: Path | None) -> int:
    """Predict images with a trained run; returns the exit status."""
    runtime.prepare()
    runtime.load_backend()
    from tessera.cli import predictions

    return predictions.predict(path, images, form=form, heatmaps=heatmaps)


def export(
    path: Path, form: str, out: Path | None, data: str | None, licence: str | None
) -> None:
    """Export a trained model and say where it is and how equal."""
    runtime.prepare()
    from tessera.cli import stopping

    lost = "Nothing was exported. The same command starts over:"
    with stopping.telling(console, lambda: lost):
        runtime.load_backend()
        from tessera.export import command

        done = command.export(path, form, out=out, data=data, licence=licence)
    if done.because:
        console.print(done.because, soft_wrap=True)
    console.print(done.check.summary, soft_wrap=True)
    console.print(f"Model: {done.model.resolve()}", soft_wrap=True)
    console.print(f"Card:  {done.card.resolve()}", soft_wrap=True)


def serve(path: Path, host: str, port: int) -> None:
    """Serve a page for a trained model until Ctrl-C."""
    runtime.prepare()
    runtime.load_backend()
    try:
        from tessera.serve import command
    except ModuleNotFoundError as error:
        raise settings.ExperimentError(
            f"serve: expected the package {error.name}. Received: it is not installed. "
            "In the checkout, `pip install '.[serve]'` installs it."
        ) from error
    command.serve(
        path, host=host, port=port, say=lambda text: console.print(text, soft_wrap=True)
    )


def track(path: Path, to: str, out: Path | None) -> None:
    """Copy finished runs into a tracker and say how to see them."""
    runtime.prepare()
    runtime.load_backend()
    from tessera.track import command

    shown = command.track(path, to, out=out)
    console.print(f"To see the runs: {shown}", soft_wrap=True)


def config(experiment: Experiment) -> None:
    """Print the experiment as TOML, with the regimes that a study of it has."""
    from tessera.cli import asked

    resolved = experiment.model_copy(update={"regimes": asked.suited(experiment)})
    print(settings.listed(resolved), end="")

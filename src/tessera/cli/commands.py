"""What each verb does, put together from the modules below."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tessera import checkpoint, runtime, settings
from tessera.experiment import Digits, Experiment, Training
from tessera.phrases import plural
from tessera.record import RunFolder, StudyFolder

if TYPE_CHECKING:
    from tessera.cli.engine import Options as EngineOptions
    from tessera.cross_validation import Part
    from tessera.data.dataset import Dataset
    from tessera.meant import ChosenRun

console = Console(highlight=False, markup=False)


def demo_experiment() -> Experiment:
    """The whole study, small enough for two minutes on two cores.

    The digits are 8 x 8 pixels, brought to 16 x 16: a quarter of the usual arithmetic,
    spent on more steps. They are shifted by as much of their size as usual, and not
    flipped: a mirrored digit is another sign.
    """
    training = Training(epochs=4, batch_size=16, crop_padding=2, flip=False)
    data = Digits(image_size=16)
    return Experiment(name="demo", data=data, training=training, seeds=(0, 1, 2))


def study(
    experiment: Experiment,
    out: Path,
    *,
    engine: "EngineOptions",
    remedies: tuple[str, ...] = (),
) -> None:
    """Train what is missing, conclude, and write the report."""
    from tessera import cross_validation
    from tessera import study as studies
    from tessera.cli import training
    from tessera.data import apart

    apart.keep_from_data(experiment.data, out)
    runtime.prepare()
    folds = cross_validation.parts(experiment, out)
    datasets = [load(fold.experiment) for fold in folds] or [load(experiment)]
    experiment = studies.adapted(experiment, datasets[0], remedies)
    folds = cross_validation.parts(experiment, out)
    cross_validation.examine(folds, datasets, out, "--out ")
    whole = cross_validation.Part(experiment, out)
    # From here on there is something to put into the folder, so it may be made.
    with training.held(out, folds):
        carry_out(whole, folds or (whole,), datasets, engine)


def carry_out(
    whole: "Part",
    parts: "Sequence[Part]",
    datasets: "Sequence[Dataset]",
    engine: "EngineOptions",
) -> None:
    """Do what a study lacks, and say what came out.

    Args:
        whole: The study.
        parts: The same alone, or the studies of its folds.
        datasets: Of each part.
        engine: Who trains.
    """
    from tessera import study as studies
    from tessera.cli import engine as engines
    from tessera.cli import outcome, stopping, training

    began, out = time.perf_counter(), whole.folder
    with stopping.telling(console, lambda: finished(parts, datasets, out)):
        works = training.begin(console, parts, datasets)
        missing = [len(work.survey.missing) for work in works]
        with engines.opened(engine, max(missing)) as chosen:
            record = training.carry_out(console, whole, works, chosen)
    if any(missing):
        minutes = (time.perf_counter() - began) / 60
        console.print(f"{plural(sum(missing), 'run')} in {minutes:.1f} minutes.")
    for ranking in record.rankings:
        console.print(" ".join(ranking.recommendation), soft_wrap=True)
    runs = studies.covered(record, out)
    records = studies.read(runs)
    outcome.remark(console, records)
    outcome.short(console, record.experiment, records)
    outcome.beside(console, out, runs)
    console.print(f"Report: {StudyFolder(out).report.resolve()}", soft_wrap=True)


def finished(parts: "Sequence[Part]", datasets: "Sequence[Dataset]", out: Path) -> str:
    """What is there of a study, whole or in folds, after Ctrl-C, in sentences."""
    from tessera import study as studies

    surveys = [
        studies.survey(part.experiment, dataset, part.folder)
        for part, dataset in zip(parts, datasets, strict=True)
    ]
    done = sum(len(one.finished) for one in surveys)
    total = done + sum(len(one.missing) for one in surveys)
    folds = f" in {len(parts)} folds" if len(parts) > 1 else ""
    return (
        f"{done} of {total} runs{folds} are finished and kept in {out}. "
        "The same command does the rest:"
    )


def train(
    experiment: Experiment, model: str, regime: str, seed: int, out: Path
) -> None:
    """Train one cell with one seed, in this process, with every core."""
    from tessera import choice, execution, locks
    from tessera import study as studies
    from tessera.cli import announcing, outcome, progress, stopping
    from tessera.data import apart

    apart.keep_from_data(experiment.data, out)
    runtime.prepare()
    dataset = load(experiment)
    experiment = studies.adapted(experiment, dataset)
    run = choice.find_run(experiment, model, regime, seed)
    alone = experiment.model_copy(update={"regimes": (run.regime,)})
    announcing.remarks(console, alone, dataset)
    folder = studies.run_folder(StudyFolder(out), run, dataset)
    with stopping.telling(console, lambda: kept(folder)), locks.held(folder.path):
        record = execution.known(run, dataset, folder)
        if record is None:
            runtime.load_backend(alone=True)
            from tessera import pipeline

            with progress.single(console, run) as report:
                record = pipeline.execute(run, dataset, folder, report=report)
        else:
            console.print("Finished before, and so not trained again.")
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


def load_backend_for(path: Path, *, ensemble: bool = False) -> "ChosenRun":
    """Load the framework for a run's model, once it is known that there is one.

    Returns:
        The run that the folder means, or the runs.

    Raises:
        RunError: The folder is neither a finished run nor a finished study, or one run
            where several are wanted.
    """
    from tessera import meant

    chosen = meant.choose(path, ensemble=ensemble)
    runtime.prepare()
    runtime.load_backend(alone=True)
    return chosen


def predict(
    path: Path,
    images: list[Path],
    form: str,
    heatmaps: Path | None,
    *,
    ensemble: bool,
) -> int:
    """Predict images with a trained run, or several; returns the exit status.

    Raises:
        ExperimentError: Heatmaps are wanted of several.
    """
    if ensemble and heatmaps is not None:
        raise settings.ExperimentError(
            "--heatmap: expected one run, for a map is of one model. Received: "
            "--ensemble as well. Leave either out; `tessera predict RUN|STUDY IMAGE "
            "--heatmap` shows the maps of one run."
        )
    load_backend_for(path, ensemble=ensemble)
    from tessera.cli import predictions

    return predictions.predict(
        path, images, form=form, heatmaps=heatmaps, ensemble=ensemble
    )


def labels(path: Path, form: str) -> None:
    """List the labels that a study's answers contradict."""
    from tessera.cli import labels as listing

    listing.labels(path, form)


def export(
    path: Path,
    form: str,
    out: Path | None,
    data: str | None,
    licence: str | None,
    *,
    ensemble: bool,
) -> None:
    """Export a trained model and say where it is and how equal."""
    from tessera.cli import stopping
    from tessera.export.named import named

    named(form)
    lost = "Nothing was exported. The same command starts over:"
    with stopping.telling(console, lambda: lost):
        load_backend_for(path, ensemble=ensemble)
        from tessera.export import command

        done = command.export(
            path, form, out=out, data=data, licence=licence, ensemble=ensemble
        )
    if done.because:
        console.print(done.because, soft_wrap=True)
    console.print(done.check.summary, soft_wrap=True)
    console.print(f"Model: {done.model.resolve()}", soft_wrap=True)
    console.print(f"Card:  {done.card.resolve()}", soft_wrap=True)


def serve(path: Path, host: str, port: int) -> None:
    """Serve a page for a trained model until Ctrl-C."""
    load_backend_for(path)
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
    from tessera.track import command

    shown = command.track(path, to, out=out)
    console.print(f"To see the runs: {shown}", soft_wrap=True)


def config(experiment: Experiment) -> None:
    """Print the experiment as TOML, with the regimes that a study of it has."""
    from tessera.cli import asked

    resolved = experiment.model_copy(update={"regimes": asked.suited(experiment)})
    print(settings.listed(resolved), end="")

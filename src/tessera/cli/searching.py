"""The verb that searches settings: its options, and what it prints."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tessera.cli.options import (
    LARGEST_SEED,
    DataOption,
    EpochsOption,
    ExperimentFile,
    GroupsOption,
    ModelsOption,
    SetOption,
    StartOption,
)

if TYPE_CHECKING:
    from tessera.data.dataset import Dataset
    from tessera.experiment import Experiment, Model
    from tessera.search import Found, Search, Trial


def search(
    experiment: ExperimentFile = None,
    trials: Annotated[
        int, typer.Option(min=1, help="Trainings for every model alike.")
    ] = 20,
    data: DataOption = None,
    epochs: EpochsOption = None,
    groups: GroupsOption = None,
    regime: Annotated[
        str | None,
        typer.Option(
            help="Searched on this regime; default: the first that is not balanced.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LARGEST_SEED,
            help="Default: one above the study's.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the search goes; default: runs/NAME-search.",
            show_default=False,
        ),
    ] = None,
    models: ModelsOption = None,
    start: StartOption = None,
    settings: SetOption = None,
) -> None:
    """Search learning rate, batch size and dropout of each model, on validation only.

    Every model gets the same number of trials, the first of them with the
    experiment's own settings. The test set is not there during the search. Trials run
    one after another, since each is chosen by all before it. Stop it with Ctrl-C: the
    same command continues, and more --trials add to those there are.
    It ends with an experiment file that uses what was found.

        tessera search experiments/study.toml --trials 20
    """
    from tessera import choice, twins
    from tessera.cli import asked

    chosen = asked.resolve(experiment, data, epochs, None, settings or [], groups)
    narrowed = choice.narrowed(chosen, models, alone=False)
    choice.require_kept(chosen, narrowed, settings or [])
    chosen = twins.beside(narrowed, start)
    place = out or Path("runs") / f"{chosen.name}-search"
    run(chosen, place, trials=trials, regime=regime, seed=seed)


def run(
    experiment: "Experiment",
    out: Path,
    *,
    trials: int,
    regime: str | None,
    seed: int | None,
) -> None:
    """Search each model in turn; leave `search.json` and `experiment.toml`."""
    from tessera import runtime
    from tessera.data import apart

    apart.keep_from_data(experiment.data, out)
    runtime.prepare()
    runtime.load_backend(alone=True)
    from tessera import files, locks, search_result, settings, study
    from tessera import search as searches
    from tessera.cli import announcing, commands
    from tessera.phrases import plural

    dataset = commands.load(experiment)
    experiment = study.adapted(experiment, dataset)
    plan = searches.planned(experiment, trials=trials, regime=regime, seed=seed)
    search_result.refuse_other_data(dataset, out / "search.json")
    searches.require_models(experiment, dataset, plan)
    announcing.remarks(commands.console, searches.alone(experiment, plan), dataset)
    with locks.held(out):
        commands.console.print(
            f"{plural(len(experiment.models), 'model')} x "
            f"{plural(plan.trials, 'trial')} of {plural(plan.epochs, 'epoch')}; "
            f"regime {plan.regime}, seed {plan.seed}; decided by {plan.monitor}",
            soft_wrap=True,
        )
        found = search_models(experiment, dataset, plan, out)
        document = search_result.document(plan, found, dataset)
        files.write_json(out / "search.json", document)
        following = search_result.following(experiment, found, plan)
        file = out / "experiment.toml"
        files.write_text(file, settings.dumps(following))
        commands.console.print(f"Experiment with what was found: {file}\nThe study:")
        command = ["tessera", "study", str(file)]
        commands.console.print("  " + shlex.join(command), soft_wrap=True)


def search_models(
    experiment: "Experiment", dataset: "Dataset", search: "Search", out: Path
) -> list["Found"]:
    """Search each model; Ctrl-C says how many trials are kept."""
    from tessera.cli import stopping
    from tessera.cli.commands import console

    done: dict[str, list[Trial]] = {model.label: [] for model in experiment.models}

    def kept() -> str:
        ended = sum(map(len, done.values()))
        return (
            f"{ended} of {len(done) * search.trials} trials are finished and kept in "
            f"{out}. The same command does the rest:"
        )

    journal = out / "trials.journal"
    with stopping.telling(console, kept):
        return [
            search_model(experiment, model, dataset, search, journal, done[model.label])
            for model in experiment.models
        ]


def search_model(
    experiment: "Experiment",
    model: "Model",
    dataset: "Dataset",
    search: "Search",
    journal: Path,
    done: list["Trial"],
) -> "Found":
    """Search one model, printing each trial and adding it to `done`."""
    from tessera import search as searches
    from tessera import search_space
    from tessera.cli.commands import console

    start = searches.base(experiment, model, search)
    for trial in searches.trials(start, dataset, search, journal):
        done.append(trial)
        best = done[searches.best(done, search)]
        console.print(
            f"  {model.label} {len(done)}/{search.trials}: {trial.score:.4f} with "
            f"{trial.values.words()}; best {best.score:.4f}",
            soft_wrap=True,
        )
    return searches.Found(
        model=model.label,
        space=search_space.space(start),
        trials=tuple(done),
        best=searches.best(done, search),
    )

"""Every verb, its options and its help; the work is done by the modules below."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tessera import __version__
from tessera.cli import explaining, previewing, searching, studying, use
from tessera.cli.errors import Verbs, guarded
from tessera.cli.options import (
    LARGEST_SEED,
    DataOption,
    EpochsOption,
    ExperimentFile,
    FolderArgument,
    GroupsOption,
    ImageSizeOption,
    JobsOption,
    MovedDataOption,
    OutOption,
    SeedsOption,
    SetOption,
    StartOption,
)

app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich would triple the time that --help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""The lab bench for small, imbalanced image datasets.

    Train a CNN, a compact transformer and a CNN-token hybrid, with and without remedies
    for the imbalance, over several seeds; compare them with honest statistics; see what
    they look at; keep the model.

    Start with tessera demo (a few minutes, no data needed), then
    tessera data FOLDER and tessera study --data FOLDER on your own images.
    """,
)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the study goes.")] = Path(
        "tessera-demo"
    ),
    jobs: JobsOption = "auto",
) -> None:
    """Run the whole study on the embedded digits, and write its report.

    Nine cells, three seeds, no network: about two minutes on two cores. Shorter than
    the reference study: 4 epochs of images of 16 x 16 pixels, in batches of 16; and no
    flips, for a mirrored digit is another sign.
    """
    from tessera.cli import commands
    from tessera.cli import engine as engines

    options = engines.options(jobs=jobs)
    commands.study(commands.demo_experiment(), out, engine=options)


app.command()(studying.study)
app.command()(previewing.preview)
app.command()(searching.search)


@app.command()
def train(
    experiment: ExperimentFile = None,
    model: Annotated[
        str, typer.Option(help="One of the experiment's models.")
    ] = "hybrid",
    regime: Annotated[str, typer.Option(help="One of its regimes.")] = "weighted",
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED)] = 0,
    data: DataOption = None,
    epochs: EpochsOption = None,
    groups: GroupsOption = None,
    start: StartOption = None,
    out: OutOption = None,
    settings: SetOption = None,
) -> None:
    """Train one cell of the comparison with one seed.

    It lands where `tessera study` looks for it; a finished one is only shown.

        tessera train --model hybrid --regime weighted --data photos --epochs 40
    """
    from tessera import choice, twins
    from tessera.cli import asked, commands

    chosen = asked.resolve(experiment, data, epochs, None, settings or [], groups)
    chosen = twins.beside(chosen, start)
    place = choice.study_folder(out, chosen)
    commands.train(chosen, model, regime, seed, place)


@app.command()
def report(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study's folder.")],
) -> None:
    """Write a study's report again, from what its runs stored; trains nothing."""
    from tessera.cli import commands

    commands.report(study)


app.command()(explaining.explain)
for verb in (use.predict, use.labels, use.export, use.serve, use.track):
    app.command()(verb)


@app.command()
def remedies(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Those to show with all their values."),
    ] = None,
) -> None:
    """List the remedies for imbalance: names for --remedies and experiment files.

    Of some, also the parts they are made of, as an experiment file has them: there
    they can be changed and combined.

        tessera remedies oversampling tail-on-head
    """
    from tessera.cli import commands
    from tessera.cli import remedies as listing

    listing.show(commands.console, names or ())


@app.command()
def faithfulness(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's folder, or a study's.")
    ],
    images: Annotated[
        int, typer.Option(min=10, help="Test images, equally many of every class.")
    ] = 500,
    methods: Annotated[
        str, typer.Option(help="Methods of explaining, separated by commas.")
    ] = "gradcam",
    layer: Annotated[str, typer.Option(help="Layer whose map is used.")] = "features",
    steps: Annotated[
        int, typer.Option(min=2, help="Steps of a deletion or insertion curve.")
    ] = 16,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Of sample and controls.")
    ] = 0,
    data: MovedDataOption = None,
    shuffled: Annotated[
        int,
        typer.Option(
            "--shuffled-labels",
            metavar="EPOCHS",
            min=0,
            help="Also train on shuffled labels, for at most so many epochs (try 100).",
        ),
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Where results go; default: into RUN.", show_default=False),
    ] = None,
) -> None:
    """Ask whether a model's heatmaps tell the truth.

    Hides what they mark, compares them with maps that know nothing of the model, draws
    the weights anew, plants evidence where the place is known. Writes
    faithfulness.json, its values per image and charts; what is there already for the
    same question is kept. Given a study's folder, checks the first seed of every cell
    and writes the report again; a run that cannot be checked is listed at the end with
    its reason, and the exit code is 1.

        tessera faithfulness runs/study/runs/hybrid--weighted-1a2b3c4d/seed-0
    """
    from tessera.cli import commands
    from tessera.cli import faithfulness as command

    status = command.faithfulness(
        run,
        images=images,
        methods=methods,
        layer=layer,
        steps=steps,
        seed=seed,
        data=data,
        shuffled=shuffled,
        out=out,
        console=commands.console,
    )
    raise typer.Exit(status)


@app.command()
def data(
    folder: FolderArgument,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    image_size: ImageSizeOption = 32,
    groups: GroupsOption = None,
    settings: SetOption = None,
) -> None:
    """Look at an image folder before training on it.

    Counts per class and split, imbalance factor, sizes, duplicates across splits,
    unreadable files with reasons. Exits with 1 when training would be unsafe, or when
    tessera study with its own regimes would refuse the folder.
    """
    from tessera.cli import data as command

    more = settings or ()
    status = command.data(folder, more, json=json, image_size=image_size, groups=groups)
    raise typer.Exit(status)


@app.command()
def config(
    experiment: ExperimentFile = None,
    data: DataOption = None,
    epochs: EpochsOption = None,
    seeds: SeedsOption = None,
    groups: GroupsOption = None,
    start: StartOption = None,
    settings: SetOption = None,
) -> None:
    """Print the experiment as TOML: every setting, and the regimes of a study of it.

    tessera config --data photos > mine.toml
    """
    from tessera import twins
    from tessera.cli import asked, commands

    chosen = asked.resolve(experiment, data, epochs, seeds, settings or [], groups)
    commands.config(twins.beside(chosen, start))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tessera {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The lab bench for small, imbalanced image datasets."""


def main() -> None:
    """Run the command line; known errors end in one message and exit code 2."""
    sys.exit(guarded(app, sys.argv[1:]))

"""The verb that shows training images before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tessera.cli.options import (
    LARGEST_SEED,
    DataOption,
    ExperimentFile,
    GroupsOption,
    SetOption,
)

if TYPE_CHECKING:
    from tessera.experiment import Experiment


def preview(
    experiment: ExperimentFile = None,
    model: Annotated[
        str, typer.Option(help="One of the experiment's models.")
    ] = "hybrid",
    regime: Annotated[str, typer.Option(help="One of its regimes.")] = "weighted",
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED)] = 0,
    epoch: Annotated[int, typer.Option(min=1, help="Counted from 1.")] = 1,
    data: DataOption = None,
    groups: GroupsOption = None,
    out: Annotated[Path, typer.Option(help="The picture, a PNG file.")] = Path(
        "preview.png"
    ),
    settings: SetOption = None,
) -> None:
    """See training images as a run will show them, before it trains.

    The first images of each class in an epoch, as they are and as they are cropped,
    flipped, turned, recoloured and mixed: the very ones that tessera train and
    tessera study show for the same settings. In brackets: images of the class.

        tessera preview --data photos --set training.rotation=15
    """
    from tessera.cli import asked

    chosen = asked.resolve(experiment, data, None, None, settings or [], groups)
    draw(chosen, model, regime, seed, epoch, out)


def draw(
    experiment: "Experiment", model: str, regime: str, seed: int, epoch: int, out: Path
) -> None:
    """Write the picture and say where it is.

    Raises:
        ExperimentError: There is no such model, regime or epoch.
        DataError: The data cannot be read, or the picture would lie in it.
    """
    from tessera import choice, runtime
    from tessera import study as studies
    from tessera.cli import commands
    from tessera.data import apart

    apart.keep_from_data(experiment.data, choice.picture(out, "--out"))
    runtime.prepare()
    dataset = commands.load(experiment)
    experiment = studies.adapted(experiment, dataset)
    run = choice.find_run(experiment, model, regime, seed)
    runtime.load_backend(alone=True)
    from tessera import previewed

    found = previewed.preview(run, dataset, epoch=epoch)
    place = found.save(out)
    for sentence in found.left_out:
        commands.console.print(sentence)
    commands.console.print(f"Picture: {place.resolve()}", soft_wrap=True)

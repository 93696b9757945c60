"""`tessera explain`: its options, its help, and what it does."""

from pathlib import Path
from typing import Annotated

import typer

from tessera.cli.use import Model

METHODS = (
    *("gradcam", "hirescam", "layercam", "gradcam++", "scorecam", "eigencam"),
    *("integrated-gradients", "smoothgrad", "occlusion", "rollout"),
)
"""Of `explain.methods`, by name: to import that takes as long as a framework does."""

MethodOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"{', '.join(METHODS)}.".replace("scorecam", "scorecam (slow)"),
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(
        metavar="CLASS",
        help="Class to explain: a name, an index, `predicted`, or `true`, which is "
        "the name of the image's folder.",
    ),
]
ContrastOption = Annotated[
    str | None,
    typer.Option(
        metavar="CLASS",
        help="Class to explain it against: why the one rather than the other.",
    ),
]
LayerOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Layer whose map is used, `features` unless said; a wrong name lists "
        "the layers.",
    ),
]
BranchesOption = Annotated[
    bool,
    typer.Option(
        "--branches",
        help="Of a hybrid: what came through its CNN branch, and what through its "
        "tokens.",
    ),
]
AgainstOption = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN",
        help="With --branches: compare the branches' shares with this run's.",
    ),
]


def explain(
    model: Model,
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[IMAGE|FOLDER...]", show_default=False),
    ] = None,
    method: MethodOption = "gradcam",
    target: TargetOption = "predicted",
    contrast: ContrastOption = None,
    layer: LayerOption = None,
    branches: BranchesOption = False,
    against: AgainstOption = None,
    out: Annotated[Path, typer.Option(help="Folder for pictures and maps.")] = Path(
        "explanations"
    ),
) -> None:
    """Show what a trained model looks at: pictures, and the raw maps as `.npz`.

    A picture holds the image, the map in its own cells, and both together. A map that
    shows nothing comes with the reason. A folder stands for the images below it, a
    study for its recommended run.

        tessera explain RUN cat.jpg dog.jpg

        tessera explain RUN cat/wrong.jpg --target predicted --contrast true

        tessera explain RUN cat.jpg --method hirescam --layer conv2

    Of a hybrid, also what each branch adds to the answer; the parts add up exactly.
    Without an image, the branches' shares of every class on the test images:

        tessera explain RUN cat.jpg --branches

        tessera explain RUN --branches --against OTHER_RUN
    """
    from tessera import choice, settings
    from tessera.cli import commands
    from tessera.data import apart

    if images and against is not None:
        raise settings.ExperimentError(
            "--against: expected no IMAGE beside it, since whole test sets are "
            f"compared. Received: {len(images)}."
        )
    if not images and not branches and against is None:
        raise settings.ExperimentError(
            "IMAGE: expected at least one file. Received: none. For a hybrid's shares "
            "over all test images, add --branches."
        )
    choice.require("--method", method, METHODS)
    apart.keep_from_pictures(images or [], out)

    chosen = commands.load_backend_for(model)
    from tessera import answers
    from tessera.explain import branch_command, command

    if chosen.because:
        commands.console.print(chosen.because, soft_wrap=True)
    run = chosen.folder.path
    branches = branches or against is not None
    if branches and not images:
        branch_command.print_shares(run, against=against)
        return
    verb = branch_command.branch_images if branches else command.explain_images
    found = list(answers.files_of(images or []))
    paths = [path for path in found if isinstance(path, Path)]
    refused = [(r.path, r.reason) for r in found if isinstance(r, answers.Refused)]
    status = 0
    if paths or not refused:
        status = verb(
            run,
            paths,
            method=method,
            target=target,
            contrast=contrast,
            layer=layer,
            out=out,
        )
    raise typer.Exit(command.name_refused(commands.console, refused) or status)

"""`tessera explain`: its options, its help, and what it does."""

from pathlib import Path
from typing import Annotated, Optional

import typer

MethodOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="gradcam, hirescam, layercam, gradcam++, scorecam (slow), eigencam, "
        "integrated-gradients, smoothgrad, occlusion, or rollout.",
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
    Optional[str],  # noqa: UP045
    typer.Option(
        metavar="CLASS",
        help="Class to explain it against: why the one rather than the other.",
    ),
]
LayerOption = Annotated[
    Optional[str],  # noqa: UP045
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
    Optional[Path],  # noqa: UP045
    typer.Option(
        metavar="RUN",
        help="With --branches: compare the branches' shares with this run's.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Make `explain` a verb."""
    app.command()(explain)


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    images: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(metavar="[IMAGE...]", show_default=False),
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
    shows nothing comes with the reason.

        tessera explain RUN cat.jpg dog.jpg

        tessera explain RUN cat/wrong.jpg --target predicted --contrast true

        tessera explain RUN cat.jpg --method hirescam --layer conv2

    Of a hybrid, also what each branch adds to the answer; the parts add up exactly.
    Without an image, the branches' shares of every class on the test images:

        tessera explain RUN cat.jpg --branches

        tessera explain RUN --branches --against OTHER_RUN
    """
    if branches or against is not None:
        status = explain_branches(
            run, images or [], method, target, contrast, layer, against, out
        )
    else:
        status = explain_images(run, images or [], method, target, contrast, layer, out)
    raise typer.Exit(status)


def explain_images(
    run: Path,
    images: list[Path],
    method: str,
    target: str,
    contrast: str | None,
    layer: str | None,
    out: Path,
) -> int:
    """Explain images with a trained run; returns the exit status."""
    from tessera import runtime

    runtime.prepare()
    runtime.load_backend()
    from tessera.explain import command

    return command.explain_images(
        run,
        images,
        method=method,
        target=target,
        contrast=contrast,
        layer=layer,
        out=out,
    )


def explain_branches(
    run: Path,
    images: list[Path],
    method: str,
    target: str,
    contrast: str | None,
    layer: str | None,
    against: Path | None,
    out: Path,
) -> int:
    """Split a hybrid's evidence by branch; returns the exit status."""
    from tessera import runtime

    runtime.prepare()
    runtime.load_backend()
    from tessera.explain import branch_command

    if not images:
        branch_command.print_shares(run, against=against)
        return 0
    if against is not None:
        from tessera import settings

        raise settings.ExperimentError(
            "--against: expected no IMAGE beside it, since whole test sets are "
            f"compared. Received: {len(images)}."
        )
    return branch_command.branch_images(
        run,
        images,
        method=method,
        target=target,
        contrast=contrast,
        layer=layer,
        out=out,
    )

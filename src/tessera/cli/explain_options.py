"""The options of `tessera explain`."""

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

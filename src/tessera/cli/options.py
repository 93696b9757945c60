"""The options that several verbs share, each with its help."""

from pathlib import Path
from typing import Annotated, Optional

import typer

ExperimentFile = Annotated[
    Optional[Path],  # noqa: UP045  (typer reads this form)
    typer.Argument(
        metavar="[EXPERIMENT.toml]",
        help="Experiment file; without one, the seed study's settings.",
        show_default=False,
    ),
]
DataOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--data",
        metavar="digits|cifar10|PATH",
        help="Dataset: `digits` (embedded), `cifar10` (downloaded), an image folder, "
        "or a local CIFAR-10 archive.",
        show_default=False,
    ),
]
EpochsOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--epochs", min=1, help="8 for a demo, 40 to 80 for a final run."),
]
SeedsOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--seeds",
        metavar="N|a,b,c",
        help="How many seeds (`5` means 0,1,2,3,4), or which (`3,7,11`).",
    ),
]
SetOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Change any setting; may be repeated. `tessera config` lists them.",
    ),
]
RemediesOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--remedies",
        metavar="all|a,b,c",
        help="Compare remedies for the imbalance with plain and with balanced "
        "training; `tessera remedies` lists them. Without an experiment file, and "
        "without --models, the hybrid alone is trained.",
    ),
]
ModelsOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--models", metavar="a,b", help="Only these of the experiment's models."
    ),
]
JobsOption = Annotated[
    str,
    typer.Option(
        "--jobs",
        metavar="auto|N",
        help="Trainings side by side; auto: one per core, as memory allows.",
    ),
]

"""The options that say where runs are trained."""

from typing import Annotated, Optional

import typer

EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="local|ray",
        help="Where runs are trained: processes of this machine, or a Ray cluster.",
    ),
]
AddressOption = Annotated[
    Optional[str],  # noqa: UP045  (typer reads this form)
    typer.Option(
        "--address",
        metavar="auto|HOST:PORT|local",
        help="Ray: the cluster that this machine is part of, its head, or one started "
        "here for this command. Default: auto.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--threads",
        min=1,
        help="Cores of each training; default: 1 with Ray, else what --jobs leaves.",
        show_default=False,
    ),
]
GpusOption = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--gpus",
        min=0.0,
        help="Ray: GPUs of each training; 0.25 puts four on one. Default: none.",
        show_default=False,
    ),
]
SeedsTogetherOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(
        "--seeds-together",
        metavar="N",
        min=1,
        help="JAX: keep the images on the device, and train whole epochs of up to N "
        "seeds of a cell as one program. For a GPU; off unless given.",
        show_default=False,
    ),
]

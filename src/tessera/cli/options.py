"""The options that several verbs share, each with its help."""

from pathlib import Path
from typing import Annotated

import typer

LARGEST_SEED = 2**32 - 1
MOST_FOLDS = 20
"""As in `experiment`, whose import would slow --help down."""

ExperimentFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="[EXPERIMENT.toml]",
        help="Experiment file; without one, the reference study's settings.",
        show_default=False,
    ),
]
FolderArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="An image folder, or a CSV file that lists images."
    ),
]
ImageSizeOption = Annotated[
    int, typer.Option(min=8, max=512, help="The study's data.image_size.")
]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="digits|cifar10|PATH",
        help="Dataset: `digits` (embedded), `cifar10` (downloaded), an image folder, "
        "a CSV file that lists images, or a local CIFAR-10 archive. Default: the "
        "experiment file's, else `digits`.",
        show_default=False,
    ),
]
MovedDataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Where the run's data lies now, if it was moved.",
        show_default=False,
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(
        "--epochs",
        min=1,
        help="Of every training; 40 to 80 for a final one. Default: the experiment "
        "file's, else 8.",
        show_default=False,
    ),
]
SeedsOption = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        metavar="N|a,b,c",
        help="How many seeds (`5` means 0,1,2,3,4), or which (`3,7,11`). Default: the "
        "experiment file's, else 2.",
        show_default=False,
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="The study's folder; default: runs/NAME.", show_default=False
    ),
]
FoldsOption = Annotated[
    int | None,
    typer.Option(
        "--folds",
        metavar="K",
        min=2,
        max=MOST_FOLDS,
        help="Cross-validate an image folder without test/: each of K parts is the "
        "test set once, and every image is tested. K times the trainings.",
        show_default=False,
    ),
]
GroupsOption = Annotated[
    str | None,
    typer.Option(
        "--groups",
        metavar="folder|REGEX",
        help="Images that are never parted between training, validating and testing: "
        "of one folder within a class, or with the same match in their path, say "
        "'(patient[0-9]+)'.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Change any setting; may be repeated. `tessera config` lists them.",
    ),
]
RemediesOption = Annotated[
    str | None,
    typer.Option(
        "--remedies",
        metavar="all|a,b,c",
        help="Compare remedies for the imbalance with plain and with balanced "
        "training; `tessera remedies` lists them. Without an experiment file, and "
        "without --models, the hybrid alone is trained.",
    ),
]
ModelsOption = Annotated[
    str | None,
    typer.Option(
        "--models", metavar="a,b", help="Only these of the experiment's models."
    ),
]
StartOption = Annotated[
    Path | None,
    typer.Option(
        "--start",
        metavar="RUN",
        help="Compare models more that start from the weights of a finished run, or "
        "of the run that a study recommends: a twin of each of its architecture.",
        show_default=False,
    ),
]
JobsOption = Annotated[
    str,
    typer.Option(
        "--jobs",
        metavar="auto|N",
        help="Trainings side by side; auto: as many as cores and memory allow; on a "
        "GPU one.",
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="local|ray",
        help="Where runs are trained: processes of this machine, or a Ray cluster.",
    ),
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="auto|HOST:PORT|local",
        help="Ray: the cluster that this machine is part of, its head, or one started "
        "here for this command. Default: auto.",
        show_default=False,
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Cores of each training. Default: 1.",
        show_default=False,
    ),
]
GpusOption = Annotated[
    float | None,
    typer.Option(
        "--gpus",
        min=0.0,
        help="Ray: GPUs of each training; 0.25 puts four on one. Default: none.",
        show_default=False,
    ),
]
SeedsTogetherOption = Annotated[
    int | None,
    typer.Option(
        "--seeds-together",
        metavar="N",
        min=1,
        help="JAX: keep the images on the device, and train whole epochs of up to N "
        "seeds of a cell as one program. For a GPU; off unless given.",
        show_default=False,
    ),
]

"""The verbs that put a trained model to use: their options and their help."""

from pathlib import Path
from typing import Annotated

import typer

from tessera.cli.options import MovedDataOption

Model = Annotated[
    Path,
    typer.Argument(
        metavar="RUN|STUDY",
        help="A run's folder, or a study's: its recommended run, of the regimes that "
        "keep the most images.",
    ),
]

EnsembleOption = Annotated[
    bool,
    typer.Option(
        "--ensemble",
        help="Ask all seeds' runs of the study's recommended model and answer with "
        "the mean of their probabilities, which as a rule errs less often than one run "
        "and takes as many times the work.",
    ),
]

FORMATS = ("table", "jsonl", "csv")
"""Of the answers that `predict` gives."""


def predict(
    model: Model,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|FOLDER...")],
    form: Annotated[
        str,
        typer.Option("--format", metavar="|".join(FORMATS), help="Of the answers."),
    ] = "table",
    heatmap: Annotated[
        bool, typer.Option("--heatmap", help="A Grad-CAM picture per image as well.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path(
        "heatmaps"
    ),
    ensemble: EnsembleOption = False,
) -> None:
    """Say what images show: class, probability, runner-up.

    A file that cannot be read is listed with its reason, the rest goes on, and the
    exit code is 1. The last line says whether probabilities are calibrated.

        tessera predict runs/photos new-photos --format csv > answers.csv
    """
    from tessera import choice
    from tessera.cli import commands

    choice.require("--format", form, FORMATS)
    pictures = out if heatmap else None
    raise typer.Exit(commands.predict(model, images, form, pictures, ensemble=ensemble))


def export(
    model: Model,
    to: Annotated[
        str,
        typer.Option(
            metavar="keras|onnx|onnx-int8|litert|saved-model", help="The format."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder that is not there yet; default: named after the run.",
            show_default=False,
        ),
    ] = None,
    data: MovedDataOption = None,
    licence: Annotated[
        str | None,
        typer.Option(help="Licence of the weights, for the card.", show_default=False),
    ] = None,
    ensemble: EnsembleOption = False,
) -> None:
    """Hand a trained model over: a folder with it, its labels and its card.

    Preprocessing and calibration are inside. 1,000 images, test images first, are
    compared with the original: where a probability differs by more than 1e-4, nothing
    is exported. onnx-int8 is smaller and faster and not quite the original: it rounds,
    and what that costs is measured on the test images and told in the card.

        tessera export runs/photos --to onnx --out photos-model
    """
    from tessera.cli import commands

    commands.export(model, to, out, data, licence, ensemble=ensemble)


def labels(
    study: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY|RUN",
            help="A study's folder: all seeds of its recommended model; or a run's.",
        ),
    ],
    form: Annotated[
        str,
        typer.Option("--format", metavar="|".join(FORMATS), help="Of the list."),
    ] = "table",
) -> None:
    """List images whose label may be wrong, and what they may be instead.

    Found by confident learning from what a study's models answered to images that they
    had not learned from: the test images, or with --folds every image of the folder.
    Candidates to look at; nothing is changed and no model is loaded.

        tessera study --data photos --folds 5 --out runs/folds

        tessera labels runs/folds --format csv > look-at.csv
    """
    from tessera import choice
    from tessera.cli import commands

    choice.require("--format", form, FORMATS)
    commands.labels(study, form)


def serve(
    model: Model,
    host: Annotated[
        str,
        typer.Option(help="Address; the default is reached from this machine only."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
) -> None:
    """A web page for a trained model: drop images, see answers, heatmaps and limits.

    Programs ask POST /api/predict; /openapi.json documents it.

        tessera serve runs/photos
    """
    from tessera.cli import commands

    commands.serve(model, host, port)


def track(
    path: Annotated[
        Path, typer.Argument(metavar="STUDY|RUN", help="A study's or a run's folder.")
    ],
    to: Annotated[str, typer.Option(metavar="tensorboard|mlflow", help="The tracker.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where its files go; default: a folder within the one given.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Copy finished runs into TensorBoard or MLflow; the folders stay the truth.

    May be given again at any time, also while the study goes on.

        tessera track runs/photos --to mlflow
    """
    from tessera.cli import commands

    commands.track(path, to, out)

"""The verbs of the command line as functions, with results that show themselves."""

from tessera import runtime

runtime.prepare()
runtime.load_backend()  # switches first, and without the framework's start-up notes

from tessera.api.classifier import TesseraClassifier  # noqa: E402
from tessera.api.results import (  # noqa: E402
    Data,
    Evaluation,
    Explained,
    Model,
    Predictions,
    Study,
)
from tessera.api.verbs import (  # noqa: E402
    evaluate,
    explain,
    load_data,
    predict,
    study,
    train,
)

__all__ = [
    "Data",
    "Evaluation",
    "Explained",
    "Model",
    "Predictions",
    "Study",
    "TesseraClassifier",
    "evaluate",
    "explain",
    "load_data",
    "predict",
    "study",
    "train",
]

"""Run a script as it stands, but with one epoch and one seed in every training, and
with one small model where it names none.

    python small.py SCRIPT

A document says what a user wants, forty epochs and five seeds; that every line of it
works shows with one.
"""

import runpy
import sys
from collections.abc import Callable
from typing import Any

from tessera import api
from tessera.api import training
from tessera.experiment import Run
from tessera.sklearn import TesseraClassifier


def once(
    verb: Callable[..., Any], fewer: dict[str, Any], unsaid: dict[str, Any]
) -> Callable[..., Any]:
    """The verb with some options replaced, and others where it is called without."""

    def run(*arguments: Any, **options: Any) -> Any:
        return verb(*arguments, **(unsaid | options | fewer))

    return run


def shortened(settings: Callable[[TesseraClassifier], Run]) -> Any:
    """The classifier's settings with one epoch."""

    def run(classifier: TesseraClassifier) -> Run:
        return settings(classifier.set_params(epochs=1))

    return run


ONE = {"epochs": 1, "seeds": 1, "jobs": 1}
api.study = once(training.study, ONE, {"models": ["cnn"]})
api.train = once(training.train, {"epochs": 1}, {})
TesseraClassifier._run = shortened(TesseraClassifier._run)  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")

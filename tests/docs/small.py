"""Run a script as it stands, but with one epoch and one seed in every training, one
regime in every study, and one small model where it names none.

A document says what a user wants, forty epochs and five seeds; that every line of it
works shows with one. The script is run in this process, which has loaded the framework.
"""

import contextlib
import io
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from tessera import api
from tessera.experiment import Run
from tessera.explain.faithfulness import planted
from tessera.sklearn import TesseraClassifier

REGIME = 'regimes=[{name="as-is", profile={kind="natural"}}]'
"""Data as they come, nothing done about it."""

Verb = Callable[..., Any]


def script(path: Path, folder: Path) -> str:
    """What a script prints, run small in a folder."""
    printed = io.StringIO()
    with _small(), contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        runpy.run_path(str(path), run_name="__main__")
    return printed.getvalue()


@contextlib.contextmanager
def _small() -> Iterator[None]:
    settings = TesseraClassifier._run
    with (
        mock.patch.object(api, "study", _study(api.study)),
        mock.patch.object(api, "train", _train(api.train)),
        mock.patch.object(TesseraClassifier, "_run", _once(settings)),
    ):
        yield


def reader(*, seed: int) -> tuple[Any, float]:
    """The reader of planted glyphs as it begins, which takes no seconds."""
    return planted.reader(seed=seed), 1.0


def _study(verb: Verb) -> Verb:
    def run(*arguments: Any, **options: Any) -> Any:
        change = [*options.pop("change", ()), REGIME]
        small = {"epochs": 1, "seeds": 1, "jobs": 1, "change": change}
        return verb(*arguments, **({"models": ["cnn"]} | options | small))

    return run


def _train(verb: Verb) -> Verb:
    def run(*arguments: Any, **options: Any) -> Any:
        return verb(*arguments, **(options | {"epochs": 1}))

    return run


def _once(settings: Callable[[TesseraClassifier], Run]) -> Verb:
    """The classifier's settings with one epoch."""

    def run(classifier: TesseraClassifier) -> Run:
        return settings(classifier.set_params(epochs=1))

    return run

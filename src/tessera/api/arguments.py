"""The arguments of a call -> the experiment that they ask for, and its data."""

import json
from collections.abc import Iterable, Sequence
from operator import index
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from tessera import cross_validation, experiment, settings
from tessera import study as studies
from tessera.cli import progress
from tessera.data import source
from tessera.data.dataset import DataError, Dataset
from tessera.notebook.data import Data

Source: TypeAlias = Data | str | Path
"""Loaded data, or what `load_data` takes."""


def resolve(
    data: Source | None,
    plan: str | Path | None,
    *,
    epochs: int | None,
    seeds: int | Sequence[int] | None,
    change: str | Sequence[str],
    groups: str | None = None,
    verbose: bool = False,
) -> experiment.Experiment:
    """The experiment that the arguments of `training.study` ask for, plan or no plan.

    Raises:
        ExperimentError: A setting is wrong.
        DataError: The data cannot be used.
    """
    texts = [f"training.epochs={epochs}"] if epochs is not None else []
    if seeds is not None:
        texts.append(f"seeds={_numbers(seeds)}")
    if groups is not None:
        texts.append(f"data.groups={json.dumps(groups)}")
    table = None
    if isinstance(data, Data):
        table = data.settings.model_dump(exclude_none=True)
        texts.append(f"data.image_size={data.settings.image_size}")  # not the plan's
    elif data is not None:
        place = named(data)
        table = place.model_dump(exclude_defaults=True) | {"kind": place.kind}

    def suited(asked: experiment.Experiment) -> tuple[experiment.Regime, ...]:
        folds = cross_validation.parts(asked, Path())
        first = folds[0].experiment if folds else asked
        return studies.adapted(asked, loaded(data, first, verbose)).regimes

    path = None if plan is None else Path(plan)
    return settings.read(
        path, [*texts, *changes(change)], data=table, suited=suited, option="change"
    )


def named(data: str | Path) -> experiment.Data:
    """The data settings that a name or a path means.

    Raises:
        DataError: It is neither, or there is no such data.
    """
    if not isinstance(data, str | Path):
        raise DataError(
            "data: expected what `load_data` returns, digits, cifar10, or a path, as "
            f"text or Path. Received: {type(data).__name__}. For arrays there is "
            "`tessera.sklearn.TesseraClassifier`."
        )
    return source.from_argument(str(data), "data")


def divided(asked: experiment.Experiment, folds: int) -> experiment.Experiment:
    """An experiment of so many folds.

    Raises:
        ExperimentError: There are no such folds, or the data is no image folder.
    """
    most = experiment.MOST_FOLDS
    if type(folds) is not int or not 2 <= folds <= most:
        raise settings.ExperimentError(
            f"folds: expected a whole number from 2 to {most}, or None. Received: "
            f"{folds!r}."
        )
    return cross_validation.divided(asked, folds)


def loaded(data: Source | None, asked: experiment.Experiment, verbose: bool) -> Dataset:
    """The experiment's data: what is loaded already, if it is read alike."""
    if isinstance(data, Data) and data.settings == asked.data:
        return data.dataset
    with progress.loading(console(verbose)) as report:
        return source.load(asked.data, progress=report)


def listed(names: str | Sequence[str], argument: str) -> str:
    """A list of names as a command line has it.

    Raises:
        ExperimentError: It is none.
    """
    try:
        return names if isinstance(names, str) else ",".join(names)
    except TypeError as error:
        raise settings.ExperimentError(
            f"{argument}: expected a list of names. Received: {names!r}."
        ) from error


def changes(change: str | Sequence[str]) -> list[str]:
    """One change or several -> each as a text.

    Raises:
        ExperimentError: It is neither.
    """
    if isinstance(change, str):
        return [change]
    texts = list(change) if isinstance(change, Iterable) else [None]
    if all(isinstance(one, str) for one in texts):
        return texts
    raise settings.ExperimentError(
        'change: expected texts such as "training.flip=false", one or a list. '
        f"Received: {change!r}."
    )


def _numbers(seeds: int | Sequence[int]) -> list[int]:
    """How many, or which -> which, also of NumPy's whole numbers."""
    try:
        chosen = range(seeds) if isinstance(seeds, int) else seeds
        return [index(seed) for seed in chosen]
    except TypeError as error:
        raise settings.ExperimentError(
            "seeds: expected a count such as 5, or a list such as [3, 7, 11]. "
            f"Received: {seeds!r}."
        ) from error


def console(verbose: bool) -> Console:
    """Where progress is told, if it is wanted."""
    return Console(highlight=False, markup=False, quiet=not verbose)

"""What a search leaves: `search.json`, and the experiment that uses what was found."""

import contextlib
import json
from pathlib import Path
from typing import Any

from tessera import runtime, search_space
from tessera.data.dataset import Dataset
from tessera.experiment import Experiment, Model, OwnTraining
from tessera.phrases import plural
from tessera.search import Found, Search, SearchError


def following(experiment: Experiment, found: list[Found], search: Search) -> Experiment:
    """The study that uses what was found, and says so in each run's notes."""
    by_model = {one.model: one for one in found}
    models = tuple(
        _settled(model, by_model[model.label], search) for model in experiment.models
    )
    return experiment.model_copy(update={"models": models})


def _settled(model: Model, found: Found, search: Search) -> Model:
    values = found.trials[found.best].values
    own = found.best == 0
    origin = (
        f"Found by {plural(search.trials, 'trial')} of "
        f"{plural(search.epochs, 'epoch')}, the same budget for every model, by "
        f"{search.monitor} on validation images only (regime {search.regime}, "
        f"seed {search.seed})"
        + ("; no trial beat the experiment's own settings." if own else ".")
    )
    searched = {"learning_rate": values.learning_rate, "batch_size": values.batch_size}
    before = model.training or OwnTraining()
    if before.values().keys() - searched.keys():  # which the trials had as well
        origin = " ".join(filter(None, (before.origin, origin)))
    training = before.model_copy(update={**searched, "origin": origin})
    changed = search_space.with_dropout(model, values.dropout)
    return changed.model_copy(update={"training": training})


def refuse_other_data(dataset: Dataset, file: Path) -> None:
    """Let no search take the place of one on other data.

    Args:
        dataset: Of the search that is about to begin.
        file: Its `search.json`, which need not be there.

    Raises:
        SearchError: The file is of other data, or of no search.
    """
    if not file.exists():
        return
    found = "a file that is damaged or not Tessera's"
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        held = json.loads(file.read_bytes())["data"]
        if held["fingerprint"] == dataset.fingerprint:
            return
        found = f"that of {held['name']} ({held['fingerprint'][:12]})"
    raise SearchError(
        f"{file}: expected no search, or that of {dataset.name} "
        f"({dataset.fingerprint[:12]}). Received: {found}, which would be replaced. "
        "Give this search a folder of its own with --out."
    )


def document(search: Search, found: list[Found], dataset: Dataset) -> dict[str, Any]:
    """What `search.json` holds: budget, spaces, every trial, data, environment."""
    return {
        "search": search.model_dump(mode="json"),
        "models": [one.model_dump(mode="json") for one in found],
        "data": dataset.summary().model_dump(mode="json"),
        "environment": runtime.environment().model_dump(mode="json"),
    }

"""Settings searched for each model: an equal budget, on validation images only.

What is searched, with which budget and on which images is one value, the `Search`, and
goes into the results. The search is Optuna's tree-structured Parzen estimator (Bergstra
et al. 2011; Optuna: Akiba et al. 2019, arXiv:1907.10902). Its trials lie in a journal,
so that the same command goes on where it stopped, and more trials add to what is there.
"""

import hashlib
import importlib.util
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tessera import loading, pipeline, runtime, search_space, selection
from tessera.data.dataset import Dataset, Split
from tessera.experiment import LARGEST_SEED, Experiment, Model, Run
from tessera.frozen import Setting
from tessera.models import build
from tessera.models.blocks import ModelError
from tessera.record import RunFolder
from tessera.search_space import Space, Values
from tessera.training import fit
from tessera.training.validation import TrainingDiverged

WORST_LOSS = 1e9
"""Nats that stand for the infinite loss of a training that diverged, which neither a
setting nor JSON can hold."""


class SearchError(RuntimeError):
    """The search cannot go on; the message says why and what to do."""


class Trial(Setting):
    """One training of the search."""

    values: Values
    score: float
    """On validation images, in the epoch that is kept. A training that diverged has
    the worst there is, 0 or `WORST_LOSS`."""


class Search(Setting):
    """What every model gets alike."""

    trials: int
    regime: str
    seed: int
    """Not one of the study's, so that no reported run was searched on."""
    epochs: int
    monitor: str
    """The score that trials are told apart by: the experiment's monitor or, where
    that is none, balanced accuracy."""


class Found(Setting):
    """What the search of one model did."""

    model: str
    space: Space
    trials: tuple[Trial, ...]
    best: int
    """Index of the best trial; the first one is the experiment's own settings."""


def planned(
    experiment: Experiment, *, trials: int, regime: str | None, seed: int | None
) -> Search:
    """The search that is asked for.

    Args:
        experiment: Whose models are searched.
        trials: For each model.
        regime: On which it is done; None: the first whose profile is not balanced.
        seed: Of images, order and initial weights; None: one above the study's, or
            where that is too large the smallest that is none of them.

    Raises:
        SearchError: There is no such regime, or the seed is one of the study's.
    """
    names = [r.name for r in experiment.regimes]
    uneven = [r.name for r in experiment.regimes if r.profile.kind != "balanced"]
    if regime is not None and regime not in names:
        raise SearchError(
            f"--regime: expected one of {', '.join(names)}. Received: {regime!r}."
        )
    if seed in experiment.seeds:
        raise SearchError(
            f"--seed: expected none of the study's {list(experiment.seeds)}, so that "
            f"no run it reports was searched on. Received: {seed}."
        )
    return Search(
        trials=trials,
        regime=regime or (uneven or names)[0],
        seed=_free_seed(experiment.seeds) if seed is None else seed,
        epochs=experiment.training.epochs,
        monitor=experiment.training.score,
    )


def _free_seed(taken: Sequence[int]) -> int:
    above = max(taken) + 1
    if above <= LARGEST_SEED:
        return above
    return next(seed for seed in itertools.count() if seed not in taken)


def alone(experiment: Experiment, search: Search) -> Experiment:
    """The experiment with the search's regime and seed only."""
    regimes = tuple(r for r in experiment.regimes if r.name == search.regime)
    kept = {"regimes": regimes, "seeds": (search.seed,)}
    return experiment.model_copy(update=kept)


def base(experiment: Experiment, model: Model, search: Search) -> Run:
    """The run that the search of a model starts from: the experiment's own."""
    one = alone(experiment, search).model_copy(update={"models": (model,)})
    return one.runs()[0]


def require_models(experiment: Experiment, dataset: Dataset, search: Search) -> None:
    """Build each model once, so that an impossible one is refused before any trial.

    Raises:
        ModelError: One cannot be built for these images.
    """
    for model in experiment.models:
        run = base(experiment, model, search)
        try:
            build.for_run(run, dataset.image_shape, len(dataset.class_names))
        except ModelError as error:
            raise ModelError(f"model {model.label}: {error}") from error


def without_test(dataset: Dataset) -> Dataset:
    """The dataset for a search: in the test split's place, one training image.

    A `Dataset` must have a test split. With this one, nothing that a trial does can
    read a test image, by mistake or otherwise.
    """
    one = Split(dataset.train.images[:1], dataset.train.labels[:1])
    return replace(dataset, test=one)


def validation_score(run: Run, dataset: Dataset, score: str) -> float:
    """Train a run and return a score of the epoch that is kept; its weights are not.

    What a remedy does after training is left out: it is the same for every trial.

    Args:
        run: What to train.
        dataset: From `without_test`.
        score: Of the history; the search's monitor.
    """
    runtime.make_deterministic(run.seed)
    chosen = selection.choose(run, dataset)
    net = build.for_run(run, dataset.image_shape, len(dataset.class_names))
    with tempfile.TemporaryDirectory(prefix="tessera-trial-") as place:
        folder = RunFolder(Path(place))
        try:
            fitted = fit.fit(pipeline.job(run, net, dataset, chosen, folder=folder))
        except TrainingDiverged:
            return float("inf") if score == "val_loss" else 0.0
    return fitted.history[fitted.best_epoch - 1][score]


def trials(
    run: Run, dataset: Dataset, search: Search, journal: Path
) -> Iterator[Trial]:
    """The trials of one model, the stored ones first, until there are enough.

    Args:
        run: From `base`.
        dataset: Its test split is dropped before anything else.
        search: The budget.
        journal: Where trials are kept; several models share it.

    Raises:
        SearchError: Optuna is missing.
    """
    dataset = without_test(dataset)
    optuna = _optuna()
    room = search_space.space(run)
    with loading.interrupt_put_off():  # as wherever Optuna writes
        study = _study(optuna, run, dataset, search, journal)
        done = _stored(optuna, study)
    yield from done[: search.trials]
    if not done:
        yield _add_own(optuna, study, run, dataset, search.monitor)
    for index in range(max(1, len(done)), search.trials):
        # A sampler of its own for each trial, so that what a trial tries follows from
        # the trials before it, however often the command was stopped between them.
        seed = (1000 * search.seed + index) % 2**32  # the most that NumPy's takes
        study.sampler = optuna.samplers.TPESampler(seed=seed)
        with loading.interrupt_put_off():
            asked = study.ask(_distributions(optuna, room))
        values = Values.model_validate(asked.params)
        tried = search_space.configured(run, values)
        score = validation_score(tried, dataset, search.monitor)
        with loading.interrupt_put_off():
            study.tell(asked, score)
        yield _trial(values, score)


def _add_own(
    optuna: Any, study: Any, run: Run, dataset: Dataset, monitor: str
) -> Trial:
    """The first trial: the experiment's own settings, which the others have to beat."""
    values = search_space.own_values(run)
    score = validation_score(run, dataset, monitor)
    with loading.interrupt_put_off():
        study.add_trial(
            optuna.trial.create_trial(
                params=values.model_dump(exclude_none=True),
                distributions=_distributions(optuna, search_space.space(run)),
                value=score,
            )
        )
    return _trial(values, score)


def _trial(values: Values, score: float) -> Trial:
    return Trial(values=values, score=min(score, WORST_LOSS))


def best(found: list[Trial] | tuple[Trial, ...], search: Search) -> int:
    """Index of the best trial; of equals the earliest."""
    sign = 1.0 if search.monitor == "val_loss" else -1.0
    return min(range(len(found)), key=lambda index: sign * found[index].score)


def _optuna() -> Any:
    if importlib.util.find_spec("optuna") is None:
        raise SearchError(
            "tessera search: expected Optuna. Received: it is not installed. In the "
            "checkout, `pip install '.[search]'` installs it."
        )
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _study(
    optuna: Any, run: Run, dataset: Dataset, search: Search, journal: Path
) -> Any:
    """The model's Optuna study; another run, space or seed is another study."""
    what = [
        run.digest(dataset.fingerprint),
        search_space.space(run).model_dump_json(),
        search.seed,
    ]
    mark = hashlib.sha256(repr(what).encode()).hexdigest()[:12]
    backend = optuna.storages.journal.JournalFileBackend(str(journal))
    return optuna.create_study(
        study_name=f"{run.model.label}-{mark}",
        storage=optuna.storages.JournalStorage(backend),
        direction="minimize" if search.monitor == "val_loss" else "maximize",
        load_if_exists=True,
    )


def _stored(optuna: Any, study: Any) -> list[Trial]:
    """Finished trials; one that a killed command left open is given up."""
    found = []
    for trial in study.get_trials(deepcopy=False):
        if trial.state == optuna.trial.TrialState.RUNNING:
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        elif trial.state == optuna.trial.TrialState.COMPLETE:
            values = Values.model_validate(trial.params)
            found.append(_trial(values, trial.value))
    return found


def _distributions(optuna: Any, room: Space) -> dict[str, Any]:
    kinds = optuna.distributions
    found = {
        "learning_rate": kinds.FloatDistribution(*room.learning_rate, log=True),
        "batch_size": kinds.CategoricalDistribution(room.batch_size),
    }
    if room.dropout is not None:
        found["dropout"] = kinds.FloatDistribution(*room.dropout)
    return found

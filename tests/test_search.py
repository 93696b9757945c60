"""The search: one budget for all, no test image, and going on where it stopped."""

import importlib.util
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tessera import files, search, search_space
from tessera.data import source
from tessera.data.dataset import Dataset, Split, assemble
from tessera.experiment import Cnn, Digits, Experiment, Training, Transformer
from tessera.search import Search, Trial
from tessera.search_space import Values
from tessera.training.validation import TrainingDiverged

EXPERIMENT = Experiment(
    data=Digits(image_size=8),
    models=(Cnn(),),
    training=Training(epochs=1, flip=False),
    seeds=(0, 4),
)


def dataset() -> Dataset:
    """Training pixels below 128, test pixels from there on."""
    pixels = (np.arange(10 * 8 * 8 * 3) % 128).reshape(10, 8, 8, 3).astype(np.uint8)
    labels = np.arange(10, dtype=np.int32) % 2
    return assemble(
        "made up",
        ("cat", "dog"),
        train=Split(pixels, labels),
        test=Split(128 + pixels, labels),
    )


def plan(trials: int = 3, **changes: object) -> Search:
    given = {"trials": trials, "regime": None, "seed": None} | changes
    return search.planned(EXPERIMENT, **given)  # type: ignore[arg-type]


def test_the_search_uses_a_seed_and_a_regime_of_its_own_choice() -> None:
    found = plan()
    assert (found.seed, found.regime) == (5, "imbalanced")
    assert (found.epochs, found.monitor) == (1, "val_balanced_accuracy")
    last = Training(epochs=1, monitor="last_epoch")
    kept = EXPERIMENT.model_copy(update={"training": last})
    told = search.planned(kept, trials=1, regime=None, seed=None)
    assert told.monitor == "val_balanced_accuracy"
    assert plan(regime="balanced", seed=9).regime == "balanced"


def test_above_the_largest_seed_the_smallest_that_is_free_is_searched_with() -> None:
    largest = EXPERIMENT.model_copy(update={"seeds": (0, 2**32 - 1)})
    found = search.planned(largest, trials=1, regime=None, seed=None)
    assert found.seed == 1
    assert search.base(largest, Cnn(), found).seed == 1


def test_a_seed_of_the_study_is_refused() -> None:
    with pytest.raises(
        search.SearchError, match=r"--seed: expected none of .*\[0, 4\]"
    ):
        plan(seed=4)


def test_an_unknown_regime_lists_the_known_ones() -> None:
    with pytest.raises(search.SearchError, match="balanced, imbalanced, weighted"):
        plan(regime="lopsided")


def test_what_a_search_gets_holds_no_test_image() -> None:
    whole = dataset()
    blind = search.without_test(whole)
    assert len(blind.test) == 1
    assert np.array_equal(blind.test.images[0], whole.train.images[0])
    assert blind.train is whole.train


def test_a_trial_never_sees_the_test_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Dataset] = []
    monkeypatch.setattr(
        search, "validation_score", lambda run, given, _: seen.append(given) or 0.5
    )
    whole = dataset()
    run = search.base(EXPERIMENT, Cnn(), plan())
    list(search.trials(run, whole, plan(), tmp_path / "journal"))
    assert len(seen) == 3
    for given in seen:
        for part in given.splits().values():
            assert part.images.max() < 128 <= whole.test.images.min()


def scored(
    monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None
) -> list[float]:
    """Replace training by a score that a hand can compute: low rates are good."""
    rates: list[float] = []

    def score(run: object, given: Dataset, _: str) -> float:
        if len(rates) == stop_after:
            raise KeyboardInterrupt
        rates.append(run.training.learning_rate)  # type: ignore[attr-defined]
        return 1 - rates[-1]

    monkeypatch.setattr(search, "validation_score", score)
    return rates


def test_any_seed_of_an_experiment_can_be_searched_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(monkeypatch)
    given = plan(12, seed=2**32 - 1)  # ten trials are drawn before the sampler learns
    run = search.base(EXPERIMENT, Cnn(), given)
    assert len(list(search.trials(run, dataset(), given, tmp_path / "journal"))) == 12


def test_an_interrupted_search_ends_like_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = search.base(EXPERIMENT, Cnn(), plan())
    scored(monkeypatch)
    whole = list(search.trials(run, dataset(), plan(14), tmp_path / "whole"))
    for stop in (0, 1, 12):
        journal = tmp_path / f"stopped after {stop}"
        scored(monkeypatch, stop_after=stop)
        with pytest.raises(KeyboardInterrupt):
            list(search.trials(run, dataset(), plan(14), journal))
        rates = scored(monkeypatch)
        assert list(search.trials(run, dataset(), plan(14), journal)) == whole
        assert len(rates) == 14 - stop


@pytest.mark.parametrize("write", range(1, 10))
def test_ctrl_c_while_optuna_writes_waits_until_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    """Where Optuna frees its lock of the journal, it would become another error."""
    freed, unlink = [], os.unlink

    def interrupted(path: Path | str, **more: object) -> None:
        unlink(path, **more)
        if str(path).endswith(".rename"):
            freed.append(path)
            if len(freed) == write:
                signal.raise_signal(signal.SIGINT)

    scored(monkeypatch)
    run, place = search.base(EXPERIMENT, Cnn(), plan()), tmp_path / "journal"
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(os, "unlink", interrupted)
        list(search.trials(run, dataset(), plan(), place))
    assert len(list(search.trials(run, dataset(), plan(), place))) == 3


def test_the_first_trial_is_the_experiments_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored(monkeypatch)
    run = search.base(EXPERIMENT, Cnn(), plan())
    first, *others = search.trials(run, dataset(), plan(8), tmp_path / "journal")
    assert first == Trial(values=search_space.own_values(run), score=1 - 1e-3)
    room = search_space.space(run)
    for trial in others:
        low, high = room.learning_rate
        assert low <= trial.values.learning_rate <= high
        assert trial.values.batch_size in room.batch_size
        assert trial.values.dropout is not None and 0 <= trial.values.dropout <= 0.6


def test_another_model_has_trials_of_its_own_in_the_same_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = scored(monkeypatch)
    for model in (Cnn(), Transformer()):
        run = search.base(EXPERIMENT, model, plan())
        found = list(search.trials(run, dataset(), plan(), tmp_path / "journal"))
        assert len(found) == 3
    assert len(rates) == 6


def test_the_best_is_the_highest_score_and_the_lowest_loss_of_equals_the_first() -> (
    None
):
    values = Values(learning_rate=1e-3, batch_size=32)
    found = [Trial(values=values, score=score) for score in (0.4, 0.7, 0.7, 0.4)]
    assert search.best(found, plan()) == 1
    loss = plan().model_copy(update={"monitor": "val_loss"})
    assert search.best(found, loss) == 0


def test_a_training_that_diverges_has_the_worst_score(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise TrainingDiverged("epoch 1: the loss became NaN")

    monkeypatch.setattr(search.fit, "fit", diverge)
    blind = search.without_test(source.load(EXPERIMENT.data))
    run = search.base(EXPERIMENT, Cnn(), plan())
    assert search.validation_score(run, blind, "val_accuracy") == 0.0
    assert search.validation_score(run, blind, "val_loss") == float("inf")


@pytest.mark.parametrize("diverging", [{0}, {1}, {0, 1, 2}])
def test_a_search_by_loss_outlives_trainings_that_diverge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, diverging: set[int]
) -> None:
    scores = iter(float("inf") if i in diverging else 0.5 for i in range(3))
    monkeypatch.setattr(search, "validation_score", lambda *_: next(scores))
    by_loss = {"training": Training(epochs=1, flip=False, monitor="val_loss")}
    experiment = EXPERIMENT.model_copy(update=by_loss)
    given = search.planned(experiment, trials=3, regime=None, seed=None)
    run = search.base(experiment, Cnn(), given)
    found = list(search.trials(run, dataset(), given, tmp_path / "journal"))
    right = next((i for i in range(3) if i not in diverging), 0)
    assert search.best(found, given) == right
    # The same command again reads them back, and search.json can hold them.
    assert list(search.trials(run, dataset(), given, tmp_path / "journal")) == found
    written = [trial.model_dump(mode="json") for trial in found]
    files.write_json(tmp_path / "search.json", written)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_trials_score_is_the_best_epochs_on_validation_and_repeats() -> None:
    blind = search.without_test(source.load(EXPERIMENT.data))
    experiment = EXPERIMENT.model_copy(
        update={"training": Training(epochs=2, batch_size=140)}
    )
    run = search.base(experiment, Cnn(), plan())
    first = search.validation_score(run, blind, "val_macro_f1")
    assert 0.0 < first <= 1.0
    assert search.validation_score(run, blind, "val_macro_f1") == first


def test_without_optuna_the_message_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    run = search.base(EXPERIMENT, Cnn(), plan())
    with pytest.raises(search.SearchError, match=r"pip install '\.\[search\]'"):
        next(search.trials(run, dataset(), plan(), tmp_path / "journal"))

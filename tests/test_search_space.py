"""The space of a search: stated, around the experiment's own values, model by model."""

import pytest

from tessera import search_space
from tessera.experiment import (
    Cnn,
    Experiment,
    Hybrid,
    Model,
    Run,
    Training,
    Transformer,
)
from tessera.search_space import Values


def run(model: Model, **training: object) -> Run:
    settings = Training.model_validate(training)
    return Experiment(models=(model,), training=settings).runs()[0]


def test_the_studys_own_values_lie_in_the_stated_space() -> None:
    found = search_space.space(run(Cnn()))
    assert found.learning_rate == (1e-4, 1e-2)
    assert found.batch_size == (32, 64, 128, 256)
    assert found.dropout == (0.0, 0.6)
    assert search_space.own_values(run(Cnn())) == Values(
        learning_rate=1e-3, batch_size=128, dropout=0.3
    )


def test_a_model_without_dropout_is_searched_without_it() -> None:
    assert search_space.space(run(Transformer())).dropout is None
    own = search_space.own_values(run(Transformer()))
    assert own.dropout is None and own.words() == "learning rate 0.001, batch size 128"


@pytest.mark.parametrize(("rate", "bounds"), [(1e-5, (1e-5, 1e-2)), (0.1, (1e-4, 0.1))])
def test_values_of_the_experiment_widen_the_space(
    rate: float, bounds: tuple[float, float]
) -> None:
    found = search_space.space(
        run(Hybrid(dropout=0.8), learning_rate=rate, batch_size=7)
    )
    assert found.learning_rate == bounds
    assert found.batch_size == (7, 32, 64, 128, 256)
    assert found.dropout == (0.0, 0.8)


def test_a_configured_run_differs_in_the_searched_settings_alone() -> None:
    before = run(Cnn(name="mine"), epochs=3)
    values = Values(learning_rate=0.005, batch_size=32, dropout=0.1)
    after = search_space.configured(before, values)
    assert after.training == Training(epochs=3, learning_rate=0.005, batch_size=32)
    assert after.model == Cnn(name="mine", dropout=0.1)
    assert (after.regime, after.seed, after.data) == (
        before.regime,
        before.seed,
        before.data,
    )

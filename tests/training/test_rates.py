"""The learning rate at each step, by hand."""

import keras
import numpy as np
import pytest

from tessera.experiment import Training
from tessera.training import rates


def at(rate: rates.Rate, step: int) -> float:
    return float(keras.ops.convert_to_numpy(rate(step)))


def test_a_constant_rate_stays() -> None:
    assert (
        at(rates.Rate(0.1, 10), 0) == at(rates.Rate(0.1, 10), 9) == pytest.approx(0.1)
    )


def test_a_cosine_starts_at_the_base_is_half_in_the_middle_and_ends_at_zero() -> None:
    rate = rates.Rate(0.1, 8, cosine=True)
    found = [at(rate, step) for step in (0, 2, 4, 8, 20)]
    quarter = 0.05 * (1 + np.sqrt(0.5))
    assert found == pytest.approx([0.1, quarter, 0.05, 0.0, 0.0], abs=1e-8)


def test_factors_hold_from_their_step_on_and_do_not_add_up() -> None:
    rate = rates.Rate(1.0, 10, changes=((3, 0.1), (6, 0.5)))
    found = [at(rate, step) for step in (2, 3, 5, 6, 9)]
    assert found == pytest.approx([1.0, 0.1, 0.1, 0.5, 0.5])


def test_a_rate_survives_saving() -> None:
    rate = rates.Rate(0.3, 7, cosine=True, changes=((2, 0.1),))
    again = rates.Rate.from_config(rate.get_config())
    assert at(again, 3) == at(rate, 3)


def test_adam_follows_the_rate() -> None:
    training = Training(learning_rate=0.2, schedule="cosine")
    adam = rates.optimizer(training, steps=4)
    variable = keras.Variable(np.zeros(1, np.float32))
    adam.build([variable])
    # Adam's first step has the length of the rate, whatever the gradient.
    adam.apply([keras.ops.ones(1)], [variable])
    assert keras.ops.convert_to_numpy(variable)[0] == pytest.approx(-0.2, rel=1e-4)
    now = float(keras.ops.convert_to_numpy(adam.learning_rate))
    assert now == pytest.approx(0.1 * (1 + np.sqrt(0.5)))

"""The learning rate at each step, by hand."""

import keras
import numpy as np
import pytest

from tessera.experiment import HybridPlus, Training
from tessera.imbalance.plan import Phase, Plan
from tessera.models import build
from tessera.training import rates, stages


def at(rate: rates.Rate, step: int) -> float:
    return float(keras.ops.convert_to_numpy(rate(step)))


def test_a_constant_rate_stays() -> None:
    assert (
        at(rates.Rate(0.1, 10), 0) == at(rates.Rate(0.1, 10), 9) == pytest.approx(0.1)
    )


def test_a_cosine_starts_at_the_base_is_half_in_the_middle_and_ends_at_zero() -> None:
    rate = rates.Rate(0.1, 8, shape="cosine")
    found = [at(rate, step) for step in (0, 2, 4, 8, 20)]
    quarter = 0.05 * (1 + np.sqrt(0.5))
    assert found == pytest.approx([0.1, quarter, 0.05, 0.0, 0.0], abs=1e-8)


def test_one_cycle_rises_for_a_tenth_of_the_steps_then_falls_to_zero() -> None:
    rate = rates.Rate(0.9, 100, shape="one-cycle")
    found = [at(rate, step) for step in (0, 5, 10, 55, 100, 120)]
    assert found == pytest.approx([0.0, 0.45, 0.9, 0.45, 0.0, 0.0], abs=1e-7)


def test_factors_hold_from_their_step_on_and_do_not_add_up() -> None:
    changes = ((3, 0.1), (6, 0.5))
    rate = rates.Rate(0.2, 10, changes=changes)
    found = [at(rate, step) for step in (2, 3, 5, 6, 9)]
    assert found == pytest.approx([0.2, 0.02, 0.02, 0.1, 0.1])
    # Times the curve: half a cosine has (1 + cos(0.6 pi)) / 2 left after 6 of 10 steps.
    cosine = rates.Rate(0.2, 10, shape="cosine", changes=changes)
    assert at(cosine, 6) == pytest.approx(0.2 * 0.5 * (1 + np.cos(0.6 * np.pi)) / 2)


def test_a_rate_survives_saving() -> None:
    rate = rates.Rate(0.3, 7, shape="cosine", changes=((2, 0.1),))
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


def test_decay_acts_on_kernels_and_not_on_biases() -> None:
    adam = rates.optimizer(Training(learning_rate=0.1, weight_decay=0.5), steps=1)
    kernel = keras.Variable(np.ones((2, 2), np.float32), name="kernel")
    bias = keras.Variable(np.ones(2, np.float32), name="bias")
    adam.build([kernel, bias])
    adam.apply([keras.ops.zeros((2, 2)), keras.ops.zeros(2)], [kernel, bias])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(kernel), 1 - 0.1 * 0.5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(bias), 1.0)


@pytest.mark.parametrize(
    ("which", "without"), [("adam", ()), ("muon", ("logits", "pool_scores", "depth"))]
)
def test_of_a_model_decay_shrinks_the_kernels_and_nothing_else(
    which: str, without: tuple[str, ...]
) -> None:
    """Beside Muon, those that it moves."""
    model = HybridPlus(widths=(4, 8), heads=2, separable=True)
    net = build.build(model, (8, 8, 3), 2, seed=0)
    variables = net.trainable_variables
    for variable in variables:
        variable.assign(keras.ops.ones(variable.shape))
    training = Training(learning_rate=0.1, weight_decay=0.5, optimizer=which)
    optimizer = rates.optimizer(training, steps=1)
    optimizer.build(variables)
    optimizer.apply([keras.ops.zeros(v.shape) for v in variables], variables)
    for variable in variables:
        layer, _, name = variable.path.rpartition("/")
        shrinks = name == "kernel" and not any(part in layer for part in without)
        found = keras.ops.convert_to_numpy(variable)
        expected = 1 - 0.1 * 0.5 if shrinks else 1.0
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=variable.path)


@pytest.mark.parametrize("which", ["adam", "muon"])
def test_decay_leaves_factors_on_the_logits_at_one(which: str) -> None:
    net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="logits")])
    plan = Plan((Phase(trains="scales"),), (5, 5, 5))
    (span,) = stages.spans(plan, 1)
    training = Training(epochs=1, weight_decay=0.5, optimizer=which)
    stage = stages.begin(net, plan, span, training, epoch_steps=[1], seed=0)
    stage.optimizer.apply([keras.ops.zeros(3)], stage.trained)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(stage.scales), 1.0)


def test_muon_is_taken_where_it_is_asked_for_with_its_rate_and_decay() -> None:
    training = Training(optimizer="muon", learning_rate=0.1, weight_decay=0.5)
    optimizer = rates.optimizer(training, steps=1)
    kernel = keras.Variable(np.ones((4, 4), np.float32), name="kernel")
    optimizer.build([kernel])
    optimizer.apply([keras.ops.ones((4, 4))], [kernel])
    # The orthogonal factor of a matrix of ones is 1/4 everywhere, to within the 0.7 to
    # 1.2 of five steps of Newton and Schulz; Adam's step would be the rate itself.
    step = (1 - 0.1 * 0.5 - keras.ops.convert_to_numpy(kernel)) / 0.1
    assert np.all((step > 0.65 * 0.2 * 2 / 4) & (step < 1.25 * 0.2 * 2 / 4))


@pytest.mark.parametrize("which", ["adam", "muon"])
def test_either_optimizer_follows_schedule_and_factors(which: str) -> None:
    training = Training(learning_rate=0.2, schedule="cosine", optimizer=which)
    optimizer = rates.optimizer(training, steps=4, changes=((2, 0.5),))
    found = []
    for step in range(4):
        optimizer.iterations.assign(step)
        found.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    half = np.sqrt(0.5)
    cosine = np.array([1.0, (1 + half) / 2, 0.5, (1 - half) / 2])
    assert found == pytest.approx(0.2 * cosine * [1, 1, 0.5, 0.5])


@pytest.mark.parametrize("which", ["adam", "muon"])
def test_averaged_weights_are_a_moving_average_of_the_steps(which: str) -> None:
    training = Training(learning_rate=0.1, averaging=0.5, optimizer=which)
    optimizer = rates.optimizer(training, steps=2)
    variable = keras.Variable(np.zeros(1, np.float32))
    optimizer.build([variable])
    values = []
    for _ in range(3):
        optimizer.apply([keras.ops.ones(1)], [variable])
        values.append(float(keras.ops.convert_to_numpy(variable)[0]))
    optimizer.finalize_variable_values([variable])
    # The average starts at the first step's result.
    expected = 0.5 * (0.5 * values[0] + 0.5 * values[1]) + 0.5 * values[2]
    assert keras.ops.convert_to_numpy(variable)[0] == pytest.approx(expected)

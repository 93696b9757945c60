"""Whole epochs on the device: the ordinary steps and answers. JAX only.

`test_seeds` runs this file in a process of its own where TensorFlow is in use.
"""

from typing import NamedTuple

import keras
import numpy as np
import pytest
from tiny import material, net_of

from tessera.experiment import Training
from tessera.imbalance.plan import Phase, Plan
from tessera.training import predict, stages, steps
from tessera.training.batches import Epoch

if keras.backend.backend() != "jax":
    pytest.skip("needs the JAX backend", allow_module_level=True)

from tessera.training import device_batches, resident

TRAINING = Training(epochs=1, batch_size=32, learning_rate=0.01, crop_padding=2)
COUNTS = np.array([40, 40])


def task(seed: int) -> steps.Task:
    plan = Plan((Phase(),), tuple(COUNTS))
    (span,) = stages.spans(plan, 1)
    net = net_of(seed)
    stage = stages.begin(net, plan, span, TRAINING, epoch_steps=[3], seed=seed)
    return stages.task(net, stage, Phase(), COUNTS, TRAINING)


def epoch(seed: int) -> Epoch:
    return Epoch(material(seed), TRAINING, Phase(), COUNTS, seed=seed, epoch=0)


class Together(NamedTuple):
    """An epoch of both seeds at once."""

    tasks: list[steps.Task]
    before: list[list[np.ndarray]]
    """Each model's weights."""
    state: resident.State
    totals: list[steps.Totals]


@pytest.fixture(scope="module")
def together() -> Together:
    tasks = [task(seed) for seed in (0, 1)]
    before = [one.net.get_weights() for one in tasks]
    images = device_batches.resident(material(0).train, TRAINING)
    drawn = [device_batches.table(epoch(seed)) for seed in (0, 1)]
    train = resident.trainer(tasks[0], images, TRAINING.batch_size)
    state, found = train(resident.stacked(tasks), drawn)
    return Together(tasks, before, state, found())


def test_an_epoch_of_each_seed_is_the_same_steps_one_after_another(
    together: Together,
) -> None:
    """80 images in batches of 32, 32 and 16; dropout and batch statistics included."""
    alone = [task(seed) for seed in (0, 1)]
    totals = [steps.compiled(t)(epoch(s), lambda _: None) for s, t in enumerate(alone)]

    for one, total in zip(together.totals, totals, strict=True):
        assert one.loss == pytest.approx(total.loss, rel=1e-5)
        assert (one.correct, one.images) == (total.correct, total.images)
        np.testing.assert_allclose(one.norms, total.norms, rtol=1e-3)
    lead, state = together.tasks[0], together.state
    for one, found in zip(alone, resident.weights(lead, state), strict=True):
        for array, expected in zip(found, one.net.get_weights(), strict=True):
            np.testing.assert_allclose(array, expected, atol=1e-4)

    held = [material(seed).validation.images for seed in (0, 1)]
    answers = resident.answerer(lead, held)(state)
    for found, images, one in zip(answers, held, alone, strict=True):
        expected = predict.logits(one.net, images)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_what_the_models_held_before_is_left_as_it_was(together: Together) -> None:
    for one, before in zip(together.tasks, together.before, strict=True):
        for now, then in zip(one.net.get_weights(), before, strict=True):
            np.testing.assert_array_equal(now, then)

"""Images on the device: the ordinary bytes, steps and answers. JAX only.

`test_seeds` runs this file in a process of its own where TensorFlow is in use.
"""

import keras
import numpy as np
import pytest
from tiny import SIZE, material, net_of

from tessera.data.dataset import Split
from tessera.experiment import Fill, Training
from tessera.imbalance.plan import Phase, Plan
from tessera.training import order, predict, stages, steps
from tessera.training.batches import Epoch

if keras.backend.backend() != "jax":
    pytest.skip("needs the JAX backend", allow_module_level=True)

from tessera.training import resident

TRAINING = Training(epochs=1, batch_size=32, learning_rate=0.01, crop_padding=2)
COUNTS = np.array([40, 40])


@pytest.mark.parametrize("padding,fill", [(0, "black"), (3, "black"), (2, "mirror")])
def test_a_batch_on_the_device_has_the_very_bytes_of_the_ordinary_one(
    padding: int, fill: Fill
) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 7, 9, 3), dtype=np.uint8)
    split = Split(images, np.zeros(20, np.int32))
    chosen = rng.integers(0, 20, 50)
    high = [2 * padding + 1, 2 * padding + 1, 2]
    rows = rng.integers(0, high, (50, 3))
    expected = order.augment(images[chosen], rows, padding=padding, fill=fill)
    there = resident.resident(split, padding=padding, fill=fill)
    found = resident.batch(there, chosen, rows)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def task(seed: int) -> steps.Task:
    plan = Plan((Phase(),), tuple(COUNTS))
    (span,) = stages.spans(plan, 1)
    net = net_of(seed)
    stage = stages.begin(net, plan, span, TRAINING, steps_per_epoch=3, seed=seed)
    return stages.task(net, stage, Phase(), COUNTS)


def epoch(seed: int) -> Epoch:
    return Epoch(material(seed), TRAINING, Phase(), COUNTS, seed=seed, epoch=0)


def test_an_epoch_of_each_seed_is_the_same_steps_one_after_another() -> None:
    """80 images in batches of 32, 32 and 16; dropout and batch statistics included."""
    alone = [task(seed) for seed in (0, 1)]
    totals = [steps.compiled(t)(epoch(s), lambda _: None) for s, t in enumerate(alone)]

    ours = [task(seed) for seed in (0, 1)]
    images = resident.resident(material(0).train, padding=TRAINING.crop_padding)
    drawn = [epoch(seed).drawn for seed in (0, 1)]
    chosen, rows = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
    train = resident.trainer(ours[0], images, TRAINING.batch_size)
    state, found = train(resident.stacked(ours), chosen, rows)

    for one, total in zip(found, totals, strict=True):
        assert one.loss == pytest.approx(total.loss, rel=1e-5)
        assert (one.correct, one.images) == (total.correct, total.images)
        np.testing.assert_allclose(one.norms, total.norms, rtol=1e-3)
    for one, found in zip(alone, resident.weights(ours[0], state), strict=True):
        for array, expected in zip(found, one.net.get_weights(), strict=True):
            np.testing.assert_allclose(array, expected, atol=1e-4)

    held = [material(seed).validation.images for seed in (0, 1)]
    answers = resident.answerer(ours[0], held)(state)
    for found, images_, one in zip(answers, held, alone, strict=True):
        expected = predict.logits(one.net, images_)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_what_the_model_held_before_is_left_as_it_was() -> None:
    mine = task(0)
    before = mine.net.get_weights()
    images = resident.resident(material(0).train, padding=TRAINING.crop_padding)
    chosen, rows = (array[None] for array in epoch(0).drawn)
    state = resident.stacked([mine])
    resident.trainer(mine, images, TRAINING.batch_size)(state, chosen, rows)
    for now, then in zip(mine.net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_images_are_those_of_the_split() -> None:
    images = resident.resident(material(0).train, padding=0)
    assert (images.height, images.width) == (SIZE, SIZE)
    np.testing.assert_array_equal(images.labels, material(0).train.labels)

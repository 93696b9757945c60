"""Remedies as plans, and the loss that carries a phase into Keras."""

import keras
import numpy as np
import pytest

from tessera.experiment import ClassWeights, Plain
from tessera.imbalance.losses import CrossEntropy
from tessera.imbalance.plan import Phase, PhaseLoss, Plan, phase_at, plan

COUNTS = np.array([30, 6, 14])
WEIGHTS = tuple(50 / (3 * COUNTS))


def batch() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(16, 5)).astype(np.float32)
    return x, np.arange(16) % 3


def linear_model(loss: keras.losses.Loss) -> keras.Model:
    kernel = keras.initializers.GlorotUniform(seed=0)
    net = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(3, kernel_initializer=kernel)]
    )
    net.compile(keras.optimizers.SGD(0.5), loss)
    return net


def test_plain_is_cross_entropy_to_the_end() -> None:
    whole = Phase(until=1.0, loss=CrossEntropy(), class_weights=None)
    assert plan(Plain(), COUNTS) == Plan((whole,))


def test_class_weights_are_inverse_frequencies() -> None:
    (phase,) = plan(ClassWeights(), COUNTS).phases
    assert phase.class_weights == pytest.approx(WEIGHTS)


def test_an_empty_class_is_refused_when_weights_are_asked_for() -> None:
    with pytest.raises(ValueError, match="none of class 1"):
        plan(ClassWeights(), np.array([3, 0, 2]))


def test_equal_counts_make_class_weights_the_plain_loss() -> None:
    x, labels = batch()
    weighted = plan(ClassWeights(), np.array([9, 9, 9])).phases[0]
    first, second = PhaseLoss(weighted), PhaseLoss(Phase())
    assert np.isclose(first(labels, x[:, :3]), second(labels, x[:, :3]))


def test_a_weighted_step_equals_keras_with_class_weight() -> None:
    x, labels = batch()
    ours = linear_model(PhaseLoss(Phase(class_weights=WEIGHTS)))
    oracle = linear_model(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(3):
        loss = ours.train_on_batch(x, labels)
        expected = oracle.train_on_batch(
            x, labels, class_weight=dict(enumerate(WEIGHTS))
        )
        assert np.isclose(loss, expected)
    for one, other in zip(ours.get_weights(), oracle.get_weights(), strict=True):
        assert np.allclose(one, other, atol=1e-6)


def test_a_weighted_fit_equals_keras_with_class_weight() -> None:
    x, labels = batch()
    settings = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    ours = linear_model(PhaseLoss(Phase(class_weights=WEIGHTS)))
    oracle = linear_model(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ours.fit(x, labels, **settings)
    oracle.fit(x, labels, class_weight=dict(enumerate(WEIGHTS)), **settings)
    for one, other in zip(ours.get_weights(), oracle.get_weights(), strict=True):
        assert np.allclose(one, other, atol=1e-6)


def test_the_loss_divides_by_images_not_by_weights() -> None:
    logits = np.zeros((2, 3), np.float32)
    loss = PhaseLoss(Phase(class_weights=(2.0, 4.0, 1.0)))
    assert np.isclose(loss(np.array([0, 1]), logits), (2 + 4) * np.log(3) / 2)


def test_a_phase_lasts_until_its_share_of_the_epochs() -> None:
    early, late = Phase(until=0.8), Phase(class_weights=(1.0, 2.0))
    deferred = Plan((early, late))
    phases = [phase_at(deferred, epoch, 10) for epoch in range(10)]
    assert phases == [early] * 8 + [late] * 2


def test_one_phase_holds_for_every_epoch() -> None:
    only = plan(Plain(), COUNTS)
    assert {phase_at(only, epoch, 3) for epoch in range(3)} == {Phase()}


@pytest.mark.parametrize("epoch", [-1, 3])
def test_epochs_beyond_the_training_are_refused(epoch: int) -> None:
    with pytest.raises(ValueError, match=f"epoch: expected 0 to 2.*Received: {epoch}"):
        phase_at(plan(Plain(), COUNTS), epoch, 3)


@pytest.mark.parametrize("ends", [(), (0.5,), (0.5, 0.5, 1.0), (1.0, 0.5), (0.0, 1.0)])
def test_phases_must_cover_the_training_in_order(ends: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="phases: expected `until` to rise"):
        Plan(tuple(Phase(until=end) for end in ends))

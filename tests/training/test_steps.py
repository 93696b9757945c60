"""One compiled step: the oracle is Keras' own, or the formula on a linear model."""

import dataclasses

import keras
import numpy as np
import pytest

from tessera.imbalance.plan import Phase, mean_loss
from tessera.training import steps

COUNTS = np.array([8, 8])
RATE = 0.5


def linear() -> keras.Model:
    kernel = keras.initializers.GlorotUniform(seed=0)
    layer = keras.layers.Dense(2, kernel_initializer=kernel, name="logits")
    return keras.Sequential([keras.Input((3,)), layer])


def batches() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(16, 3)).astype(np.float32)
    labels = (np.arange(16) % 2).astype(np.int32)
    return [(pixels[:10], labels[:10]), (pixels[10:], labels[10:])]


def task(net: keras.Model, **changes: object) -> steps.Task:
    optimizer = keras.optimizers.SGD(RATE)
    trained = changes.pop("trained", tuple(net.trainable_variables))
    optimizer.build(trained)

    def loss(targets: object, logits: object) -> object:
        return mean_loss(Phase(), COUNTS, targets, logits)

    return steps.Task(net, optimizer, loss, trained, **changes)


def slope(kernel: np.ndarray, bias: np.ndarray, batch: tuple) -> list[np.ndarray]:
    """Gradient of the mean cross-entropy of a linear model: x' (p - y) / B."""
    pixels, labels = batch
    logits = pixels @ kernel + bias
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    error = (p - np.eye(2)[labels]) / len(labels)
    return [pixels.T @ error, error.sum(axis=0)]


def test_an_epoch_is_keras_own_training_on_the_same_batches() -> None:
    ours, oracle = linear(), linear()
    oracle.compile(
        keras.optimizers.SGD(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    for batch in batches():
        oracle.train_on_batch(*batch)
    steps.compiled(task(ours))(batches(), lambda _: None)
    for one, other in zip(ours.get_weights(), oracle.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
def test_batches_of_every_size_share_one_program() -> None:
    net, traces = linear(), []
    told = task(net)

    def loss(targets: object, logits: object) -> object:
        traces.append(targets)
        return told.loss(targets, logits)

    train = steps.compiled(dataclasses.replace(told, loss=loss))
    (pixels, labels), _ = batches()
    train([(pixels[:n], labels[:n]) for n in (6, 6, 4, 3)], lambda _: None)
    train([(pixels, labels)], lambda _: None)
    assert len(traces) == 1


def test_totals_are_sums_over_the_images_before_each_step() -> None:
    net = linear()
    (first, _) = batches()
    kernel, bias = net.get_weights()
    logits = first[0] @ kernel + bias
    totals = steps.compiled(task(net))([first], lambda _: None)
    right = (logits.argmax(axis=1) == first[1]).sum()
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert (totals.images, totals.correct) == (10, right)
    assert totals.loss == pytest.approx(-log_p[np.arange(10), first[1]].sum(), rel=1e-5)


@pytest.mark.parametrize("sharpness", [0.0, 0.1])
def test_a_steps_gradient_is_measured_where_the_step_begins(sharpness: float) -> None:
    net = linear()
    (first, _) = batches()
    here = slope(*net.get_weights(), first)
    totals = steps.compiled(task(net, sharpness=sharpness))([first], lambda _: None)
    length = np.sqrt(sum((g**2).sum() for g in here))
    assert totals.norms == pytest.approx((length,), rel=1e-5)


def test_a_row_has_means_over_images_and_the_gradients_median_and_largest() -> None:
    totals = steps.Totals(loss=6.0, correct=3.0, images=4, norms=(1.0, 9.0, 2.0))
    assert totals.row() == {
        "loss": 1.5,
        "accuracy": 0.75,
        "gradient_median": 2.0,
        "gradient_largest": 9.0,
    }


def test_means_are_over_images_where_the_last_batch_is_smaller() -> None:
    """A mean loss of 1 over 10 images, and of 3 over 6: 28 in all."""
    found = steps.totals(
        [np.array([1.0, 7.0, 2.0]), np.array([3.0, 5.0, 4.0])], [10, 6]
    )
    assert (found.loss, found.correct, found.images) == (28.0, 12.0, 16)
    assert found.row()["loss"] == 1.75


def test_every_finished_step_is_told() -> None:
    told: list[int] = []
    steps.compiled(task(linear()))(batches(), told.append)
    assert told == [1, 2]


def test_only_the_trained_variables_change() -> None:
    net = linear()
    kernel, bias = net.get_weights()
    chosen = (net.layers[-1].bias,)
    steps.compiled(task(net, trained=chosen))(batches(), lambda _: None)
    np.testing.assert_array_equal(net.get_weights()[0], kernel)
    assert not np.array_equal(net.get_weights()[1], bias)


def test_scales_multiply_the_logits_and_are_trained_alone() -> None:
    net = linear()
    before = net.get_weights()
    scales = keras.Variable(np.ones(2, np.float32))
    one = batches()[0]
    steps.compiled(task(net, trained=(scales,), scales=scales))([one], lambda _: None)
    for now, then in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    pixels, labels = one
    logits = pixels @ before[0] + before[1]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gradient = ((p - np.eye(2)[labels]) * logits).mean(axis=0)
    found = keras.ops.convert_to_numpy(scales)
    np.testing.assert_allclose(found, 1 - RATE * gradient, rtol=1e-4)


def test_a_sharpness_aware_step_uses_the_gradient_at_the_worst_point_nearby() -> None:
    net = linear()
    kernel, bias = net.get_weights()
    one = batches()[0]
    here = slope(kernel, bias, one)
    length = np.sqrt(sum((g**2).sum() for g in here))
    there = slope(kernel + 0.1 * here[0] / length, bias + 0.1 * here[1] / length, one)
    steps.compiled(task(net, sharpness=0.1))([one], lambda _: None)
    for now, then, gradient in zip(
        net.get_weights(), (kernel, bias), there, strict=True
    ):
        np.testing.assert_allclose(now, then - RATE * gradient, atol=1e-6)


def test_climbing_goes_rho_along_the_gradient_over_all_variables() -> None:
    gradients = [np.array([3.0], np.float32), np.array([0.0, 4.0], np.float32)]
    up = [keras.ops.convert_to_numpy(u) for u in steps.climb(gradients, 0.5)]
    np.testing.assert_allclose(np.concatenate(up), [0.3, 0.0, 0.4], rtol=1e-5)
    # As far where the loss is nearly flat.
    up = [
        keras.ops.convert_to_numpy(u)
        for u in steps.climb([g * 1e-6 for g in gradients], 0.5)
    ]
    np.testing.assert_allclose(np.concatenate(up), [0.3, 0.0, 0.4], rtol=1e-5)


def test_a_zero_gradient_climbs_nowhere() -> None:
    (up,) = steps.climb([np.zeros(3, np.float32)], 0.5)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(up), np.zeros(3))


def test_dropout_acts_only_in_a_live_step() -> None:
    def trained(live: bool) -> np.ndarray:
        drop = keras.layers.Dropout(0.5, seed=0)
        kernel = keras.initializers.GlorotUniform(seed=0)
        layer = keras.layers.Dense(2, kernel_initializer=kernel)
        net = keras.Sequential([keras.Input((3,)), drop, layer])
        steps.compiled(task(net, live=live))(batches(), lambda _: None)
        return net.get_weights()[0]

    plain = linear()
    steps.compiled(task(plain))(batches(), lambda _: None)
    np.testing.assert_allclose(trained(False), plain.get_weights()[0], atol=1e-6)
    assert not np.allclose(trained(True), plain.get_weights()[0], atol=1e-3)


def test_a_mixed_image_counts_as_right_for_the_label_of_the_larger_share() -> None:
    net = linear()
    pixels, labels = batches()[0]
    kernel, bias = net.get_weights()
    answers = (pixels @ kernel + bias).argmax(axis=1)
    share = np.full(10, 0.3)
    targets = np.stack([labels, 1 - labels, share], axis=1).astype(np.float32)
    totals = steps.compiled(task(net))([(pixels, targets)], lambda _: None)
    assert totals.correct == (answers == 1 - labels).sum()

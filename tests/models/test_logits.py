"""The last layer: a cosine's formula, and what later corrections do to it."""

import keras
import numpy as np
import pytest

from tessera.experiment import Cnn
from tessera.models import build, logits

VECTORS = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def cosine_layer() -> logits.CosineLogits:
    layer = logits.CosineLogits(3, 30.0, seed=0)
    layer.build((None, 4))
    return layer


def values(tensor: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_cosine_logits_are_scaled_cosines() -> None:
    layer = cosine_layer()
    kernel = values(layer.kernel)
    lengths = np.linalg.norm(VECTORS, axis=1)[:, None] * np.linalg.norm(kernel, axis=0)
    expected = 30 * (VECTORS @ kernel) / lengths
    np.testing.assert_allclose(values(layer(VECTORS)), expected, rtol=1e-4)


def test_the_length_of_a_vector_does_not_matter() -> None:
    layer = cosine_layer()
    one, other = values(layer(VECTORS)), values(layer(7 * VECTORS))
    np.testing.assert_allclose(one, other, rtol=1e-4)


def test_a_zero_vector_has_finite_logits() -> None:
    np.testing.assert_array_equal(values(cosine_layer()(np.zeros((1, 4)))), 0.0)


@pytest.mark.parametrize("cosine", [None, 30.0])
def test_scale_and_shift_act_on_the_logits(cosine: float | None) -> None:
    net = build.build(Cnn(), (8, 8, 3), 3, seed=0, cosine=cosine)
    images = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3))
    before = net.predict_on_batch(images)
    scale, shift = np.array([2.0, 1.0, 0.5]), np.array([0.0, -1.0, 3.0])
    logits.scale_and_shift(net, scale, shift)
    found = net.predict_on_batch(images)
    np.testing.assert_allclose(found, before * scale + shift, rtol=1e-4, atol=1e-5)
    # A second change acts on the first one's result.
    logits.scale_and_shift(net, 2.0, 1.0)
    np.testing.assert_allclose(net.predict_on_batch(images), found * 2 + 1, rtol=1e-4)


def test_a_cosine_head_trains_its_directions_alone() -> None:
    layer = cosine_layer()
    assert [v.name for v in layer.trainable_variables] == ["kernel"]


def test_a_cosine_head_survives_saving() -> None:
    layer = cosine_layer()
    again = logits.CosineLogits.from_config(layer.get_config())
    again.build((None, 4))
    np.testing.assert_array_equal(values(again(VECTORS)), values(layer(VECTORS)))


def test_normalised_vectors_have_their_length_to_the_power_one_minus_tau() -> None:
    kernel = np.array([[3.0, 0.0], [4.0, 2.0]], np.float32)  # lengths 5 and 2
    found = np.linalg.norm(logits.normalised(kernel, 0.5), axis=0)
    np.testing.assert_allclose(found, [np.sqrt(5), np.sqrt(2)], rtol=1e-6)


@pytest.mark.parametrize("scale", [5.0, 30.0])
def test_the_scale_of_a_models_cosine_is_the_one_asked_for(scale: float) -> None:
    vectors, seed = 5 * VECTORS, 3
    layer = logits.logits_layer(3, seed=seed, cosine=scale)
    found = values(layer(vectors))
    kernel = values(layer.kernel)
    lengths = np.linalg.norm(vectors, axis=1)[:, None] * np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(found, scale * (vectors @ kernel) / lengths, rtol=1e-4)


def test_a_dense_kernel_is_normal_where_a_deviation_is_asked_for() -> None:
    layer = logits.logits_layer(40, seed=0, cosine=None, normal=0.02)
    layer.build((None, 100))
    # Six standard errors of a deviation of 4,000 normal numbers.
    assert values(layer.kernel).std() == pytest.approx(0.02, rel=6 / np.sqrt(8000))


def test_redrawing_forgets_the_bias_that_was_learned() -> None:
    net = build.build(Cnn(), (8, 8, 3), 3, seed=0)
    net.get_layer("logits").bias.assign([1.0, -2.0, 3.0])
    logits.redraw(net, 0)
    np.testing.assert_array_equal(values(net.get_layer("logits").bias), 0.0)


def test_redrawing_changes_the_last_layer_alone_and_is_a_function_of_the_seed() -> None:
    def redrawn(seed: int) -> list[np.ndarray]:
        net = build.build(Cnn(), (8, 8, 3), 3, seed=0)
        logits.redraw(net, seed)
        return net.get_weights()

    fresh = build.build(Cnn(), (8, 8, 3), 3, seed=0).get_weights()
    same = [np.array_equal(a, b) for a, b in zip(redrawn(0), fresh, strict=True)]
    assert same == [True] * (len(same) - 2) + [False, True]
    np.testing.assert_array_equal(redrawn(4)[-2], redrawn(4)[-2])
    assert not np.array_equal(redrawn(4)[-2], redrawn(5)[-2])

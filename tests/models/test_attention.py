"""The layers over tokens, against plain formulas."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import softmax

from tessera.models.attention import Attention, PositionEmbedding


def qkv(images: int = 2, tokens: int = 5, width: int = 12) -> np.ndarray:
    shape = (images, tokens, 3 * width)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def plain_weights(qkv: np.ndarray, heads: int) -> tuple[np.ndarray, np.ndarray]:
    """Attention weights and values, reshaped and transposed as in the original."""
    images, tokens, three = qkv.shape
    split = qkv.astype(np.float64).reshape(images, tokens, 3, heads, -1)
    query, key, value = split.transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(three // 3 // heads)
    return softmax(scores, axis=-1), value


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_attention_head_by_head_equals_all_heads_at_once(heads: int) -> None:
    weights, value = plain_weights(qkv(), heads)
    expected = (weights @ value).transpose(0, 2, 1, 3).reshape(2, 5, 12)
    assert np.allclose(Attention(heads)(qkv()), expected, atol=1e-6)


def test_attention_returns_its_weights_head_by_head() -> None:
    weights = keras.ops.convert_to_numpy(Attention(3, dropout=0.5).attention(qkv()))
    assert weights.shape == (2, 3, 5, 5)
    assert np.allclose(weights, plain_weights(qkv(), 3)[0], atol=1e-6)
    assert np.allclose(weights.sum(-1), 1.0)


def test_attention_drops_weights_in_training_only() -> None:
    layer = Attention(2, dropout=0.5, seed=0)
    still, again = layer(qkv()), layer(qkv())
    assert np.array_equal(still, again)
    assert not np.allclose(layer(qkv(), training=True), still)


def test_attention_costs_two_products_of_tokens_with_tokens() -> None:
    assert Attention(2).multiply_adds((None, 64, 3 * 128)) == 2 * 64 * 64 * 128


def test_positions_are_added() -> None:
    layer = PositionEmbedding(seed=0)
    tokens = np.ones((2, 4, 3), np.float32)
    moved = keras.ops.convert_to_numpy(layer(tokens))
    assert np.allclose(moved, tokens + layer.get_weights()[0])
    assert layer.count_params() == 4 * 3


def test_positions_start_normal_with_a_deviation_of_a_fifth() -> None:
    layer = PositionEmbedding(seed=0)
    layer.build((None, 100, 64))
    drawn = layer.get_weights()[0]
    # Six standard errors of a deviation of 6,400 normal numbers.
    assert drawn.std() == pytest.approx(0.2, rel=6 / np.sqrt(2 * 6400))


def test_the_layers_survive_saving() -> None:
    tokens = np.random.default_rng(0).normal(size=(2, 5, 36)).astype(np.float32)
    for layer in (Attention(3, 0.4, seed=2), PositionEmbedding(seed=2)):
        again = type(layer).from_config(layer.get_config())
        one, other = (each(tokens, training=True) for each in (layer, again))
        np.testing.assert_array_equal(one, other)


class AllHeadsAtOnce(Attention):
    """The textbook's reshaping and transposing, in Keras."""

    def call(self, qkv: object, training: bool | None = None) -> object:
        _, tokens, width = qkv.shape
        split = ops.reshape(qkv, (-1, tokens, 3, self.heads, width // 3 // self.heads))
        query, key, value = ops.unstack(ops.transpose(split, (2, 0, 3, 1, 4)), 3)
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        weights = ops.softmax(scores / query.shape[-1] ** 0.5)
        mixed = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return ops.reshape(mixed, (-1, tokens, width // 3))


def trained(layer: Attention) -> list[np.ndarray]:
    """Weights of a dense layer below the attention after three gradient steps."""
    kernel = keras.initializers.GlorotUniform(seed=0)
    dense = keras.layers.Dense(36, kernel_initializer=kernel)
    net = keras.Sequential([keras.Input((5, 8)), dense, layer])
    net.compile(keras.optimizers.SGD(1.0), "mse")
    random = np.random.default_rng(0)
    for _ in range(3):
        net.train_on_batch(random.normal(size=(4, 5, 8)), random.random((4, 5, 12)))
    return net.get_weights()


def test_attention_head_by_head_has_the_gradients_of_all_heads_at_once() -> None:
    ours, oracle = trained(Attention(2)), trained(AllHeadsAtOnce(2))
    for one, other in zip(ours, oracle, strict=True):
        assert np.allclose(one, other, atol=1e-6)

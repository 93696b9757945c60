"""The transformer's own layers, against plain formulas."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from tessera.models.blocks import Attention, PositionEmbedding, encoder, stream


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


def test_the_encoder_keeps_the_shape_and_normalises_every_token() -> None:
    tokens = keras.Input((6, 8))
    net = keras.Model(tokens, encoder(tokens, 2, heads=2, seed=0))
    out = keras.ops.convert_to_numpy(net(np.random.rand(3, 6, 8).astype("float32")))
    assert out.shape == (3, 6, 8)
    assert np.allclose(out.mean(-1), 0.0, atol=1e-5)
    assert np.allclose(out.std(-1), 1.0, atol=1e-2)


def test_stochastic_depth_grows_linearly_to_a_tenth() -> None:
    tokens = keras.Input((6, 8))
    net = keras.Model(tokens, encoder(tokens, 3, heads=2, seed=0))
    drops = [x for x in net.layers if isinstance(x, keras.layers.Dropout)]
    assert [x.rate for x in drops] == [0.05, 0.05, 0.1, 0.1]
    assert {x.noise_shape for x in drops} == {(None, 1, 1)}


def test_a_stream_depends_on_seed_and_name_alone() -> None:
    assert stream(0, "conv1") == stream(0, "conv1")
    assert len({stream(seed, name) for seed in range(50) for name in "abcd"}) == 200
    assert all(0 <= stream(seed, "a") < 2**31 for seed in range(1000))

"""The encoder's promises, and the seeds of the layers."""

import keras
import numpy as np
import pytest

from tessera.models.attention import Attention
from tessera.models.blocks import ModelError, encoder, stream


def test_the_encoder_keeps_the_shape_and_normalises_every_token() -> None:
    tokens = keras.Input((6, 8))
    net = keras.Model(tokens, encoder(tokens, 2, heads=2, seed=0))
    out = keras.ops.convert_to_numpy(net(np.random.rand(3, 6, 8).astype("float32")))
    assert out.shape == (3, 6, 8)
    assert np.allclose(out.mean(-1), 0.0, atol=1e-5)
    assert np.allclose(out.std(-1), 1.0, atol=1e-2)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ModelError, match=r"heads: .*the width 8.*Received: 3"):
        encoder(keras.Input((6, 8)), 1, heads=3, seed=0)


def test_stochastic_depth_grows_linearly_to_a_tenth() -> None:
    tokens = keras.Input((6, 8))
    net = keras.Model(tokens, encoder(tokens, 3, heads=2, seed=0))
    drops = [x for x in net.layers if isinstance(x, keras.layers.Dropout)]
    assert [x.rate for x in drops] == [0.05, 0.05, 0.1, 0.1]
    assert {x.noise_shape for x in drops} == {(None, 1, 1)}
    assert [x.seed for x in drops] == [stream(0, x.name) for x in drops]


def test_attention_drops_a_tenth_and_variances_have_pytorchs_epsilon() -> None:
    tokens = keras.Input((6, 8))
    net = keras.Model(tokens, encoder(tokens, 2, heads=2, seed=0))
    parts = [x for x in net.layers if isinstance(x, Attention)]
    norms = [x for x in net.layers if isinstance(x, keras.layers.LayerNormalization)]
    assert [(x.heads, x.drop.rate) for x in parts] == [(2, 0.1)] * 2
    assert [x.epsilon for x in norms] == [1e-5] * 5


def test_a_stream_depends_on_seed_and_name_alone() -> None:
    assert stream(0, "conv1") == stream(0, "conv1")
    assert len({stream(seed, name) for seed in range(50) for name in "abcd"}) == 200
    assert all(0 <= stream(seed, "a") < 2**31 for seed in range(1000))

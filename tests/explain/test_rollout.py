"""Rollout multiplies attention as the paper does, and reads it as the model does."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.experiment import Cnn, Transformer
from tessera.explain import maps, reading, rollout
from tessera.explain.graph import CoarseGrid, ExplainError
from tessera.explain.methods import AttentionRollout
from tessera.models import build


def test_rollout_multiplies_half_attention_half_identity_last_block_first():
    first = np.array([[[[0.0, 1.0], [0.0, 1.0]]]])  # all look at token 1
    last = np.array([[[[1.0, 0.0], [1.0, 0.0]]]])  # all look at token 0
    # (I + last) / 2 = [[1, 0], [.5, .5]]; (I + first) / 2 = [[.5, .5], [0, 1]].
    expected = [[[0.5, 0.5], [0.25, 0.75]]]
    np.testing.assert_allclose(rollout.rollout([first, last]), expected)


def test_heads_are_averaged():
    heads = np.array([[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]])
    np.testing.assert_allclose(rollout.rollout([heads]), [[[0.75, 0.25], [0.25, 0.75]]])


def test_the_flow_is_read_as_the_classifier_reads_the_tokens():
    flow = np.array([[[0.5, 0.5], [0.25, 0.75]]])
    for settings, weights, expected in (
        (AttentionRollout("mean"), [], [0.375, 0.625]),
        (AttentionRollout("first"), [], [0.5, 0.5]),
        (AttentionRollout("w"), [np.array([[[0.2], [0.8]]])], [0.3, 0.7]),
    ):
        np.testing.assert_allclose(
            rollout.read(flow, settings, weights)[0], expected, rtol=1e-6
        )


@pytest.fixture(scope="module")
def transformer():
    """The compact transformer on 16x16 images: 4x4 tokens."""
    return build.build(Transformer(), (16, 16, 3), 10, seed=0)


@pytest.fixture
def pictures():
    """Three 16x16 RGB images."""
    return np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


def test_the_attention_of_the_compact_transformer_is_softmax_of_its_qkv(
    transformer, pictures
):
    # From the paper's formula, on what the layer `block1_attention_qkv` gives.
    found = maps.compute(
        transformer,
        pictures,
        method=AttentionRollout("pool_weights"),
        grid=(4, 4),
    )
    blocks = [s.path for s in rollout.self_attentions(reading.read(transformer))]
    names = [f"{path}_qkv" for path in blocks] + ["pool_weights"]
    outputs = [transformer.get_layer(name).output for name in names]
    inputs = [keras.ops.convert_to_tensor(pictures, "float32")]
    *values, weights = map(
        np.asarray, keras.Function(transformer.inputs, outputs)(inputs)
    )
    flow, heads = np.eye(16)[None], Transformer().heads
    for value in values:
        query, key, _ = np.split(value, 3, axis=-1)
        size = query.shape[-1] // heads
        attention = 0
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            scores = query[..., part] @ key[..., part].transpose(0, 2, 1) / size**0.5
            exponents = np.exp(scores - scores.max(axis=-1, keepdims=True))
            attention += exponents / exponents.sum(axis=-1, keepdims=True) / heads
        flow = (0.5 * attention + 0.5 * np.eye(16)) @ flow
    expected = np.einsum("nt,ntj->nj", weights[..., 0], flow).reshape(3, 4, 4)
    np.testing.assert_allclose(found.raw, expected, rtol=1e-4)
    np.testing.assert_allclose(found.raw.sum(axis=(1, 2)), 1, rtol=1e-5)


def test_keras_own_attention_layer_is_read_too(hybrid, images):
    net = hybrid()
    block = next(x for x in net.layers if isinstance(x, layers.MultiHeadAttention))
    tokens = keras.Function(net.inputs, [block.input[0]])(
        [keras.ops.convert_to_tensor(images, "float32")]
    )[0]
    _, attention = block(tokens, tokens, return_attention_scores=True)
    flow = 0.5 * np.asarray(attention).mean(axis=1) + 0.5 * np.eye(64)
    found = maps.compute(net, images, method=AttentionRollout(), grid=(8, 8))
    expected = flow.mean(axis=1).reshape(10, 8, 8)
    np.testing.assert_allclose(found.raw, expected, rtol=1e-4)


def test_the_class_token_is_left_out_of_the_map():
    pixels = keras.Input((4, 4, 1))
    tokens = layers.ZeroPadding1D((1, 0))(layers.Reshape((16, 1))(pixels))
    mixed = layers.MultiHeadAttention(1, 2)(tokens, tokens)
    net = keras.Model(pixels, layers.Dense(2)(layers.Flatten()(mixed)))
    found = maps.compute(
        net,
        np.ones((1, 4, 4, 1)),
        method=AttentionRollout("first"),
        grid=(4, 4),
        leading=1,
    )
    # Row 0 of (attention + I) / 2 less what token 0 keeps, so at most one half.
    assert found.raw.shape == (1, 4, 4)
    assert 0 < found.raw.sum() < 0.5


def attending(**masks):
    """A model of 16 tokens with one attention layer, and that layer."""
    pixels = keras.Input((4, 4, 1))
    tokens = layers.Reshape((16, 1))(pixels)
    if masks.pop("masking", False):
        tokens = layers.Masking(0.0)(tokens)
    block = layers.MultiHeadAttention(1, 2)
    mixed = block(tokens, tokens, **masks)
    return keras.Model(pixels, layers.Dense(2)(layers.Flatten()(mixed)))


EVEN = np.arange(16) % 2 == 0


@pytest.mark.filterwarnings("ignore:Layer .flatten:UserWarning")
@pytest.mark.parametrize(
    ("masks", "seen"),
    [
        ({"use_causal_mask": True}, np.arange(16) == 0),
        ({"attention_mask": EVEN[None, None, :].repeat(16, axis=1)}, EVEN),
        ({"masking": True}, EVEN),
    ],
    ids=["causal", "constant", "of a layer before"],
)
def test_no_attention_reaches_what_a_mask_hides(masks, seen):
    images = np.where(EVEN, np.linspace(0.5, 1, 16), 0).reshape(1, 4, 4, 1)
    found = maps.compute(
        attending(**masks), images, method=AttentionRollout("first"), grid=(4, 4)
    )
    assert (found.raw.ravel() > 0).tolist() == seen.tolist()
    assert found.raw.sum() == pytest.approx(1)


def test_attention_by_a_mask_that_the_model_computes_is_refused():
    pixels = keras.Input((4, 4, 1))
    tokens = layers.Reshape((16, 1))(pixels)
    free = layers.MultiHeadAttention(1, 2)(tokens, tokens)
    near = layers.Dot(2)([tokens, tokens])
    mixed = layers.MultiHeadAttention(1, 2, name="near")(
        free, free, attention_mask=near
    )
    net = keras.Model(pixels, layers.Dense(2)(layers.Flatten()(mixed)))
    with pytest.raises(ExplainError, match="'near' to attend among one set of tokens"):
        maps.compute(net, np.ones((1, 4, 4, 1)), method=AttentionRollout())


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "16 tokens, whose places cannot be told"),
        ({"grid": (4, 5)}, r"Received: 4 x 5 \+ 0"),
        ({"grid": (4, 4), "leading": 1}, r"Received: 4 x 4 \+ 1"),
    ],
)
def test_the_grid_is_never_guessed(transformer, pictures, options, message):
    with pytest.raises(ExplainError, match=message):
        maps.compute(transformer, pictures, method=AttentionRollout(), **options)


def test_a_coarse_grid_is_refused(transformer, pictures):
    with pytest.raises(CoarseGrid, match="2 x 8"):
        maps.compute(transformer, pictures, method=AttentionRollout(), grid=(2, 8))


def test_a_readout_that_weighs_no_tokens_is_refused(transformer, pictures):
    with pytest.raises(ExplainError, match=r"\[N, T, 1\]. Received: 'features'"):
        maps.compute(
            transformer, pictures, method=AttentionRollout("features"), grid=(4, 4)
        )


def test_a_model_without_attention_is_refused():
    net = build.build(Cnn(), (16, 16, 3), 10, seed=0)
    with pytest.raises(ExplainError, match="'cnn' without any"):
        maps.compute(
            net, np.ones((1, 16, 16, 3)), method=AttentionRollout(), grid=(4, 4)
        )

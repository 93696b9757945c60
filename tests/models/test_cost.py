"""Multiply-adds, counted by hand."""

import keras
import pytest

from tessera.experiment import Cnn, Hybrid, HybridPlus, Transformer
from tessera.models.build import build, with_probabilities
from tessera.models.cost import multiply_adds

BACKBONE = 32 * 32 * 32 * 27 + 16 * 16 * 64 * 288 + 8 * 8 * 128 * 576


def test_the_cnn_costs_its_convolutions_and_two_dense_layers() -> None:
    net = build(Cnn(), (32, 32, 3), 10, seed=0)
    assert multiply_adds(net) == BACKBONE + 128 * 128 + 128 * 10 == 10_339_584


def test_the_hybrid_adds_a_dense_layer_for_each_of_16_tokens() -> None:
    net = build(Hybrid(), (32, 32, 3), 10, seed=0)
    by_hand = BACKBONE + 16 * 512 * 128 + 256 * 128 + 128 * 10
    assert multiply_adds(net) == by_hand == 11_404_544


def test_an_encoder_block_adds_its_layers_and_the_attention_products() -> None:
    plain, deep = (
        multiply_adds(build(Hybrid(depth=depth), (32, 32, 3), 10, seed=0))
        for depth in (0, 1)
    )
    layers = 16 * 128 * (3 * 128 + 128 + 128 + 128)
    assert deep - plain == layers + 2 * 16 * 16 * 128


def test_the_transformer_and_the_stronger_hybrid_by_hand() -> None:
    tokenizer = 32 * 32 * 64 * 27 + 16 * 16 * 128 * 576
    block = 64 * (128 * 384 + 3 * 128 * 128) + 2 * 64 * 64 * 128
    pool = 64 * 128 + 64 * 128  # a score for every token, and their weighted mean
    by_hand = tokenizer + 2 * block + pool + 128 * 10
    net = build(Transformer(), (32, 32, 3), 10, seed=0)
    assert multiply_adds(net) == by_hand == 35_341_568
    whiten = 32 * 32 * 24 * 12
    stage1 = 32 * 32 * 36 * 9 * 24 + 2 * 16 * 16 * 36 * 9 * 36
    stage2 = 16 * 16 * 72 * 9 * 36 + 2 * 8 * 8 * 72 * 9 * 72
    block = 64 * (72 * 216 + 3 * 72 * 72) + 2 * 64 * 64 * 72
    by_hand = whiten + stage1 + stage2 + block + 2 * 64 * 72 + 144 * 10
    net = build(HybridPlus(), (32, 32, 3), 10, seed=0)
    assert multiply_adds(net) == by_hand == 28_764_576


def test_a_cosine_head_costs_what_a_dense_one_does() -> None:
    dense, cosine = (
        multiply_adds(build(Cnn(), (16, 16, 3), 10, seed=0, cosine=scale))
        for scale in (None, 30.0)
    )
    assert dense == cosine


def test_cct_costs_what_is_published_once_attention_products_are_left_out() -> None:
    net = build(Transformer(), (32, 32, 3), 10, seed=0)
    products = 2 * (2 * 64 * 64 * 128)
    published = 0.033e9
    assert round(multiply_adds(net) - products, -6) == published
    assert round(multiply_adds(net), -6) == 0.035e9


def test_a_convolution_of_each_channel_costs_its_window_for_every_value() -> None:
    maps = keras.Input((8, 6, 4))
    net = keras.Model(maps, keras.layers.DepthwiseConv2D((3, 2), padding="same")(maps))
    assert multiply_adds(net) == 8 * 6 * 4 * 3 * 2


def test_keras_attention_is_four_dense_layers_and_two_products() -> None:
    tokens = keras.Input((6, 8))
    attended = keras.layers.MultiHeadAttention(2, 5)(tokens, tokens)
    dense = 6 * 8 * (3 * 10) + 6 * 10 * 8
    assert multiply_adds(keras.Model(tokens, attended)) == dense + 2 * 6 * 6 * 10


def test_the_softmax_at_the_end_costs_nothing() -> None:
    net = build(Cnn(), (32, 32, 3), 10, seed=0)
    assert multiply_adds(with_probabilities(net)) == multiply_adds(net)


def test_nested_models_are_counted() -> None:
    net = build(Cnn(), (32, 32, 3), 10, seed=0)
    outer = keras.Input((32, 32, 3))
    assert multiply_adds(keras.Model(outer, net(outer))) == multiply_adds(net)


def test_a_layer_of_unknown_cost_is_an_error() -> None:
    tokens = keras.Input((4, 8))
    net = keras.Model(tokens, keras.layers.LSTM(3, name="memory")(tokens))
    with pytest.raises(TypeError, match=r"memory: .*Received: LSTM.*multiply_adds"):
        multiply_adds(net)

"""The hybrid is the reference study's, and what its tokens can and cannot see."""

import keras
import numpy as np
import pytest

from tessera.experiment import Hybrid
from tessera.models.build import build
from tessera.models.hybrid import patches

from . import plain

SHUFFLED = np.random.default_rng(1).permutation(16)


def after_the_patches(depth: int) -> keras.Model:
    """The hybrid's second half: the map and its 16 patches in, logits out."""
    net = build(Hybrid(depth=depth), (32, 32, 3), 10, seed=0)
    cut = [net.get_layer(name).output for name in ("features", "patches")]
    return keras.Model(cut, net.output)


def change_by_shuffling(depth: int) -> float:
    """Largest change of a logit, relative to the largest logit."""
    random = np.random.default_rng(0)
    features = random.random((4, 8, 8, 128), dtype=np.float32)
    tokens = random.random((4, 16, 512), dtype=np.float32)
    second = after_the_patches(depth)
    first, then = (
        keras.ops.convert_to_numpy(second([features, order]))
        for order in (tokens, tokens[:, SHUFFLED])
    )
    return float(np.abs(first - then).max() / np.abs(first).max())


def test_the_studys_hybrid_has_193098_parameters() -> None:
    # backbone, Dense 512 -> 128, Dense 256 -> 128, Dense 128 -> 10
    by_hand = 93_248 + 65_664 + 32_896 + 1_290
    net = build(Hybrid(), (32, 32, 3), 10, seed=0)
    assert net.count_params() == by_hand == 193_098


@pytest.mark.parametrize("shape", plain.SHAPES, ids=str)
@pytest.mark.parametrize("patch", [2, 3])
def test_pooling_before_the_relu_changes_neither_logits_nor_gradients(
    shape: tuple[int, int, int], patch: int
) -> None:
    model = Hybrid(patch=patch)
    plain.assert_same(build(model, shape, 10, seed=0), plain.hybrid(model, shape, 10))


def test_images_of_one_colour_where_every_maximum_is_a_tie_change_nothing() -> None:
    model, shape = Hybrid(), (32, 32, 3)
    plain.assert_same(
        build(model, shape, 10, seed=0),
        plain.hybrid(model, shape, 10),
        plain.of_one_colour(),
    )


def test_without_attention_shuffling_the_tokens_cannot_change_the_answer() -> None:
    assert change_by_shuffling(depth=0) < 1e-5


@pytest.mark.parametrize("depth", [1, 2])
def test_with_attention_and_positions_shuffling_the_tokens_changes_it(
    depth: int,
) -> None:
    assert change_by_shuffling(depth) > 1e-3


def test_without_attention_the_fused_vector_is_linear_in_four_means() -> None:
    net = build(Hybrid(), (32, 32, 3), 10, seed=0)
    names = ("features", "average", "token_average")
    probe = keras.Model(net.input, [net.get_layer(name).output for name in names])
    x = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype("float32")
    features, average, token_average = map(keras.ops.convert_to_numpy, probe(x))
    # One mean for each of the four cells of a patch: 4 x 128 numbers per image.
    cells = [features[:, i::2, j::2].mean((1, 2)) for i in (0, 1) for j in (0, 1)]
    kernel, bias = net.get_layer("tokens").get_weights()
    assert np.allclose(token_average, np.hstack(cells) @ kernel + bias, atol=1e-5)
    assert np.allclose(average, np.mean(cells, axis=0), atol=1e-5)


def test_patches_are_read_row_by_row() -> None:
    # A 4 x 4 map of one channel, its cells numbered as one reads.
    numbered = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    map_ = keras.Input((4, 4, 1))
    cut = keras.Model(map_, patches(map_, 2))(numbered)
    assert keras.ops.convert_to_numpy(cut)[0].tolist() == [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [8, 9, 12, 13],
        [10, 11, 14, 15],
    ]


def test_a_map_that_patches_do_not_tile_is_padded_with_zeros_below_and_right() -> None:
    map_ = keras.Input((3, 5, 1))
    cut = keras.Model(map_, patches(map_, 2))(np.ones((1, 3, 5, 1), np.float32))
    assert keras.ops.convert_to_numpy(cut)[0].tolist() == [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [1, 0, 1, 0],
        [1, 1, 0, 0],
        [1, 1, 0, 0],
        [1, 0, 0, 0],
    ]

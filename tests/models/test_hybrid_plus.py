"""The stronger hybrid: no more parameters, and its tokens see the layout."""

import keras
import numpy as np
import pytest

from tessera.experiment import HybridPlus
from tessera.models.build import build
from tessera.models.cost import multiply_adds

STUDYS = 193_098
"""Parameters of the reference study's hybrid."""


def test_it_has_no_more_parameters_than_the_studys_hybrid() -> None:
    assert build(HybridPlus(), (32, 32, 3), 10, seed=0).count_params() <= STUDYS


def test_parameters_by_hand() -> None:
    whiten = 2 * 2 * 3 * 24 + 24
    norm = 4  # scale, shift, mean and variance of each channel
    stage1 = 9 * 24 * 8 + 2 * 9 * 8 * 8 + 3 * norm * 8
    stage2 = 9 * 8 * 16 + 2 * 9 * 16 * 16 + 3 * norm * 16
    logits = 16 * 10 + 10
    net = build(HybridPlus(widths=(8, 16), depth=0), (32, 32, 3), 10, seed=0)
    assert net.count_params() == whiten + stage1 + stage2 + logits


def test_the_map_has_a_quarter_of_the_sides_and_one_token_for_every_cell() -> None:
    net = build(HybridPlus(widths=(8, 16)), (32, 24, 3), 10, seed=0)
    assert net.get_layer("features").output.shape == (None, 8, 6, 16)
    assert net.get_layer("tokens").output.shape == (None, 48, 16)


@pytest.mark.parametrize("depth,sees", [(0, False), (1, True)])
def test_only_the_tokens_see_where_in_the_map_something_is(
    depth: int, sees: bool
) -> None:
    net = build(HybridPlus(widths=(8, 16), depth=depth), (32, 32, 3), 10, seed=0)
    second = keras.Model(net.get_layer("features").output, net.output)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4, 64, 16)).astype(np.float32)
    one, other = (
        keras.ops.convert_to_numpy(second(cells.reshape(4, 8, 8, 16)))
        for cells in (features, features[:, rng.permutation(64)])
    )
    assert np.allclose(one, other, atol=1e-6) is not sees


def test_without_whitening_the_first_stage_takes_the_pixels() -> None:
    net = build(HybridPlus(whitening=False), (32, 32, 3), 10, seed=0)
    assert "whiten" not in {layer.name for layer in net.layers}
    assert net.get_layer("stage1_conv1").kernel.shape == (3, 3, 3, 36)


def names(net: keras.Model) -> set[str]:
    return {layer.name for layer in net.layers}


def test_without_ways_around_a_stage_is_three_convolutions_in_a_row() -> None:
    whole, bare = (
        build(HybridPlus(widths=(8, 16), residual=wanted), (32, 32, 3), 10, seed=0)
        for wanted in (True, False)
    )
    assert names(whole) - names(bare) == {"stage1_add", "stage2_add"}
    assert whole.count_params() == bare.count_params()


def test_without_normalisation_every_convolution_has_a_bias_instead() -> None:
    net = build(HybridPlus(widths=(8, 16), normalised=False), (32, 32, 3), 10, seed=0)
    assert not any("_norm" in name for name in names(net) if name.startswith("stage"))
    assert net.get_layer("stage2_conv3").bias.shape == (16,)


def test_halving_late_costs_arithmetic_and_no_parameter() -> None:
    """By hand: of a stage of width F on h x w, two convolutions 9 F^2 h w, late 4 x."""
    early, late = (
        build(HybridPlus(widths=(8, 16), late=wanted), (32, 32, 3), 10, seed=0)
        for wanted in (False, True)
    )
    assert early.count_params() == late.count_params()
    assert late.get_layer("features").output.shape == (None, 8, 8, 16)
    more = 3 * 2 * 9 * (8 * 8 * 16 * 16 + 16 * 16 * 8 * 8)
    assert multiply_adds(late) - multiply_adds(early) == more


def test_separable_convolutions_have_a_filter_for_each_channel_and_a_mixture() -> None:
    """By hand: F filters of 9 and F x F, in place of 9 F x F."""
    whole, separable = (
        build(HybridPlus(widths=(8, 16), separable=wanted), (32, 32, 3), 10, seed=0)
        for wanted in (False, True)
    )
    fewer = sum(2 * (9 * F * F - (9 * F + F * F)) for F in (8, 16))
    assert whole.count_params() - separable.count_params() == fewer
    less = sum(2 * (8 * F * F - 9 * F) * side**2 for F, side in ((8, 16), (16, 8)))
    assert multiply_adds(whole) - multiply_adds(separable) == less

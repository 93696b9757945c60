"""The stronger hybrid: no more parameters, and its tokens see the layout."""

import keras
import numpy as np
import pytest

from tessera.experiment import HybridPlus
from tessera.models.build import build
from tessera.models.cost import multiply_adds
from tessera.models.whitening import adapt

from .test_transformer import convolve, encoded, gelu

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


@pytest.mark.parametrize("late", [False, True])
def test_the_forward_pass_is_the_documented_one(late: bool) -> None:
    model = HybridPlus(widths=(8, 12), heads=3, late=late)
    net = build(model, (12, 8, 3), 5, seed=5)
    random = np.random.default_rng(0)
    for weight in net.weights:
        drawn = weight + 0.3 * random.normal(size=weight.shape)
        # So large that about as much of the map is below 0 as above.
        is_variance = weight.path.endswith("variance")
        weight.assign(100 * np.abs(drawn) if is_variance else drawn)
    x = random.integers(0, 256, (2, 12, 8, 3)).astype(np.float64)
    paths = [weight.path for weight in net.weights]
    weights = dict(zip(paths, net.get_weights(), strict=True))
    logits = keras.ops.convert_to_numpy(net(x.astype(np.float32)))
    expected = reference(weights, x / 255, late=late)
    assert np.ptp(expected) > 0.1
    assert np.allclose(logits, expected, atol=1e-4, rtol=1e-4)


def reference(
    weights: dict[str, np.ndarray], x: np.ndarray, *, late: bool
) -> np.ndarray:
    """One block of 3 heads over a map of 12 channels, in NumPy, step by step."""

    def convolution(x: np.ndarray, name: str, *, pool: bool = False) -> np.ndarray:
        x = convolve(x, weights[f"{name}/kernel"])
        x = halved(x) if pool else x
        gamma, beta, mean, variance = (
            weights[f"{name}_norm/{part}"]
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return gelu((x - mean) / np.sqrt(variance + 1e-5) * gamma + beta)

    # A patch of 2 x 2 has its pixel above and left; zeros follow the last ones.
    padded = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2, 2), axis=(1, 2))
    patches = np.einsum("nhwcij,ijcd->nhwd", windows, weights["whiten/kernel"])
    x = gelu(patches + weights["whiten/bias"])
    for stage in ("stage1", "stage2"):
        x = convolution(x, f"{stage}_conv1", pool=not late)
        branch = convolution(x, f"{stage}_conv2")
        x = x + convolution(branch, f"{stage}_conv3")
        x = halved(x) if late else x
    assert 0.1 < (x < 0).mean() < 0.9
    x = np.maximum(x, 0)
    cells = x.reshape(len(x), -1, 12)
    attended = encoded(weights, cells, depth=1, heads=3)
    vector = np.concatenate([x.max(axis=(1, 2)), attended], axis=1)
    return vector @ weights["logits/kernel"] + weights["logits/bias"]


def halved(x: np.ndarray) -> np.ndarray:
    """The maximum of every 2 x 2."""
    images, height, width, channels = x.shape
    cells = x.reshape(images, height // 2, 2, width // 2, 2, channels)
    return np.asarray(cells.max(axis=(2, 4)))


def test_initial_weights_have_the_published_deviations() -> None:
    net = build(HybridPlus(separable=True), (16, 16, 3), 10, seed=0)
    for weight, drawn in zip(net.weights, net.get_weights(), strict=True):
        layer, _, name = weight.path.partition("/")
        if name == "kernel" and layer != "whiten":
            expected = 0.02  # of every dense kernel
            if layer.endswith("_depthwise"):
                expected = 1 / 3
            elif layer.startswith("stage"):
                expected = np.sqrt(2 / np.prod(drawn.shape[:-1]))
            # Six standard errors of a deviation of as many normal numbers.
            near = pytest.approx(expected, rel=6 / np.sqrt(2 * drawn.size))
            assert drawn.std() == near, weight.path


def test_normalisation_keeps_a_tenth_of_each_batchs_statistics() -> None:
    net = build(HybridPlus(widths=(4, 8), depth=0), (8, 8, 3), 2, seed=0)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("float32")
    norm = net.get_layer("stage1_conv1_norm")
    adapt(net, pixels.astype(np.uint8), np.arange(4))
    before = keras.Model(net.input, norm.input)(pixels)
    net(pixels, training=True)
    mean = keras.ops.convert_to_numpy(before).mean(axis=(0, 1, 2))
    found = keras.ops.convert_to_numpy(norm.moving_mean)
    np.testing.assert_allclose(found, 0.1 * mean, rtol=1e-3, atol=1e-5)


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

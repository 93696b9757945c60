"""Convolutions as products: the same answers, gradients and variables."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Transformer
from tessera.models.build import build
from tessera.training import products

SHAPE = (31, 45, 4)
"""Whose maps no pooling divides."""
MODELS = (
    Cnn(),
    Hybrid(),
    Transformer(),
    HybridPlus(late=True, separable=True),
)


def images(shape: tuple[int, ...], number: int = 6) -> np.ndarray:
    """Noise under a black edge, as a crop leaves one: within it all windows tie."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (number, *shape)).astype(np.float32)
    pixels[:, :7] = 0
    return pixels


def gradients(net: Any, pixels: np.ndarray, variables: list[Any]) -> list[np.ndarray]:
    """Of the mean squared answer, by the backend's own derivation."""
    before = [ops.convert_to_numpy(variable) for variable in variables]
    # Tracing takes longer than the one step.
    net.compile(keras.optimizers.SGD(1.0), "mean_squared_error", run_eagerly=True)
    net.train_on_batch(pixels, np.zeros(net(pixels).shape))
    after = [ops.convert_to_numpy(variable) for variable in variables]
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return [old - new for old, new in zip(before, after, strict=True)]


def assert_same(net: Any, other: Any, shape: tuple[int, ...]) -> None:
    """Answers and gradients agree to float32's rounding, which batch statistics and
    kinks of ReLUs carry on."""
    pixels = images(shape)
    here, there = (ops.convert_to_numpy(one(pixels)) for one in (net, other))
    np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max())
    variables = list(net.trainable_variables)
    slopes = [gradients(one, pixels, variables) for one in (net, other)]
    largest = max(np.linalg.norm(slope) for slope in slopes[0])
    for a, b in zip(*slopes, strict=True):
        assert np.linalg.norm(a - b) < 1e-3 * np.linalg.norm(a) + 1e-6 * largest


def without_dropout(net: Any) -> Any:
    """Its masks differ from call to call."""
    for layer in net.layers:
        dropout = getattr(layer, "drop", layer)
        if isinstance(dropout, layers.Dropout):
            dropout.rate = 0.0
    return net


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_every_model_computes_what_it_did(model: Model) -> None:
    net = without_dropout(build(model, SHAPE, 5, seed=0))
    random = np.random.default_rng(1)
    weights = [w + random.normal(scale=0.02, size=w.shape) for w in net.get_weights()]
    net.set_weights(weights)
    other = products.rewritten(net)
    assert any(isinstance(layer, products.Products) for layer in other.layers)
    assert_same(net, other, SHAPE)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_the_variables_are_the_models_own_in_their_order(model: Model) -> None:
    net = build(model, SHAPE, 5, seed=0)
    other = products.rewritten(net)
    for kind in ("variables", "trainable_variables"):
        ours, theirs = (list(map(id, getattr(one, kind))) for one in (net, other))
        assert ours == theirs


@pytest.mark.parametrize(
    "more",
    [
        {"padding": "same"},
        {"padding": "same", "kernel_size": 2},
        {"padding": "same", "kernel_size": (3, 4), "use_bias": False},
        {"activation": "tanh"},
        {"strides": 2},
        {"strides": (3, 2), "kernel_size": (4, 5)},
    ],
    ids=str,
)
def test_a_convolution_is_one_product_whatever_its_window(more: dict[str, Any]) -> None:
    net = keras.Sequential(
        [
            keras.Input((11, 9, 3)),
            layers.Conv2D(**({"filters": 4, "kernel_size": 3} | more)),
        ]
    )
    other = products.rewritten(net)
    assert isinstance(other.layers[0], products.Products)
    assert_same(net, other, (11, 9, 3))


@pytest.mark.parametrize(
    "more",
    [
        {"padding": "same", "use_bias": False},
        {"depth_multiplier": 2, "activation": "tanh"},
        {"strides": 2, "kernel_size": (4, 5)},
    ],
    ids=str,
)
def test_a_convolution_of_each_channel_is_a_sum_over_its_window(
    more: dict[str, Any],
) -> None:
    depthwise = layers.DepthwiseConv2D(**({"kernel_size": 3} | more))
    net = keras.Sequential([keras.Input((11, 9, 3)), depthwise])
    other = products.rewritten(net)
    assert isinstance(other.layers[0], products.Sums)
    assert_same(net, other, (11, 9, 3))


@pytest.mark.parametrize(
    "more",
    [
        {"strides": 2, "padding": "same"},
        {"dilation_rate": 2},
        {"groups": 3, "filters": 3},
    ],
    ids=str,
)
def test_what_is_no_such_product_stays_a_convolution(more: dict[str, Any]) -> None:
    convolution = layers.Conv2D(**({"filters": 4, "kernel_size": 3} | more))
    net = keras.Sequential([keras.Input((11, 9, 3)), convolution])
    assert products.rewritten(net).layers[0] is convolution


def test_of_equal_values_the_first_gets_the_gradient() -> None:
    """By hand: windows of 2 x 2, the values of each equal but in the last."""
    maps = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 5], [3, 3, 5, 4]])
    first = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]])
    values = keras.layers.Dense(4, use_bias=False, kernel_initializer="zeros")
    inputs = keras.Input((4, 4))
    column = layers.Reshape((4, 4, 1))(values(inputs))
    net = keras.Model(inputs, layers.MaxPooling2D(2)(column))
    values.set_weights([maps.astype(np.float32)])
    slope = gradients(products.rewritten(net), np.eye(4)[None], [values.kernel])[0]
    np.testing.assert_allclose(slope, first * maps / 2, rtol=1e-6)


@pytest.mark.parametrize("number,each,parts", [(6, 1, 1), (6, 2_000, 3), (7, 9_000, 7)])
def test_a_product_adds_its_gradient_up_in_parts_of_whole_images(
    number: int, each: int, parts: int
) -> None:
    rows = np.random.default_rng(0).normal(size=(number, each, 3)).astype(np.float32)
    kernel = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert number // products.together(number, each) == parts
    np.testing.assert_allclose(
        ops.convert_to_numpy(products.product(rows, kernel)), rows @ kernel, atol=1e-5
    )

"""The compact transformer is CCT-2/3x2, checked against a NumPy reading of it."""

import keras
import numpy as np
import pytest
from scipy.special import erf, softmax

from tessera.experiment import Transformer
from tessera.models.build import build


def test_cct_2_3x2_has_283723_parameters() -> None:
    tokenizer = 3 * 3 * 3 * 64 + 3 * 3 * 64 * 128
    positions = 64 * 128
    block = 2 * 2 * 128 + 128 * 384 + 3 * (128 * 128 + 128)
    by_hand = tokenizer + positions + 2 * block + 2 * 128 + 129 + 1_290
    net = build(Transformer(), (32, 32, 3), 10, seed=0)
    assert net.count_params() == by_hand == 283_723


def test_settings_reach_the_published_cct_4() -> None:
    net = build(Transformer(depth=4), (32, 32, 3), 10, seed=0)
    assert round(net.count_params() / 1e6, 3) == 0.482


def test_initial_weights_have_the_published_deviations() -> None:
    net = build(Transformer(), (32, 32, 3), 10, seed=0)
    wanted = {"conv1": np.sqrt(2 / 27), "conv2": np.sqrt(2 / 576), "position": 0.2}
    for weight, drawn in zip(net.weights, net.get_weights(), strict=True):
        layer, _, name = weight.path.partition("/")
        if name in ("kernel", "position"):
            # Six standard errors of a deviation of as many normal numbers.
            near = 6 / np.sqrt(2 * drawn.size)
            expected = pytest.approx(wanted.get(layer, 0.02), rel=near)
            assert drawn.std() == expected, weight.path


def test_the_forward_pass_is_the_papers() -> None:
    net = build(Transformer(), (32, 31, 3), 10, seed=5)
    random = np.random.default_rng(0)
    net.set_weights([w + 0.1 * random.normal(size=w.shape) for w in net.get_weights()])
    x = random.integers(0, 256, (2, 32, 31, 3)).astype(np.float64)
    paths = [weight.path for weight in net.weights]
    weights = dict(zip(paths, net.get_weights(), strict=True))
    logits = keras.ops.convert_to_numpy(net(x.astype(np.float32)))
    assert np.allclose(logits, reference(weights, x / 255), atol=1e-4, rtol=1e-4)


def reference(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """CCT-2/3x2 in NumPy, float64, one plain step after the other."""
    for index in (1, 2):
        x = pool(np.maximum(convolve(x, weights[f"conv{index}/kernel"]), 0))
    pooled = encoded(weights, x.reshape(len(x), -1, 128), depth=2, heads=2)
    return pooled @ weights["logits/kernel"] + weights["logits/bias"]


def gelu(x: np.ndarray) -> np.ndarray:
    return x * (1 + erf(x / np.sqrt(2))) / 2


def encoded(
    weights: dict[str, np.ndarray], x: np.ndarray, *, depth: int, heads: int
) -> np.ndarray:
    """Positions, blocks, a normalisation and sequence pooling: [B, T, D] -> [B, D]."""

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0.0)

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return unit * weights[f"{name}/gamma"] + weights[f"{name}/beta"]

    x = x + weights["position/position"]
    for block in (f"block{index + 1}" for index in range(depth)):
        qkv = linear(norm(x, f"{block}_attention_norm"), f"{block}_attention_qkv")
        mixed = attend(qkv, heads)
        x = norm(x + linear(mixed, f"{block}_attention_projection"), f"{block}_norm")
        x = x + linear(gelu(linear(x, f"{block}_mlp1")), f"{block}_mlp2")
    x = norm(x, "encoder_norm")
    share = softmax(linear(x, "pool_scores"), axis=1)
    return np.asarray((share * x).sum(1))


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """3 x 3 convolution, stride 1, one cell of zeros around."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.einsum("nhwcij,ijcd->nhwd", windows, kernel)


def pool(x: np.ndarray) -> np.ndarray:
    """PyTorch's MaxPool2d(3, 2, padding=1)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return windows[:, ::2, ::2].max((-2, -1))


def attend(qkv: np.ndarray, heads: int) -> np.ndarray:
    """Compact-Transformers' reshaping: three, then heads, then width."""
    images, tokens, width = qkv.shape
    split = qkv.reshape(images, tokens, 3, heads, width // 3 // heads)
    query, key, value = split.transpose(2, 0, 3, 1, 4)
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    mixed = softmax(scores, axis=-1) @ value
    return mixed.transpose(0, 2, 1, 3).reshape(images, tokens, width // 3)

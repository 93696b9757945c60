"""The three architectures in PyTorch, with a run's own weights, for a fair race.

Written as a PyTorch user would: channels first, `torch.nn.functional`, inference mode.
`onnx` is not involved, so this is also an independent reading of the architectures.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from tessera.experiment import Cnn, Hybrid, Transformer
from tessera.trained import Trained

Tensor = torch.Tensor


def runner(model: Trained, *, threads: int) -> Callable[[Any], Any]:
    """Pixels float32 [N, H, W, C] -> calibrated probabilities [N, K]."""
    torch.set_num_threads(threads)
    weights = {
        layer.name: [torch.from_numpy(np.array(w)) for w in layer.get_weights()]
        for layer in model.net.layers
    }
    for values in weights.values():
        if values and values[0].ndim == 4:
            values[0] = values[0].permute(3, 2, 0, 1).contiguous()
    settings = model.run.model

    @torch.inference_mode()
    def run(pixels: Any) -> Any:
        x = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
        logits = forward(settings, x, weights)
        return torch.softmax(logits / model.temperature, dim=1).numpy()

    return run


def exists(settings: Any) -> bool:
    """Whether a model is written in PyTorch here."""
    if isinstance(settings, Hybrid):
        return settings.depth == 0
    return isinstance(settings, Cnn | Transformer)


def forward(settings: Any, x: Tensor, weights: dict[str, list[Tensor]]) -> Tensor:
    match settings:
        case Cnn():
            return head(backbone(x, weights).mean((2, 3)), weights)
        case Hybrid(depth=0):
            return hybrid(settings, x, weights)
        case Transformer():
            return transformer(settings, x, weights)
    raise SystemExit(f"PyTorch: no equivalent of {settings}")


def dense(x: Tensor, weights: list[Tensor]) -> Tensor:
    product = x @ weights[0]
    return product + weights[1] if len(weights) > 1 else product


def backbone(x: Tensor, weights: dict[str, list[Tensor]]) -> Tensor:
    for name in ("conv1", "conv2"):
        x = functional.max_pool2d(
            functional.conv2d(x, *weights[name], padding=1).relu(), 2
        )
    return functional.conv2d(x, *weights["features"], padding=1).relu()


def head(x: Tensor, weights: dict[str, list[Tensor]]) -> Tensor:
    return dense(dense(x, weights["head"]).relu(), weights["logits"])


def hybrid(settings: Hybrid, x: Tensor, weights: dict[str, list[Tensor]]) -> Tensor:
    features = backbone(x, weights)
    size = settings.patch
    below, right = -features.shape[2] % size, -features.shape[3] % size
    padded = functional.pad(features, (0, right, 0, below))
    # unfold orders a patch as (channel, row, column); the kernel as (row, column,
    # channel).
    patches = functional.unfold(padded, size, stride=size)
    batch, _, tokens = patches.shape
    ordered = patches.view(batch, -1, size * size, tokens).permute(0, 3, 2, 1)
    flat = ordered.reshape(batch, tokens, -1)
    average = dense(flat, weights["tokens"]).mean(1)
    return head(torch.cat([features.mean((2, 3)), average], 1), weights)


def transformer(
    settings: Transformer, x: Tensor, weights: dict[str, list[Tensor]]
) -> Tensor:
    for index in range(1, settings.convolutions + 1):
        x = functional.conv2d(x, weights[f"conv{index}"][0], padding=1)
        x = functional.max_pool2d(x, 3, 2, padding=1).relu()
    tokens = x.flatten(2).transpose(1, 2) + weights["position"][0]
    for index in range(1, settings.depth + 1):
        tokens = block(tokens, f"block{index}", settings.heads, weights)
    tokens = norm(tokens, weights["encoder_norm"])
    shares = dense(tokens, weights["pool_scores"]).softmax(1)
    return dense((shares * tokens).sum(1), weights["logits"])


def block(
    tokens: Tensor, name: str, heads: int, weights: dict[str, list[Tensor]]
) -> Tensor:
    normed = norm(tokens, weights[f"{name}_attention_norm"])
    parts = dense(normed, weights[f"{name}_attention_qkv"]).chunk(3, -1)
    batch, count, width = tokens.shape
    query, key, value = (
        part.view(batch, count, heads, -1).transpose(1, 2) for part in parts
    )
    mixed = functional.scaled_dot_product_attention(query, key, value)
    mixed = mixed.transpose(1, 2).reshape(batch, count, width)
    tokens = tokens + dense(mixed, weights[f"{name}_attention_projection"])
    tokens = norm(tokens, weights[f"{name}_norm"])
    hidden = functional.gelu(dense(tokens, weights[f"{name}_mlp1"]))
    return tokens + dense(hidden, weights[f"{name}_mlp2"])


def norm(tokens: Tensor, weights: list[Tensor]) -> Tensor:
    return functional.layer_norm(tokens, tokens.shape[-1:], *weights, eps=1e-5)

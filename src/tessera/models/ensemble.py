"""Several trained networks -> one that answers with the mean of their probabilities."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops


def ensemble(nets: Mapping[str, Any], temperatures: Sequence[float]) -> Any:
    """log(mean_s softmax(z_s / T_s)): logits whose softmax is the mean.

    Computed in logarithms throughout, so it is finite wherever the members' logits are.

    Args:
        nets: By name, at least one: models of `build`, of the same images and classes.
        temperatures: Of each.

    Returns:
        A `keras.Model` from pixels [B, H, W, C] to logits float32 [B, K], with the
        members as layers of their names. It shares their weights.
    """
    first = next(iter(nets.values())).input
    pixels = keras.Input(first.shape[1:], dtype=first.dtype, name="pixels")
    logs = [
        _logs(pixels, net, temperature, name)
        for (name, net), temperature in zip(nets.items(), temperatures, strict=True)
    ]
    mean = ops.logsumexp(ops.stack(logs, axis=1), axis=1) - float(np.log(len(logs)))
    return keras.Model(pixels, mean, name="ensemble")


def _logs(pixels: Any, net: Any, temperature: float, name: str) -> Any:
    """The logarithms of a member's probabilities, [B, K]."""
    member = keras.Model(net.input, net.output, name=name)
    cooled = layers.Rescaling(1 / temperature, name=f"temperature-{name}")
    return ops.log_softmax(cooled(member(pixels)))

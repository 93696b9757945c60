"""Training in numbers of 16 bits: half the bits to move and multiply, same weights.

Mixed precision (Micikevicius et al. 2018, arXiv:1710.03740) with bfloat16, whose
exponent is float32's, so that no loss has to be scaled (Kalamkar et al. 2019,
arXiv:1905.12322). Weights and their gradients, the optimizer, batch statistics and the
loss stay float32; so does everything that is done outside a training step.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from keras import layers

from tessera.experiment import Precision

WHOLE = (layers.Activation, layers.Softmax)
"""Computed in float32 all the same: few operations, which gain nothing by 16 bits (and
GELU's error function loses time on a processor)."""


@contextlib.contextmanager
def computing_in(precision: Precision, net: Any) -> Iterator[None]:
    """Within the block the model's layers multiply in `precision`.

    A step that is traced within it keeps what it was traced with. The layer `logits`
    stays float32, so that the loss sees logits that were never rounded.

    Args:
        precision: `float32` changes nothing.
        net: A Keras model whose layers compute in float32.
    """
    if precision == "float32":
        yield
        return
    changed = [
        (layer, layer.dtype_policy)
        for layer in net._flatten_layers(include_self=False)
        if layer.name != "logits" and not isinstance(layer, WHOLE)
    ]
    for layer, _ in changed:
        layer.dtype_policy = f"mixed_{precision}"
    try:
        yield
    finally:
        for layer, policy in changed:
            layer.dtype_policy = policy

"""Whether a part of a model is affine: then first-order maps account for all of it."""

from collections.abc import Iterable
from typing import Any

from keras import activations, layers

from tessera.explain.graph import Graph, Key, needed

MOVES = (
    layers.InputLayer,
    layers.Flatten,
    layers.Reshape,
    layers.Permute,
    layers.Identity,
    layers.Concatenate,
    layers.ZeroPadding2D,
    layers.Cropping2D,
    layers.UpSampling2D,
)
"""Layers that put numbers elsewhere."""

MIXES = (
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.Add,
    layers.Subtract,
    layers.Average,
    layers.Rescaling,
    layers.BatchNormalization,
)
"""Layers that add and scale; batch normalisation only as it is in inference."""

SILENT = (
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.AlphaDropout,
)
"""Layers that do nothing in inference."""

LEFT_AWAY = (
    activations.softmax,
    activations.log_softmax,
    activations.sigmoid,
    activations.log_sigmoid,
)
"""What `reading` leaves away at a model's end."""

WEIGHED = (
    layers.Dense,
    layers.Conv1D,
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
    layers.Conv2DTranspose,
    layers.Activation,
)
"""Layers that are affine where their activation is linear."""


def affine(graph: Graph, given: Iterable[Key]) -> bool:
    """Whether the logits are an affine function of the given values, and of them alone.

    False for a layer that is not known to be affine.
    """
    steps, open_ends = needed(graph, given, [graph.logits])
    return not open_ends and all(
        # A nested model's own step hands on what its inside gave.
        step.call is list
        # The last layer's softmax or sigmoid has been left away.
        or _is_affine(step.operation, squashed=graph.logits in step.outputs)
        for step in steps
    )


def _is_affine(operation: Any, *, squashed: bool) -> bool:
    if isinstance(operation, (*MOVES, *MIXES, *SILENT)):
        return True
    if not isinstance(operation, WEIGHED):
        return False
    linear = getattr(operation, "activation", None) in (None, activations.linear)
    return linear or (squashed and operation.activation in LEFT_AWAY)

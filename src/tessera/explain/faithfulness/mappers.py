"""A method's settings -> the function that makes its maps."""

from typing import Any

import keras
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels
from tessera.explain import maps
from tessera.explain.faithfulness.answers import Mapper
from tessera.explain.methods import Method
from tessera.explain.places import Grid

FEATURES = "features"
"""The layer that methods on layers explain unless told otherwise."""


def mapper(
    method: Method, *, layer: str = FEATURES, grid: Grid | None = None
) -> Mapper:
    """The method as a function; every call makes its explainer anew.

    Args:
        method: Which.
        layer: Name of the layer, for methods that explain one.
        grid: (h, w) of token layers and of attention rollout.
    """
    where = layer if method.where == "layer" else None

    def found(net: keras.Model, images: NDArray[Any], targets: Labels) -> Heatmaps:
        return maps.compute(
            net, images, method=method, target=targets, layer=where, grid=grid
        ).raw

    return found


def place(method: Method, layer: str) -> str:
    """What a record says of where the method looks."""
    return layer if method.where == "layer" else method.where


def on_any_net(method: Method) -> Mapper | None:
    """The method for a model without attention; None where it explains attention."""
    return None if method.where == "attention" else mapper(method)

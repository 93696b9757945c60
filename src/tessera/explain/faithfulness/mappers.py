"""A method's settings -> the function that makes its maps."""

from typing import Any

import keras
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels
from tessera.explain import maps
from tessera.explain.faithfulness.answers import Mapper
from tessera.explain.graph import ExplainError
from tessera.explain.methods import METHODS, Method, by_name
from tessera.explain.places import Grid

FEATURES = "features"
"""The layer that methods on layers explain unless told otherwise."""


def parse(text: str) -> tuple[Method, ...]:
    """Read a list such as `gradcam,hirescam`, each method once.

    Raises:
        ExplainError: A name that is no method, or none at all.
    """
    names = [part.strip() for part in text.split(",") if part.strip()]
    known = [kind.name for kind in METHODS]
    if not names or not set(names) <= set(known):
        raise ExplainError(
            f"--methods: expected a list of {', '.join(known)}. Received: {text!r}."
        )
    return tuple(by_name(name) for name in dict.fromkeys(names))


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

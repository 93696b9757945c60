"""A method's name -> the function that makes its maps."""

from typing import Any, Literal, assert_never, get_args

import keras
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Labels
from tessera.explain import gradcam
from tessera.explain.faithfulness.answers import Mapper
from tessera.explain.graph import ExplainError

Method = Literal["grad-cam"]


def parse(text: str) -> tuple[Method, ...]:
    """Read a list such as `grad-cam,…`.

    Raises:
        ExplainError: A name that is no method, or none at all.
    """
    known: tuple[Method, ...] = get_args(Method)
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names or not set(names) <= set(known):
        raise ExplainError(
            f"--methods: expected a list of {', '.join(known)}. Received: {text!r}."
        )
    return tuple(method for method in known if method in names)


def mapper(method: Method, layer: str) -> Mapper:
    """The method at a layer; every call makes its explainer anew.

    Args:
        method: Which.
        layer: Name of the layer whose map is used.
    """
    match method:
        case "grad-cam":

            def maps(
                net: keras.Model, images: NDArray[Any], targets: Labels
            ) -> Heatmaps:
                return gradcam.explain(net, images, targets=targets, layer=layer).raw

            return maps
        case _:
            assert_never(method)


def title(method: Method) -> str:
    """What a table calls it."""
    match method:
        case "grad-cam":
            return gradcam.METHOD
        case _:
            assert_never(method)

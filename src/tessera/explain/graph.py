"""A model and a layer's name -> the symbolic tensors to cut it by, or why not.

Reads the graph of a functional or sequential Keras model and changes nothing in it.
"""

from typing import Any

import keras

SMALLEST_GRID = 4
"""Cells per side below which a map says nothing about place."""

COMFORTABLE_GRID = 8
"""Cells per side below which a map comes with a caution."""


class ExplainError(ValueError):
    """What was asked for cannot be explained; the message says what to change."""


class CoarseGrid(ExplainError):
    """The layer's map has too few cells to show a place."""


def candidates(net: keras.Model) -> dict[str, tuple[int | None, ...]]:
    """Layers that a model can be explained at, with the shape (h, w, C) of each."""
    found = {}
    for layer in net.layers:
        shape = getattr(getattr(layer, "output", None), "shape", ())
        if len(shape) == 4 and not isinstance(layer, keras.layers.InputLayer):
            found[layer.name] = tuple(shape[1:])
    return found


def ends(net: keras.Model) -> tuple[Any, Any]:
    """The symbolic pixels and logits of a model.

    Raises:
        ExplainError: There is no single pair of them.
    """
    inputs = getattr(net, "inputs", None) or []
    outputs = getattr(net, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        raise ExplainError(
            f"model {net.name!r}: expected a built functional or sequential model "
            f"with one input and one output. Received: {len(inputs)} inputs and "
            f"{len(outputs)} outputs."
        )
    return inputs[0], _before_softmax(outputs[0])


def _before_softmax(output: Any) -> Any:
    """The logits: the output itself, or what a last softmax layer is given."""
    last = output._keras_history.operation
    if isinstance(last, keras.layers.Softmax):
        return last.input
    if getattr(last, "activation", None) is not keras.activations.softmax:
        return output
    if isinstance(last, keras.layers.Activation):
        return last.input
    raise ExplainError(
        f"layer {last.name!r}: expected logits. Received: probabilities, from a "
        "softmax inside the layer, whose gradient vanishes where the model is sure. "
        "Build it without the activation and put a keras.layers.Softmax() after it."
    )


def feature_map(net: keras.Model, layer: str) -> Any:
    """The symbolic output of a layer, if it is a map of enough cells."""
    known = candidates(net)
    if layer not in known:
        shapes = "\n".join(
            f"  {name}: {' x '.join('?' if n is None else str(n) for n in shape)}"
            for name, shape in known.items()
        )
        raise ExplainError(
            "layer: expected one whose output is a map (height x width x channels), "
            f"of:\n{shapes}\nReceived: {layer!r}."
        )
    height, width, _ = known[layer]
    if height is not None and width is not None:
        check_grid(layer, height, width)
    return net.get_layer(layer).output


def connects(maps: Any, logits: Any) -> bool:
    """Whether the logits can be computed from the feature maps alone."""
    try:
        keras.Function([maps], [logits])
    except ValueError:
        return False
    return True


def check_grid(layer: str, height: int, width: int) -> None:
    """Refuse a grid on which a place cannot be told.

    Raises:
        CoarseGrid: A side has fewer than 4 cells.
    """
    if min(height, width) < SMALLEST_GRID:
        raise CoarseGrid(
            f"layer {layer!r}: expected a grid of at least {SMALLEST_GRID} x "
            f"{SMALLEST_GRID} cells, since fewer cannot show a place. Received: "
            f"{height} x {width}. Choose an earlier layer, or larger images."
        )

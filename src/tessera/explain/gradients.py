"""A model and images -> a layer's feature maps and the gradient of a logit there.

The only module of Tessera, besides `runtime`, that names a backend: Keras writes one
forward pass for all of them but has no call for a gradient.

The model's graph is cut at the layer into `features` (pixels to the layer's output)
and `head` (the layer's output to the logits). The head starts from that single
tensor, so every path from it to the logits contributes: both branches of a hybrid.
The cut reads the graph and builds nothing into it; weights are read at every call.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from tessera.arrays import Logits

FeatureMaps: TypeAlias = NDArray[np.float32]
"""A layer's output, float32 [N, h, w, C]; C counts the layer's channels."""

Directions: TypeAlias = NDArray[np.float32]
"""The score explained, as a weight on every logit, float32 [N, K].

One-hot rows explain a class; a row e_c - e_d contrasts two.
"""

SMALLEST_GRID = 4
"""Cells per side below which a map says nothing about place."""

COMFORTABLE_GRID = 8
"""Cells per side below which a map comes with a caution."""

Tensor: TypeAlias = Any  # of the backend in use
Forward: TypeAlias = Callable[[Any], tuple[Tensor, Tensor]]
Gradient: TypeAlias = Callable[[Tensor, Any, Any], Tensor]


class ExplainError(ValueError):
    """What was asked for cannot be explained; the message says what to change."""


class CoarseGrid(ExplainError):
    """The layer's map has too few cells to show a place."""


@dataclass(frozen=True, eq=False)
class Cut:
    """A model cut at one layer, compiled once; reuse it for many calls.

    It follows the model: after its weights change, so do the results.
    """

    layer: str
    complete: bool
    """Whether every path from the pixels to the logits runs through the layer."""
    classes: int
    dtype: str
    """Of the pixels the model takes."""
    forward: Forward
    """Images [B, H, W, C] -> (feature maps, logits)."""
    gradient: Gradient
    """(feature maps, images, directions) -> gradient of the score at the maps."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What one batch of images leaves at the cut."""

    features: FeatureMaps
    gradients: FeatureMaps
    """Derivative of the explained score with respect to `features`."""
    logits: Logits


def cut(net: keras.Model, layer: str) -> Cut:
    """Cut a model at a layer, without touching it.

    Args:
        net: A functional or sequential model: pixels in; logits out, or a separate
            softmax layer after the logits, which is left away. Channels last.
        layer: Name of a layer whose output is one map [N, h, w, C].

    Raises:
        ExplainError: The model or the layer cannot be explained this way.
        CoarseGrid: The map has fewer than 4x4 cells.
    """
    pixels, logits = _ends(net)
    maps = _feature_map(net, layer)
    try:
        features = keras.Function([pixels], [maps])
        head = keras.Function([maps, pixels], [logits])
    except ValueError as error:
        raise ExplainError(
            f"layer {layer!r}: not part of the model's graph."
        ) from error
    forward, gradient = _compiled(net, features, head)
    return Cut(
        layer=layer,
        complete=_connects(maps, logits),
        classes=logits.shape[-1],
        dtype=pixels.dtype,
        forward=forward,
        gradient=gradient,
    )


def batches(
    cut: Cut,
    images: NDArray[Any],
    directions: Directions | None = None,
    *,
    batch_size: int = 128,
) -> Iterator[Batch]:
    """Feature maps, gradients and logits of every image, in inference mode.

    The sum of the batch's scores is differentiated once: in inference mode no image
    sees another, so each gets its own gradient.

    Args:
        cut: The model, cut at a layer.
        images: [N, H, W, C], in the units the model takes.
        directions: What to differentiate, float [N, K]; None: the predicted class.
        batch_size: Images at a time; does not change the result beyond rounding.

    Raises:
        CoarseGrid: The map has fewer than 4x4 cells for images of this size.
    """
    size = min(batch_size, len(images))
    for start in range(0, len(images), max(size, 1)):
        part = images[start : start + size]
        pixels = _padded(part, size).astype(cut.dtype)
        maps, logits = cut.forward(pixels)
        check_grid(cut.layer, maps.shape[1], maps.shape[2])
        weights = (
            _predicted(np.asarray(logits))
            if directions is None
            else _padded(directions[start : start + size], size).astype(np.float32)
        )
        gradients = cut.gradient(maps, pixels, weights)
        yield Batch(*(np.asarray(x)[: len(part)] for x in (maps, gradients, logits)))


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


def cautions(cut: Cut, height: int, width: int) -> tuple[str, ...]:
    """What a reader of the maps must know about this cut, in plain words."""
    notes = []
    if min(height, width) < COMFORTABLE_GRID:
        notes.append(
            f"The grid of {height} x {width} cells is coarse: a bright cell says "
            "roughly where, not what shape."
        )
    if not cut.complete:
        notes.append(
            f"Some paths to the logits go around {cut.layer!r}: the map shows only "
            "the evidence that passes through it."
        )
    return tuple(notes)


def candidates(net: keras.Model) -> dict[str, tuple[int | None, ...]]:
    """Layers that a model can be explained at, with the shape (h, w, C) of each."""
    found = {}
    for layer in net.layers:
        shape = getattr(getattr(layer, "output", None), "shape", ())
        if len(shape) == 4 and not isinstance(layer, keras.layers.InputLayer):
            found[layer.name] = tuple(shape[1:])
    return found


def _ends(net: keras.Model) -> tuple[Any, Any]:
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


def _feature_map(net: keras.Model, layer: str) -> Any:
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


def _connects(maps: Any, logits: Any) -> bool:
    """Whether the logits can be computed from the feature maps alone."""
    try:
        keras.Function([maps], [logits])
    except ValueError:
        return False
    return True


def _padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Rows of zeros appended up to `size`, so that one compiled shape serves all."""
    missing = size - len(rows)
    return np.pad(rows, [(0, missing), *[(0, 0)] * (rows.ndim - 1)])


def _predicted(logits: Logits) -> Directions:
    """One-hot rows of the largest logit."""
    identity: Directions = np.eye(logits.shape[1], dtype=np.float32)
    rows: Directions = identity[logits.argmax(axis=1)]
    return rows


def _compiled(net: Any, features: Any, head: Any) -> tuple[Forward, Gradient]:
    match keras.backend.backend():
        case "tensorflow":
            return _tensorflow(features, head)
        case "jax":
            return _jax(net, features, head)
        case other:
            raise ExplainError(
                "KERAS_BACKEND: expected tensorflow or jax, whose gradients this "
                f"version knows. Received: {other!r}."
            )


def _tensorflow(features: Any, head: Any) -> tuple[Forward, Gradient]:
    import tensorflow as tf

    def forward(images: Tensor) -> tuple[Tensor, Tensor]:
        maps = tf.cast(features([images])[0], tf.float32)
        return maps, tf.cast(head([maps, images])[0], tf.float32)

    def gradient(maps: Tensor, images: Tensor, directions: Tensor) -> Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(maps)
            logits = tf.cast(head([maps, images])[0], tf.float32)
            score = tf.reduce_sum(logits * directions)
        return tape.gradient(
            score, maps, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    return tf.function(forward), tf.function(gradient)


def _jax(net: Any, features: Any, head: Any) -> tuple[Forward, Gradient]:
    import jax

    def call(function: Any, values: list[Tensor], inputs: list[Tensor]) -> Tensor:
        with keras.StatelessScope(list(zip(net.variables, values, strict=True))):
            return function(inputs)[0].astype("float32")

    def forward(values: list[Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
        maps = call(features, values, [images])
        return maps, call(head, values, [maps, images])

    def score(
        maps: Tensor, values: list[Tensor], images: Tensor, directions: Tensor
    ) -> Tensor:
        return (call(head, values, [maps, images]) * directions).sum()

    # Weights are arguments: a compiled function must not freeze those of today.
    def weights() -> list[Tensor]:
        return [variable.value for variable in net.variables]

    compiled, slope = jax.jit(forward), jax.jit(jax.grad(score))
    return (
        lambda images: compiled(weights(), images),
        lambda maps, images, directions: slope(maps, weights(), images, directions),
    )

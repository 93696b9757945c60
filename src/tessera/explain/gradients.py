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
from tessera.explain import graph
from tessera.explain.graph import ExplainError

FeatureMaps: TypeAlias = NDArray[np.float32]
"""A layer's output, float32 [N, h, w, C]; C counts the layer's channels."""

Directions: TypeAlias = NDArray[np.float32]
"""The score explained, as a weight on every logit, float32 [N, K].

One-hot rows explain a class; a row e_c - e_d contrasts two.
"""

Tensor: TypeAlias = Any  # of the backend in use
Forward: TypeAlias = Callable[[Any], tuple[Tensor, Tensor]]
Gradient: TypeAlias = Callable[[Tensor, Any, Any], Tensor]


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
    pixels, logits = graph.ends(net)
    maps = graph.feature_map(net, layer)
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
        complete=graph.connects(maps, logits),
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
        graph.check_grid(cut.layer, maps.shape[1], maps.shape[2])
        weights = (
            _predicted(np.asarray(logits))
            if directions is None
            else _padded(directions[start : start + size], size).astype(np.float32)
        )
        gradients = cut.gradient(maps, pixels, weights)
        yield Batch(*(np.asarray(x)[: len(part)] for x in (maps, gradients, logits)))


def cautions(cut: Cut, height: int, width: int) -> tuple[str, ...]:
    """What a reader of the maps must know about this cut, in plain words."""
    notes = []
    if min(height, width) < graph.COMFORTABLE_GRID:
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

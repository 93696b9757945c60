"""A model and images -> a layer's feature maps and the gradient of a score there.

The only module of `explain` that names a backend: Keras writes one forward pass for
all of them but has no call for a gradient. All that differs between backends is in
`compiled` and `differentiated`.

The model is cut at the layer. What follows starts from that single tensor, so every
path from it to the logits contributes: both branches of a hybrid.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tessera.arrays import Logits
from tessera.explain import graph as graphs
from tessera.explain import places, reading, spread
from tessera.explain.graph import ExplainError, Graph, Tensor
from tessera.explain.places import Grid, Place

FeatureMaps: TypeAlias = NDArray[np.float32]
"""A layer's output, float32 [N, h, w, C]; C counts the layer's channels."""

Directions: TypeAlias = NDArray[np.float32]
"""The score explained, as a weight on every logit, float32 [N, K].

One-hot rows explain a class; a row e_c - e_d contrasts two.
"""

Function: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Cut:
    """A model cut at one layer, for many calls.

    It follows the model: after its weights change, so do the results.
    """

    graph: Graph
    place: Place
    layer: str
    complete: bool
    """Whether every path from the pixels to the logits runs through the layer."""
    classes: int
    dtype: str
    """Of the pixels the model takes."""
    explain: Function
    """(images [B, H, W, C], directions [B, K], weight of the predicted class) ->
    the layer's output, the score's gradient there, logits."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What one batch of images leaves at the cut."""

    features: FeatureMaps
    gradients: FeatureMaps
    """Derivative of the explained score with respect to `features`."""
    logits: Logits


def cut(
    net: keras.Model,
    layer: str | None,
    *,
    grid: Grid | None = None,
    leading: int = 0,
    once: bool = False,
) -> Cut:
    """Cut a model at a layer, without touching it.

    Args:
        net: A functional or sequential model: pixels in; logits out, or a softmax of
            them, which is left away. Channels last.
        layer: Name of a layer whose output is a map [N, h, w, C] or tokens [N, T, D];
            None: the last map that all paths share.
        grid: (h, w) of the tokens, row by row.
        leading: Tokens before the first cell.
        once: Whether it is for one batch, see `compiled`.

    Raises:
        ExplainError: The model or the layer cannot be explained this way.
        CoarseGrid: The map has fewer than 4x4 cells.
    """
    graph = reading.read(net)
    place = places.find(graph, layer, grid=grid, leading=leading)
    return Cut(
        graph=graph,
        place=place,
        layer=place.path,
        complete=graphs.connects(graph, [place.key], [graph.logits]),
        classes=graph.classes,
        dtype=graph.dtype,
        explain=compiled(net, _explanation(graph, place), once=once),
    )


def batches(
    cut: Cut,
    images: NDArray[Any],
    directions: Directions | None = None,
    *,
    predicted: float | None = None,
    batch_size: int = 128,
) -> Iterator[Batch]:
    """Feature maps, gradients and logits of every image, in inference mode.

    The sum of the batch's scores is differentiated once: in inference mode no image
    sees another, so each gets its own gradient.

    Args:
        cut: The model, cut at a layer.
        images: [N, H, W, C], in the units the model takes.
        directions: What to differentiate, float [N, K]; None: the predicted class.
        predicted: Weight of each image's predicted class in addition to `directions`;
            None: 1 without directions, else 0.
        batch_size: Images at a time; does not change the result beyond rounding.

    Raises:
        ExplainError: The model takes images of another size.
        CoarseGrid: The map has fewer than 4x4 cells for images of this size.
    """
    if predicted is None:
        predicted = 1.0 if directions is None else 0.0
    if directions is None:
        directions = np.zeros((len(images), cut.classes), np.float32)
    weight = np.float32(predicted)
    graphs.check_images(cut.graph, images)
    for pixels, rows, size in portions(cut.dtype, images, directions, batch_size):
        maps, slopes, logits = cut.explain(pixels, rows, weight)
        features = cut.place.as_maps(np.asarray(maps)[:size])
        places.check_grid(cut.layer, *features.shape[1:3])
        gradients = cut.place.as_maps(np.asarray(slopes)[:size])
        yield Batch(features, gradients, np.asarray(logits)[:size])


def portions(
    dtype: str,
    images: NDArray[Any],
    directions: Directions | None,
    batch_size: int,
) -> Iterator[tuple[NDArray[Any], Directions, int]]:
    """Images and directions in portions of one shape, and how many rows count.

    Directions of no width stand for None.
    """
    if directions is None:
        directions = np.zeros((len(images), 0), np.float32)
    size = max(min(batch_size, len(images)), 1)
    for start in range(0, len(images), size):
        part = images[start : start + size]
        rows = directions[start : start + size]
        pixels = padded(part, size).astype(dtype)
        yield pixels, padded(rows, size).astype(np.float32), len(part)


def padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Rows of zeros appended up to `size`, so that one compiled shape serves all."""
    missing = size - len(rows)
    return np.pad(rows, [(0, missing), *[(0, 0)] * (rows.ndim - 1)])


def cautions(cut: Cut, height: int, width: int) -> tuple[str, ...]:
    """What a reader of the maps must know about this cut, in plain words."""
    notes = []
    if min(height, width) < places.COMFORTABLE_GRID:
        notes.append(
            f"The grid of {height} x {width} cells is coarse: a bright cell says "
            "roughly where, not what shape."
        )
    if not cut.complete:
        notes.append(
            f"Some paths to the logits go around {cut.layer!r}: the map shows only "
            "the evidence that passes through it."
        )
    pixels, cells = spread.astray(cut.graph, cut.place.key)
    if cells > places.ASTRAY:
        notes.append(
            f"The layers before {cut.layer!r} cut or pad the image's edges: near the "
            f"border a cell is drawn up to {pixels:.0f} pixels from the middle of what "
            "it sees."
        )
    return tuple(notes)


def score(logits: Tensor, directions: Tensor, predicted: Tensor) -> Tensor:
    """What is explained of each image: its logits in the given direction, [B].

    Args:
        logits: [B, K].
        directions: [B, K].
        predicted: Weight of the predicted class beside them, a scalar.
    """
    answers = ops.one_hot(ops.argmax(logits, axis=-1), logits.shape[-1])
    return ops.sum(logits * (directions + predicted * answers), axis=-1)


def _explanation(graph: Graph, place: Place) -> Function:
    def explanation(images: Tensor, directions: Tensor, predicted: Tensor) -> Any:
        (values,) = graphs.run(graph, {graph.pixels: images}, [place.key])

        def after(maps: Tensor) -> tuple[Tensor, Tensor]:
            given = {place.key: ops.cast(maps, values.dtype), graph.pixels: images}
            logits = ops.cast(graphs.run(graph, given, [graph.logits])[0], "float32")
            return ops.sum(score(logits, directions, predicted)), logits

        maps = ops.cast(values, "float32")
        slope, logits = differentiated(after)(maps)
        return maps, slope, logits

    return explanation


def differentiated(function: Function) -> Function:
    """A function of (x, ...) -> the gradient of its score at x, and what else it gives.

    Args:
        function: Gives a scalar score, and further results that are passed on. Written
            in Keras operations.

    Raises:
        ExplainError: Keras runs on a backend whose gradients are not known here.
    """
    match keras.backend.backend():
        case "tensorflow":
            return _tape(function)
        case "jax":
            import jax

            gradient: Function = jax.grad(function, has_aux=True)
            return gradient
        case other:
            raise _unknown(other)


def compiled(net: keras.Model, function: Function, *, once: bool = False) -> Function:
    """Compile a function of tensors that reads the model's weights.

    Args:
        net: The model; the compiled function follows its weights.
        function: Tensors or arrays in, tensors out, written in Keras operations.
        once: Whether it is for one batch: tracing takes TensorFlow longer than that.
    """
    match keras.backend.backend():
        case "tensorflow" if once:
            return function
        case "tensorflow":
            import tensorflow as tf

            program: Function = tf.function(function, autograph=False)
            return program
        case "jax":
            return _jitted(net, function)
        case other:
            raise _unknown(other)


def _unknown(backend: str) -> ExplainError:
    return ExplainError(
        "KERAS_BACKEND: expected tensorflow or jax, whose gradients this version "
        f"knows. Received: {backend!r}."
    )


def _tape(function: Function) -> Function:
    import tensorflow as tf

    def gradient(x: Tensor, *more: Any) -> tuple[Tensor, Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            value, other = function(x, *more)
        slope = tape.gradient(
            value, x, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return slope, other

    return gradient


def _jitted(net: keras.Model, function: Function) -> Function:
    import jax

    # Weights are arguments: a compiled function must not freeze those of today.
    def pure(values: list[Tensor], *arguments: Any) -> Any:
        with keras.StatelessScope(list(zip(net.variables, values, strict=True))):
            return function(*arguments)

    program = jax.jit(pure)
    return lambda *arguments: program(
        [variable.value for variable in net.variables], *arguments
    )

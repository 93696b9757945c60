"""A hybrid's map split by branch: through which one the gradient reaches the features.

Both branches start at one shared map A and end in the vectors u and v that are fused.
The chain rule splits the gradient of any score exactly,

    dy/dA = (du/dA)' dy/du + (dv/dA)' dy/dv,

however non-linear the branches and the head are, because u and v are taken where they
are. Maps that are linear in the gradient (Grad-CAM, HiResCAM) add up the same way.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tessera.arrays import Heatmaps
from tessera.explain import graph as graphs
from tessera.explain import maps, places, reading
from tessera.explain.explanations import Explanations
from tessera.explain.gradients import (
    Function,
    compiled,
    cut,
    differentiated,
    portions,
    score,
)
from tessera.explain.graph import ExplainError, Graph, Key, Step, Tensor
from tessera.explain.methods import GradCam, HiResCam
from tessera.explain.places import Place
from tessera.explain.targets import Target, question

FUSION = "fusion"
"""The layer of Tessera's hybrid that puts the branches' vectors side by side."""


@dataclass(frozen=True, eq=False)
class Fork:
    """Where a model's two branches part and meet."""

    graph: Graph
    shared: Place
    names: tuple[str, str]
    """Of the layers that give u and v."""
    ends: tuple[Key, Key]
    """The values u and v, [B, D] each."""


@dataclass(frozen=True, eq=False)
class BranchMaps:
    """Signed maps of both branches, and of the whole."""

    names: tuple[str, str]
    raw: NDArray[np.float32]
    """float32 [2, N, h, w]; their sum is `total.raw`."""
    total: Explanations
    residuals: NDArray[np.float32]
    """Largest difference between the sum and the whole, computed independently, as a
    share of the whole's largest absolute cell, float32 [N]; 0 where both are 0."""


def fork(
    net: keras.Model, *, layer: str | None = "features", fusion: str = FUSION
) -> Fork:
    """Find the shared map and the ends of the two branches.

    Args:
        net: A model with two branches.
        layer: The shared map; None: the last that all paths share.
        fusion: The layer that is given u and v, such as a Concatenate.

    Raises:
        ExplainError: No such layers, not two branches, or a path around them.
        CoarseGrid: The shared map has fewer than 4x4 cells.
    """
    graph = reading.read(net)
    if len(places.candidates(graph).get(layer or "", ())) == 2:
        raise ExplainError(
            "layer: expected a map (height x width x channels) that both branches "
            f"share. Received: {layer!r}, whose output is tokens."
        )
    shared = places.find(graph, layer)
    meeting = _meeting(graph, fusion)
    first, second = meeting.inputs
    if not graphs.connects(graph, (first, second), [graph.logits]):
        raise ExplainError(
            f"fusion: expected all paths to the logits to run through {fusion!r}. "
            "Received: some go around it, so the branches would not add up."
        )
    makers = (graphs.producer(graph, first), graphs.producer(graph, second))
    names = tuple("pixels" if maker is None else maker.path for maker in makers)
    return Fork(graph, shared, (names[0], names[1]), (first, second))


def explain(
    net: keras.Model,
    images: NDArray[Any],
    *,
    method: GradCam | HiResCam | None = None,
    target: Target = "predicted",
    layer: str | None = "features",
    fusion: str = FUSION,
    batch_size: int = 128,
) -> BranchMaps:
    """Split every image's map by branch; the model is left as it is.

    Args:
        net: A model with two branches from one map, such as Tessera's hybrid.
        images: [N, H, W, C], in the units the model takes; at least one.
        method: One whose map is linear in the gradient; None: Grad-CAM.
        target: The class to explain, see `targets`.
        layer: The map that both branches share.
        fusion: The layer that is given both branches' vectors.
        batch_size: Images at a time.

    Raises:
        ExplainError: The model has no two such branches, or see `maps.compute`.
    """
    method = method or GradCam()
    parts = fork(net, layer=layer, fusion=fusion)
    once = len(images) <= batch_size
    whole = cut(net, parts.shared.path, once=once)
    total = maps.compute(
        whole, images, method=method, target=target, batch_size=batch_size
    )
    asked = question(target, len(images), parts.graph.classes)
    program = compiled(net, _split(parts), once=once)
    draw = maps.layer_maps(method)
    drawn: tuple[list[Heatmaps], list[Heatmaps]] = ([], [])
    weight = np.float32(asked.predicted)
    dtype = parts.graph.dtype
    for pixels, rows, size in portions(dtype, images, asked.directions, batch_size):
        values, *slopes = program(pixels, rows, weight)
        features = np.asarray(values)[:size]
        for of_branch, slope in zip(drawn, slopes, strict=True):
            of_branch.append(draw(features, np.asarray(slope)[:size]))
    raw = np.stack([np.concatenate(of_branch) for of_branch in drawn])
    return BranchMaps(parts.names, raw, total, residuals(raw, total.raw))


def residuals(raw: NDArray[np.float32], total: Heatmaps) -> NDArray[np.float32]:
    """How far the branches' sum is from the whole, as a share of its largest cell."""
    difference = np.abs(raw.sum(axis=0) - total).max(axis=(1, 2))
    scale = np.abs(total).max(axis=(1, 2))
    shares: NDArray[np.float32] = np.divide(
        difference, scale, out=difference.copy(), where=scale > 0
    )
    return shares


def _meeting(graph: Graph, fusion: str) -> Step:
    """The step at which exactly two values meet."""
    step = next((s for s in graph.steps if s.path == fusion), None)
    if step is not None and len(step.inputs) == 2:
        return step
    known = ", ".join(s.path for s in graph.steps if len(s.inputs) == 2) or "none"
    raise ExplainError(
        "fusion: expected a layer that is given two branches, such as a Concatenate; "
        f"of this model: {known}. Received: {fusion!r}"
        + ("." if step is None else f", which is given {len(step.inputs)}.")
    )


def _split(parts: Fork) -> Function:
    """(images, directions, predicted) -> A, and the gradient there by each branch."""
    graph, shared = parts.graph, parts.shared

    def split(images: Tensor, directions: Tensor, predicted: Tensor) -> Any:
        (values,) = graphs.run(graph, {graph.pixels: images}, [shared.key])

        def through(branch: int) -> Function:
            def after(features: Tensor) -> tuple[Tensor, Tensor]:
                given = {
                    shared.key: ops.cast(features, values.dtype),
                    graph.pixels: images,
                }
                vectors = graphs.run(graph, given, parts.ends)
                # The other branch is held where it is, so nothing flows through it.
                vectors[1 - branch] = ops.stop_gradient(vectors[1 - branch])
                ends = dict(zip(parts.ends, vectors, strict=True))
                (logits,) = graphs.run(graph, ends, [graph.logits])
                logits = ops.cast(logits, "float32")
                return ops.sum(score(logits, directions, predicted)), logits

            return after

        features = ops.cast(values, "float32")
        first, second = (differentiated(through(i))(features)[0] for i in range(2))
        return features, first, second

    return split

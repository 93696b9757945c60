"""How much of every logit came through each of a hybrid's two branches.

The head after the fusion may be non-linear (Tessera's is: dense, ReLU, dense), so no
sum of terms is "the" share of a branch. The Shapley value over two players is the one
division that is symmetric and sums exactly (Shapley 1953; as explanation: Strumbelj and
Kononenko 2014). With reference vectors u0, v0 of the branches and y the logits,

    phi_u = 1/2 [(y(u, v) - y(u0, v)) + (y(u, v0) - y(u0, v0))],   phi_v likewise,
    phi_u + phi_v = y(u, v) - y(u0, v0).

Where the head is affine, the references 0 give the ledger: phi_u = W_u u, phi_v = W_v v
and y(0, 0) = the bias.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tessera.arrays import Labels
from tessera.explain import affine
from tessera.explain import graph as graphs
from tessera.explain.branches import FUSION, Fork, fork
from tessera.explain.gradients import Function, compiled, portions
from tessera.explain.graph import ExplainError, Tensor
from tessera.phrases import in_row

Reference: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Vectors u0 and v0 that stand for a branch that says nothing, float32 [D] each."""

LEDGER = "exact ledger (the head after the fusion is affine)"
SHAPLEY = "Shapley split (the head after the fusion is non-linear)"


@dataclass(frozen=True, eq=False)
class Shares:
    """Every logit as a base and two parts."""

    names: tuple[str, str]
    """Of the branches."""
    kind: str
    """`LEDGER` or `SHAPLEY`."""
    parts: NDArray[np.float64]
    """What each branch adds, in logits, float64 [2, N, K]."""
    base: NDArray[np.float64]
    """Logits of the references, y(u0, v0), float64 [K]."""
    logits: NDArray[np.float32]
    """float32 [N, K]; base plus both parts."""
    residuals: NDArray[np.float64]
    """Largest difference between the model's own logits and base plus parts, as a
    share of the largest absolute logit, float64 [N]."""


@dataclass(frozen=True)
class ClassShares:
    """What the branches add to a class's own logit, on average over its images."""

    name: str
    images: int
    first: float
    """Of the first branch, in logits, less its mean over all classes."""
    second: float

    @property
    def share(self) -> float | None:
        """The second branch's share; None unless both speak for the class."""
        if min(self.first, self.second) < 0 or self.first + self.second == 0:
            return None
        return self.second / (self.first + self.second)


@dataclass(frozen=True)
class Change:
    """One class's shares in two runs, such as before and after a remedy."""

    before: ClassShares
    after: ClassShares
    reduced: bool
    """Whether the class is a minority: its training images were made fewer."""


def split(
    net: keras.Model,
    images: NDArray[Any],
    *,
    reference: Reference | NDArray[Any] | None = None,
    layer: str | None = "features",
    fusion: str = FUSION,
    batch_size: int = 128,
) -> Shares:
    """Divide the logits of every image between the two branches.

    Args:
        net: A model with two branches from one map.
        images: [N, H, W, C], in the units the model takes; at least one.
        reference: The vectors (u0, v0) of a branch that says nothing; or images
            [M, H, W, C], such as validation images, over which they are averaged;
            None: zeros, for an affine head only.
        layer: The map that both branches share.
        fusion: The layer that is given both branches' vectors.
        batch_size: Images at a time.

    Raises:
        ExplainError: The model has no two such branches; a non-linear head without a
            reference; no images; vectors of another length.
    """
    if len(images) == 0:
        raise ExplainError("images: expected at least one. Received: none.")
    parts = fork(net, layer=layer, fusion=fusion)
    linear = affine.affine(parts.graph, parts.ends)
    if reference is None and not linear:
        raise ExplainError(
            "reference: expected images, such as the validation set, or two vectors, "
            f"since the head after {fusion!r} is non-linear, where a share needs "
            "something to be compared with. Received: none."
        )
    given = reference if isinstance(reference, np.ndarray) else images
    once = max(len(images), len(given)) <= batch_size
    vectors = compiled(net, _vectors(parts), once=once)
    first, second, logits = _everywhere(vectors, parts, images, batch_size)
    if isinstance(reference, np.ndarray):
        reference = means(vectors, parts, reference, batch_size)
    zeros = (np.zeros_like(first[0]), np.zeros_like(second[0]))
    u0, v0 = reference if reference is not None else zeros
    if (u0.shape, v0.shape) != (first.shape[1:], second.shape[1:]):
        raise ExplainError(
            f"reference: expected vectors of {first.shape[1:]} and {second.shape[1:]}. "
            f"Received: {u0.shape} and {v0.shape}."
        )
    head = compiled(net, _head(parts), once=once)
    table = four_answers(head, first, second, (u0, v0), batch_size)
    divided, base = shapley(*table)
    rebuilt = base + divided.sum(axis=0)
    scale = np.maximum(np.abs(logits).max(axis=1), np.finfo(np.float32).tiny)
    return Shares(
        names=parts.names,
        kind=LEDGER if linear else SHAPLEY,
        parts=divided,
        base=base,
        logits=logits,
        residuals=np.abs(rebuilt - logits).max(axis=1) / scale,
    )


def shapley(
    both: NDArray[Any], first: NDArray[Any], second: NDArray[Any], none: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The Shapley values of two players (Shapley 1953).

    Args:
        both: y(u, v), [N, K].
        first: y(u, v0), [N, K].
        second: y(u0, v), [N, K].
        none: y(u0, v0), [K].

    Returns:
        Values float64 [2, N, K], and y(u0, v0) float64 [K].
    """
    both, first, second, none = (
        np.asarray(y, np.float64) for y in (both, first, second, none)
    )
    values = [(both - second + first - none) / 2, (both - first + second - none) / 2]
    return np.stack(values), none


def by_class(
    shares: Shares, labels: Labels, class_names: Sequence[str]
) -> tuple[ClassShares, ...]:
    """What the branches add to each class's own logit, over the images of that class.

    Logits are defined up to a number that all classes share, so from each part its mean
    over the classes is taken away.

    Args:
        shares: Of N images.
        labels: Their true classes, int [N].
        class_names: One per class.

    Returns:
        One row for each class that has images.
    """
    own = shares.parts - shares.parts.mean(axis=2, keepdims=True)
    rows = []
    for k in np.unique(labels):
        first, second = own[:, labels == k, k].mean(axis=1)
        count = int((labels == k).sum())
        rows.append(ClassShares(class_names[k], count, float(first), float(second)))
    return tuple(rows)


def compare(
    before: Sequence[ClassShares], after: Sequence[ClassShares], reduced: Sequence[str]
) -> tuple[Change, ...]:
    """Put two runs' shares side by side, minority classes first.

    Args:
        before: From `by_class`, such as of a run without a remedy.
        after: Of the same classes, such as of a run with one.
        reduced: Names of the minority classes.

    Raises:
        ExplainError: The runs have other classes.
    """
    names = [row.name for row in before]
    if names != [row.name for row in after]:
        raise ExplainError(
            f"runs: expected the same classes, {in_row(names)}. Received: "
            f"{in_row(row.name for row in after)}."
        )
    changes = [
        Change(one, other, one.name in reduced)
        for one, other in zip(before, after, strict=True)
    ]
    return tuple(sorted(changes, key=lambda change: not change.reduced))


def means(
    vectors: Function, parts: Fork, images: NDArray[Any], batch_size: int = 128
) -> Reference:
    """The branches' mean vectors over images, float32 [D] each."""
    first, second, _ = _everywhere(vectors, parts, images, batch_size)
    return first.mean(axis=0), second.mean(axis=0)


def four_answers(
    head: Function,
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    reference: Reference,
    batch_size: int,
) -> list[NDArray[np.float32]]:
    """y(u, v), y(u, v0), y(u0, v) of every image and y(u0, v0) of none."""
    u0, v0 = (np.broadcast_to(r, (batch_size, *r.shape)) for r in reference)
    answers: list[list[NDArray[np.float32]]] = [[], [], []]
    for start in range(0, len(first), batch_size):
        u, v = first[start : start + batch_size], second[start : start + batch_size]
        n = len(u)
        for i, pair in enumerate(((u, v), (u, v0[:n]), (u0[:n], v))):
            answers[i].append(np.asarray(head(*pair)))
    none = np.asarray(head(u0[:1], v0[:1]))[0]
    return [*(np.concatenate(a) for a in answers), none]


def _everywhere(
    vectors: Function, parts: Fork, images: NDArray[Any], batch_size: int
) -> list[NDArray[np.float32]]:
    """u, v and the logits of every image."""
    dtype = parts.graph.dtype
    found = [
        [np.asarray(value)[:size] for value in vectors(pixels)]
        for pixels, _, size in portions(dtype, images, None, batch_size)
    ]
    return [np.concatenate(rows) for rows in zip(*found, strict=True)]


def _vectors(parts: Fork) -> Function:
    graph = parts.graph

    def vectors(images: Tensor) -> list[Tensor]:
        wanted = [*parts.ends, graph.logits]
        values = graphs.run(graph, {graph.pixels: images}, wanted)
        return [ops.cast(value, "float32") for value in values]

    return vectors


def _head(parts: Fork) -> Function:
    def head(first: Tensor, second: Tensor) -> Tensor:
        ends = dict(zip(parts.ends, (first, second), strict=True))
        (logits,) = graphs.run(parts.graph, ends, [parts.graph.logits])
        return ops.cast(logits, "float32")

    return head

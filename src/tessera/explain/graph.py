"""A model's calls in order, as `reading` finds them, to run any part of them.

Weights are read at every run, and nothing is built into the model.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import numpy as np

Key: TypeAlias = tuple[str, int]
"""One value of a run: the scope it was made in, and the identity of its symbol."""

Tensor: TypeAlias = Any  # of the backend in use


class ExplainError(ValueError):
    """What was asked for cannot be explained; the message says what to change."""


class CoarseGrid(ExplainError):
    """The layer's map has too few cells to show a place."""


@dataclass(frozen=True, eq=False)
class Step:
    """One call of one layer."""

    path: str
    """The layer's name; inside nested models after theirs, as in `backbone/conv5`."""
    operation: Any
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    shapes: tuple[tuple[int | None, ...], ...]
    """Of the outputs, without the batch."""
    call: Callable[..., list[Tensor]]
    """Inputs to outputs; an attention layer's takes further arguments by name."""


@dataclass(frozen=True, eq=False)
class Graph:
    """A model's calls, each after those whose results it needs."""

    net: keras.Model
    steps: tuple[Step, ...]
    pixels: Key
    logits: Key
    classes: int
    shape: tuple[int | None, ...]
    """Of one image, (H, W, C)."""
    dtype: str
    """Of the pixels the model takes."""
    sigmoid: bool = False
    """Whether a sigmoid of the logits was left away: every class stands alone."""


def check_images(graph: Graph, images: Any) -> None:
    """Refuse images of another size than the model takes, or that are no numbers.

    Raises:
        ExplainError: Height, width or channels differ; a pixel is NaN or infinite.
    """
    found = tuple(images.shape[1:])
    fits = len(found) == len(graph.shape) and all(
        side in (None, given) for side, given in zip(graph.shape, found, strict=True)
    )
    if not fits:
        taken = [side or "any" for side in graph.shape]
        raise ExplainError(
            f"images: expected what {graph.net.name!r} takes, [N, "
            f"{', '.join(map(str, taken))}]. Received: {list(images.shape)}."
        )
    broken = np.flatnonzero(~np.isfinite(images).all(axis=(1, 2, 3)))
    if len(broken):
        raise ExplainError(
            f"images: expected finite numbers. Received: NaN or infinity in "
            f"{len(broken)} of {len(images)}, the first at {broken[0]}."
        )


def run(
    graph: Graph, given: Mapping[Key, Tensor], wanted: Sequence[Key]
) -> list[Tensor]:
    """Compute values from others, in inference mode, with Keras operations alone.

    Args:
        graph: The model.
        given: Values to start from; what leads to them is not run.
        wanted: The values to compute.
    """
    values = dict(given)
    for step in needed(graph, given, wanted)[0]:
        results = step.call([values[key] for key in step.inputs])
        values.update(zip(step.outputs, results, strict=True))
    return [values[key] for key in wanted]


def needed(
    graph: Graph, given: Iterable[Key], wanted: Iterable[Key]
) -> tuple[list[Step], set[Key]]:
    """The steps that lead from given values to wanted ones, and what else they need.

    Returns:
        Steps in order, and values that neither are given nor come from a step: the
        model's pixels, where some path does not run through the given values.
    """
    known = set(given)
    open_ends = set(wanted) - known
    steps = []
    for step in reversed(graph.steps):
        if open_ends.intersection(step.outputs):
            steps.append(step)
            open_ends.difference_update(step.outputs)
            open_ends.update(set(step.inputs) - known)
    return steps[::-1], open_ends


def connects(graph: Graph, given: Iterable[Key], wanted: Iterable[Key]) -> bool:
    """Whether the wanted values follow from the given ones alone."""
    return not needed(graph, given, wanted)[1]


def producer(graph: Graph, key: Key) -> Step | None:
    """The step that makes a value; None for the pixels."""
    return next((step for step in graph.steps if key in step.outputs), None)

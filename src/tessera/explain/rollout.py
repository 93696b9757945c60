"""Attention rollout: through which tokens the blocks' attention reaches the input."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tessera.arrays import Heatmaps, Logits
from tessera.explain import graph as graphs
from tessera.explain import places, reading
from tessera.explain.gradients import compiled, portions
from tessera.explain.graph import ExplainError, Graph, Step, Tensor
from tessera.explain.methods import AttentionRollout
from tessera.explain.places import Grid
from tessera.models.attention import Attention


def explain(
    net: keras.Model,
    images: NDArray[Any],
    settings: AttentionRollout,
    *,
    grid: Grid | None,
    leading: int,
    batch_size: int,
) -> tuple[Heatmaps, Logits]:
    """Relevance of every token position, and the logits.

    Args:
        net: A model with self-attention: Tessera's own `Attention` or
            `keras.layers.MultiHeadAttention`.
        images: [N, H, W, C], in the units that the model takes.
        settings: How the classifier reads the tokens.
        grid: (h, w) of the tokens, row by row; never guessed.
        leading: Tokens before the first cell.
        batch_size: Images at a time.

    Returns:
        Maps float32 [N, h, w], not negative, and logits float32 [N, K].

    Raises:
        ExplainError: No self-attention, no grid, or one that does not fit.
        CoarseGrid: The grid has fewer than 4x4 cells.
    """
    graph = reading.read(net)
    graphs.check_images(graph, images)
    blocks = self_attentions(graph)
    grid = places.stated(blocks[0], grid, leading)
    once = len(images) <= batch_size
    reading_out = _attentions(graph, blocks, _readout(graph, settings))
    program = compiled(net, reading_out, once=once)
    maps, logits = [], []
    for pixels, _, size in portions(graph.dtype, images, None, batch_size):
        weights, readout, scores = program(pixels)
        flow = rollout([np.asarray(w)[:size] for w in weights])
        shares = read(flow, settings, [np.asarray(r)[:size] for r in readout])
        maps.append(shares[:, leading:].reshape(len(flow), *grid))
        logits.append(np.asarray(scores)[:size])
    return np.concatenate(maps), np.concatenate(logits)


def rollout(attentions: list[NDArray[Any]]) -> NDArray[np.float64]:
    """Abnar and Zuidema 2020, arXiv:2005.00928, equation 1.

    Args:
        attentions: Of every block, first to last, [N, heads, T, T]; rows sum to one.

    Returns:
        What each last token holds of each first one, float64 [N, T, T]; rows sum to
        one.
    """
    tokens = attentions[0].shape[-1]
    flow: NDArray[np.float64] = np.eye(tokens)[None]
    for weights in attentions:
        mixed = 0.5 * weights.astype(np.float64).mean(axis=1) + 0.5 * np.eye(tokens)
        flow = mixed / mixed.sum(axis=-1, keepdims=True) @ flow
    return flow


def read(
    flow: NDArray[np.float64], settings: AttentionRollout, readout: list[NDArray[Any]]
) -> NDArray[np.float32]:
    """Relevance of each first token to what the classifier reads, float32 [N, T]."""
    if readout:
        (weights,) = readout
        shares = np.einsum("nt,ntj->nj", weights.reshape(len(flow), -1), flow)
    elif settings.readout == "first":
        shares = flow[:, 0]
    else:
        shares = flow.mean(axis=1)
    relevance: NDArray[np.float32] = shares.astype(np.float32)
    return relevance


def self_attentions(graph: Graph) -> list[Step]:
    """The self-attention calls of a model, first to last.

    Raises:
        ExplainError: There is none, or attention that is not among the same tokens.
    """
    kinds = Attention | keras.layers.MultiHeadAttention
    blocks = [step for step in graph.steps if isinstance(step.operation, kinds)]
    if not blocks:
        raise ExplainError(
            "attention rollout: expected a model with self-attention, from "
            "tessera.models.attention.Attention or keras.layers.MultiHeadAttention. "
            f"Received: {graph.net.name!r} without any. Choose another method."
        )
    for step in blocks:
        if len(set(step.inputs)) > 1:
            raise ExplainError(
                f"attention rollout: expected {step.path!r} to attend among one set of "
                "tokens, with a fixed mask or none. Received: another query, key or "
                "value, or a mask that the model computes. Choose another method."
            )
    return blocks


def _readout(graph: Graph, settings: AttentionRollout) -> list[graphs.Key]:
    """The value that holds the tokens' weights, where the settings name a layer."""
    if settings.readout in ("mean", "first"):
        return []
    for step in graph.steps:
        if step.path == settings.readout and step.shapes[0][1:] in ((), (1,)):
            return [step.outputs[0]]
    raise ExplainError(
        "readout: expected 'mean', 'first', or the name of a layer that gives each "
        f"token's weight, [N, T, 1]. Received: {settings.readout!r}."
    )


def _attentions(graph: Graph, blocks: list[Step], readout: list[graphs.Key]) -> Any:
    scored = {step: _scored(step, number) for number, step in enumerate(blocks)}
    graph = replace(graph, steps=tuple(scored.get(s, s) for s in graph.steps))
    wanted = [step.outputs[-1] for step in scored.values()]

    def attentions(images: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
        values = graphs.run(
            graph, {graph.pixels: images}, [*wanted, *readout, graph.logits]
        )
        weights = [ops.cast(value, "float32") for value in values[: len(blocks)]]
        *others, logits = values[len(blocks) :]
        return weights, others, ops.cast(logits, "float32")

    return attentions


def _scored(step: Step, number: int) -> Step:
    """A call that also gives its attention [B, heads, T, T], as the last output.

    It is the model's own call, with its masks: Keras takes the mask of a layer before
    from the values when they are used, so that a second call would not see it.
    """

    def call(values: list[Tensor]) -> list[Tensor]:
        if isinstance(step.operation, Attention):
            return [*step.call(values), step.operation.attention(values[0])]
        results = step.call(values, return_attention_scores=True)
        return [*results[: len(step.outputs)], results[-1]]

    return replace(step, outputs=(*step.outputs, ("attention", number)), call=call)

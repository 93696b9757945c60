"""Whole epochs of several seeds as one JAX program, on images that stay on the device.

Several seeds are one program by `vmap`: every array has a leading axis [S] of seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import jax
import keras
import numpy as np
from jax import numpy as jnp
from keras import ops
from numpy.typing import NDArray

from tessera.arrays import Images, Logits
from tessera.models import logits
from tessera.training import device_batches, predict, products, steps
from tessera.training.device_batches import Resident, Table
from tessera.training.steps import Task, Tensor, Totals

State: TypeAlias = tuple[list[Tensor], list[Tensor], list[Tensor]]
"""Values of the trained variables, the model's others and the optimizer's, [S, ...]."""

Pending: TypeAlias = Callable[[], list[Totals]]
"""Waits for the device, which is at work until then, and gives each seed's totals."""


def stacked(tasks: Sequence[Task]) -> State:
    """The present values of one task for every seed; the models are alike."""
    groups = [steps.pure(task)[1] for task in tasks]
    trained, others, memory = (
        [jnp.stack([v.value for v in same]) for same in zip(*group, strict=True)]
        for group in zip(*groups, strict=True)
    )
    return trained, others, memory


def trainer(
    task: Task, images: Resident, batch_size: int
) -> Callable[[State, Sequence[Table]], tuple[State, Pending]]:
    """Compile an epoch of every seed.

    Args:
        task: One seed's; the others differ in their values alone.
        images: The split that all seeds draw from.
        batch_size: Images of a step; the last step of an epoch may have fewer.

    Returns:
        (state, each seed's table of the epoch) -> the state after the epoch, and each
        seed's totals to come. The state given is used up.
    """
    step, _ = steps.pure(replace(task, net=products.rewritten(task.net)))

    def epoch(state: State, images: Resident, drawn: Table) -> Any:
        def body(state: State, rows: Table) -> Any:
            return step(state, *device_batches.made(images, rows))

        return jax.lax.scan(body, state, drawn)

    together = jax.vmap(epoch, in_axes=(0, None, 0))
    program = jax.jit(together, donate_argnums=0)

    def train(state: State, tables: Sequence[Table]) -> tuple[State, Pending]:
        drawn = jax.tree.map(lambda *same: np.stack(same), *tables)
        parts, sizes = [], []
        for span, size in _spans(len(tables[0]["images"]["chosen"]), batch_size):
            rows = jax.tree.map(partial(_batches, span=span, size=size), drawn)
            state, told = program(state, images, rows)  # [S, T, 3]
            parts.append(told)
            sizes += [size] * told.shape[1]
        return state, partial(_totals, parts, sizes)

    return train


def _totals(parts: list[Tensor], sizes: list[int]) -> list[Totals]:
    every = np.concatenate([np.asarray(part) for part in parts], axis=1)
    return [steps.totals(list(one), sizes) for one in every]


def _spans(images: int, batch_size: int) -> list[tuple[slice, int]]:
    """The full batches, then the smaller last one; either may be missing."""
    whole = images - images % batch_size
    spans = [(slice(0, whole), batch_size), (slice(whole, images), images - whole)]
    return [(span, size) for span, size in spans if span.start < span.stop]


def _batches(array: NDArray[Any], *, span: slice, size: int) -> Tensor:
    """[S, N, ...] -> those in the span, [S, T, size, ...], on the device."""
    seeds, _, *rest = array.shape
    return jnp.asarray(array[:, span].reshape(seeds, -1, size, *rest))


def in_use(task: Task) -> Callable[[State], State]:
    """Compile what `stages.as_in_use` does: the weights that are validated and kept.

    Args:
        task: One seed's.

    Returns:
        State -> the same, its trained values the optimizer's moving averages, or its
        last layer's times the factors on the logits; without either, the state itself.
    """
    if task.scales is None and not task.optimizer.use_ema:
        return lambda state: state
    _, variables = steps.pure(task)

    def finished(*state: list[Tensor]) -> list[list[Tensor]]:
        mapping = [
            pair
            for same, values in zip(variables, state, strict=True)
            for pair in zip(same, values, strict=True)
        ]
        with keras.StatelessScope(mapping) as scope:
            if task.scales is None:
                task.optimizer.finalize_variable_values(list(task.trained))
            else:
                logits.scale_and_shift(task.net, task.scales, 0.0)
        return [[scope.get_current_value(v) for v in same] for same in variables[:2]]

    program = jax.jit(jax.vmap(finished))
    return lambda state: (*program(*state), state[2])


def answerer(task: Task, images: Sequence[Images]) -> Callable[[State], Logits]:
    """Compile the answers of all seeds' models, each to images of its own.

    Args:
        task: One seed's.
        images: uint8 [V, H, W, C] of each seed; equally many.

    Returns:
        State -> logits in inference mode, float32 [S, V, K].
    """
    _, (trained, others, _) = steps.pure(task)
    net = products.rewritten(task.net)

    def answer(values: list[Tensor], rest: list[Tensor], pixels: Tensor) -> Tensor:
        mapping = [*zip(trained, values, strict=True), *zip(others, rest, strict=True)]
        with keras.StatelessScope(mapping):
            return net(ops.cast(pixels, "float32"), training=False)

    program = jax.jit(jax.vmap(answer))
    every, size = np.stack(images), predict.at_once(images[0])
    chunks = [
        jnp.asarray(every[:, start : start + size])
        for start in range(0, every.shape[1], size)
    ]

    def answers(state: State) -> Logits:
        parts = [program(state[0], state[1], chunk) for chunk in chunks]
        return np.concatenate([np.asarray(part) for part in parts], axis=1)

    return answers


def weights(task: Task, state: State) -> list[tuple[NDArray[Any], ...]]:
    """Each seed's weights, as `get_weights` of its model would give them."""
    _, (trained, others, _) = steps.pure(task)
    values = dict(
        zip(map(id, (*trained, *others)), [*state[0], *state[1]], strict=True)
    )
    arrays = jax.device_get([values[id(variable)] for variable in task.net.weights])
    return [tuple(one.copy() for one in same) for same in zip(*arrays, strict=True)]

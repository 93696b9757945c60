"""A model, an optimizer and a loss -> one compiled training step on either backend.

Keras' own `fit` fixes what is trained and how the gradient is used when it compiles; a
plan's phases change both (a last layer alone, factors on the logits, two passes for
sharpness-aware minimisation). In training, only this module, `resident` and
`device_batches` name a backend.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike, NDArray

from tessera.experiment import Precision
from tessera.training.precision import computing_in

Tensor: TypeAlias = Any  # of the backend in use
Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""(targets, logits) -> mean loss of the batch."""
Batch: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
"""Pixels [B, H, W, C], uint8 or float32, and targets: labels [B], int32, or mixed ones
[B, 3], float32."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a step does."""

    net: Any
    """A Keras model: raw pixels in, logits out."""
    optimizer: Any
    loss: Loss
    trained: tuple[Any, ...]
    """The variables to change: some of the model's, or `scales`."""
    live: bool = True
    """Whether dropout and normalisation act as in training; else as in use."""
    scales: Any | None = None
    """A factor per class on the logits, a variable [K]."""
    sharpness: float = 0.0
    """Rho of sharpness-aware minimisation; 0: none."""
    precision: Precision = "float32"
    """Of the layers' products; see `precision`."""


@dataclass(frozen=True)
class Totals:
    """Sums over the images of an epoch."""

    loss: float
    correct: float
    images: int
    norms: tuple[float, ...]
    """Of the steps' gradients, see `norm`."""

    def row(self) -> dict[str, float]:
        """Means over the images; the median and the largest of the norms."""
        return {
            "loss": self.loss / self.images,
            "accuracy": self.correct / self.images,
            "gradient_median": float(np.median(self.norms)),
            "gradient_largest": float(np.max(self.norms)),
        }


TrainEpoch: TypeAlias = Callable[[Iterable[Batch], Callable[[int], None]], Totals]
"""Trains on every batch, in order; told of each finished step."""


def compiled(task: Task) -> TrainEpoch:
    """Compile a task; the result may be called for many epochs.

    After a call the model's variables and the optimizer's hold the new values.

    Raises:
        ValueError: The backend is neither TensorFlow nor JAX.
    """
    match keras.backend.backend():
        case "tensorflow":
            return _tensorflow(task)
        case "jax":
            return _jax(task)
        case other:
            raise ValueError(
                f"KERAS_BACKEND: expected tensorflow or jax. Received: {other!r}."
            )


def outcome(task: Task, pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss of a batch, and how many of its images are answered rightly.

    A mixed image counts as right when the answer is the label of the larger share.
    """
    with computing_in(task.precision, task.net):
        logits = task.net(ops.cast(pixels, "float32"), training=task.live)
    if task.scales is not None:
        logits = logits * task.scales
    answers = ops.argmax(logits, axis=-1)
    correct = ops.cast(ops.cast(answers, "int32") == _leading(targets), "float32")
    return task.loss(targets, logits), ops.sum(correct)


def _leading(targets: Tensor) -> Tensor:
    if len(targets.shape) == 1:
        return ops.cast(targets, "int32")
    first, second, share = (targets[:, column] for column in range(3))
    return ops.cast(ops.where(share >= 0.5, first, second), "int32")


def climb(gradients: list[Tensor], rho: float) -> list[Tensor]:
    """The step to the worst point nearby, rho g / |g| over all variables together.

    Foret et al. 2021, arXiv:2010.01412, with the Euclidean norm.
    """
    factor = rho * ops.rsqrt(ops.maximum(_square(gradients), 1e-24))
    return [g * factor for g in gradients]


def norm(gradients: list[Tensor]) -> Tensor:
    """Euclidean length of the mean loss's gradient, all trained variables together."""
    return ops.sqrt(_square(gradients))


def _square(gradients: list[Tensor]) -> Tensor:
    return sum(ops.sum(ops.square(g)) for g in gradients)


def totals(steps: list[ArrayLike], sizes: list[int]) -> Totals:
    """Add up what the steps left, in the order of the batches.

    Args:
        steps: Mean loss, right answers and gradient norm of each, [3].
        sizes: Images in each.
    """
    found = np.array([np.asarray(step) for step in steps], np.float64)
    return Totals(
        loss=float(np.sum(found[:, 0] * sizes)),
        correct=float(np.sum(found[:, 1])),
        images=sum(sizes),
        norms=tuple(found[:, 2].tolist()),
    )


def _tensorflow(task: Task) -> TrainEpoch:
    import tensorflow as tf

    values = [variable.value for variable in task.trained]

    def gradients(pixels: Tensor, targets: Tensor) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss, correct = outcome(task, pixels, targets)
        return tape.gradient(loss, values), loss, correct

    def step(pixels: Tensor, targets: Tensor) -> Tensor:
        slopes, loss, correct = gradients(pixels, targets)
        length = norm(slopes)
        if task.sharpness:
            here = [tf.identity(value) for value in values]
            for value, up in zip(values, climb(slopes, task.sharpness), strict=True):
                value.assign_add(up)
            slopes, _, _ = gradients(pixels, targets)
            for value, back in zip(values, here, strict=True):
                value.assign(back)
        task.optimizer.apply(slopes, task.trained)
        return tf.stack([loss, correct, length])

    @cache
    def traced(*specification: Any) -> Any:
        return tf.function(step, specification, autograph=False)

    def epoch(batches: Iterable[Batch], done: Callable[[int], None]) -> Totals:
        parts, sizes = [], []
        for index, batch in enumerate(batches):
            tensors = [tf.constant(array) for array in batch]
            # For any size, since the last is smaller: to trace takes seconds.
            sizeless = [tf.TensorSpec([None, *t.shape[1:]], t.dtype) for t in tensors]
            parts.append(traced(*sizeless)(*tensors))
            sizes.append(len(batch[1]))
            done(index + 1)
        return totals(parts, sizes)

    return epoch


def pure(task: Task) -> tuple[Callable[..., Any], tuple[tuple[Any, ...], ...]]:
    """The step as a function of values, for JAX to transform.

    Returns:
        (state, pixels, targets) -> state and [3]: loss, right answers, gradient norm. A
        state is three lists of arrays; and the variables that they are the values of:
        trained, all others of the model, and the optimizer's.
    """
    import jax

    chosen = {id(variable) for variable in task.trained}
    others = tuple(v for v in _variables(task) if id(v) not in chosen)

    def scoped(values: list[Tensor], rest: list[Tensor], *batch: Tensor) -> Any:
        mapping = [
            *zip(task.trained, values, strict=True),
            *zip(others, rest, strict=True),
        ]
        with keras.StatelessScope(mapping) as scope:
            loss, correct = outcome(task, *batch)
        after = [_current(scope, v, old) for v, old in zip(others, rest, strict=True)]
        return loss, (correct, after)

    slope = jax.value_and_grad(scoped, has_aux=True)

    def step(state: Any, pixels: Tensor, targets: Tensor) -> Any:
        values, rest, memory = state
        (loss, (correct, rest)), slopes = slope(values, rest, pixels, targets)
        length = norm(slopes)
        if task.sharpness:
            up = climb(slopes, task.sharpness)
            high = [v + u for v, u in zip(values, up, strict=True)]
            (_, (_, rest)), slopes = slope(high, rest, pixels, targets)
        values, memory = task.optimizer.stateless_apply(memory, slopes, values)
        return (values, rest, memory), ops.stack([loss, correct, length])

    return step, (task.trained, others, tuple(task.optimizer.variables))


def _jax(task: Task) -> TrainEpoch:
    import jax

    step, everything = pure(task)
    function = jax.jit(step, donate_argnums=0)

    def epoch(batches: Iterable[Batch], done: Callable[[int], None]) -> Totals:
        # Copies: a donated buffer must not be one that the model still holds.
        state = tuple([v.value.copy() for v in group] for group in everything)
        parts, sizes = [], []
        for index, (pixels, targets) in enumerate(batches):
            state, told = function(state, pixels, targets)
            parts.append(told)
            sizes.append(len(targets))
            done(index + 1)
        for group, values in zip(everything, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return totals(parts, sizes)

    return epoch


def _variables(task: Task) -> list[Any]:
    """Everything a forward pass reads or changes, states of random layers included."""
    scales = [] if task.scales is None else [task.scales]
    return [*task.net.variables, *scales]


def _current(scope: Any, variable: Any, old: Tensor) -> Tensor:
    value = scope.get_current_value(variable)
    return old if value is None else value

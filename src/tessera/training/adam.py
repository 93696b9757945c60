"""Adam whose shared numbers are computed once in a step, and not for every variable.

Keras' own works out the step size anew for each: two powers, a root and a division that
are always the same. TensorFlow traces, plans and starts every one of these operations,
which takes it longer than the arithmetic of a small model.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import keras
from keras import ops

Tensor: TypeAlias = Any  # of the backend in use


@keras.saving.register_keras_serializable(package="tessera")
class Adam(keras.optimizers.Adam):  # type: ignore[misc]  # no types in Keras
    """Keras' `Adam` (Kingma and Ba 2015, arXiv:1412.6980), bit by bit.

    With `weight_decay` it is Keras' `AdamW`.
    """

    def _backend_update_step(
        self, grads: Sequence[Tensor], trainable_variables: Sequence[Any], rate: Tensor
    ) -> None:
        size = step_size(rate, self.iterations, self.beta_1, self.beta_2)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            at = self._get_variable_index(variable)
            moments = self._momentums[at], self._velocities[at]
            move(self, variable, gradient, moments, size, (self.beta_1, self.beta_2))


def step_size(rate: Tensor, before: Tensor, beta_1: float, beta_2: float) -> Tensor:
    """The rate with both moments' bias corrected.

    Args:
        rate: The learning rate.
        before: Steps that were done.
        beta_1: Decay of the first moment.
        beta_2: Of the second.
    """
    time = ops.cast(before + 1, "float32")
    first, second = (
        1 - ops.power(ops.cast(beta, "float32"), time) for beta in (beta_1, beta_2)
    )
    return ops.cast(rate, "float32") * ops.sqrt(second) / first


def move(
    optimizer: Any,
    variable: Any,
    gradient: Tensor,
    moments: tuple[Any, Any],
    size: Tensor,
    betas: tuple[float, float],
) -> None:
    """Change a variable and its two moments by a step.

    Args:
        optimizer: Gives its epsilon, and assigns.
        variable: Of any shape, float32; and so its gradient and moments.
        gradient: Of the loss by the variable.
        moments: Running means of the gradient and of its square.
        size: See `step_size`.
        betas: Their decays.
    """
    (mean, square), (beta_1, beta_2) = moments, betas
    optimizer.assign_add(mean, (gradient - mean) * (1 - beta_1))
    optimizer.assign_add(square, (ops.square(gradient) - square) * (1 - beta_2))
    change = mean * size / (ops.sqrt(square) + optimizer.epsilon)
    optimizer.assign_sub(variable, change)

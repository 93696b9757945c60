"""Muon for convolutions too: a step that changes a matrix equally in every direction.

Keras' own `Muon` (Jordan et al. 2024) orthogonalises matrices and leaves convolution
kernels to Adam. Here a kernel [h, w, C, F] counts as the matrix [h w C, F], as in the
authors' CIFAR-10 programs (KellerJordan/cifar10-airbench).
"""

import re
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tessera.training.adam import move, step_size

OTHERS = r"logits|position|pool_scores|depthwise"
"""Weights of more than one axis that are no map between hidden layers, or no matrix:
Adam changes them."""

OTHERS_RATE = 0.3
"""Adam's part of the learning rate."""


@keras.saving.register_keras_serializable(package="tessera")
class ConvolutionMuon(keras.optimizers.Muon):  # type: ignore[misc]  # no types in Keras
    """Keras' `Muon` with convolution kernels among its matrices.

    A matrix [n, m] moves by rate x 0.2 sqrt(max(n, m)) U, with U close to the nearest
    orthogonal matrix to its momentum, so that its entries move about as far as Adam
    would move them (Liu et al. 2025, arXiv:2502.16982). Decay acts on matrices and
    kernels, not on biases, normalisation and what `OTHERS` names.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        if len(variable.shape) == 4:
            return any(re.search(name, variable.path) for name in self.exclude_layers)
        return bool(super()._should_use_adamw(variable))

    def _backend_update_step(
        self, grads: Sequence[Any], trainable_variables: Sequence[Any], rate: Any
    ) -> None:
        """Keras' update of each variable, with what those of Adam share done once."""
        betas = self.adam_beta_1, self.adam_beta_2
        size = step_size(rate * self.adam_lr_ratio, self.iterations, *betas)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            at = self._get_variable_index(variable)
            momentum, square = self.momentums[at], self.adam_velocities[at]
            if square is None:
                self._muon_update_step(gradient, variable, rate, momentum)
            else:
                move(self, variable, gradient, (momentum, square), size, betas)

    def _muon_update_step(
        self, gradient: Any, variable: Any, lr: Any, momentum: Any
    ) -> None:
        self.assign_add(momentum, gradient + momentum * (self.momentum - 1))
        ahead = gradient + self.momentum * momentum
        matrix = ops.reshape(ahead, (-1, variable.shape[-1]))
        step = self.lr_adjust(
            lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps)
        )
        self.assign_sub(variable, ops.reshape(step, variable.shape))


def muon(rate: Any, *, decay: float, **more: Any) -> ConvolutionMuon:
    """Muon at a rate or schedule of rates, Adam at `OTHERS_RATE` of it for the rest.

    Args:
        rate: The learning rate.
        decay: Decoupled weight decay; a step takes rate x decay of a matrix away.
        **more: Passed on to `keras.optimizers.Muon`.
    """
    return ConvolutionMuon(
        rate,
        weight_decay=decay,
        adam_weight_decay=None,
        adam_lr_ratio=OTHERS_RATE,
        adam_beta_2=0.99,
        exclude_layers=[OTHERS],
        **more,
    )

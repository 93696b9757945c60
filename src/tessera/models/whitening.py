"""A first convolution that is computed from the images, not trained: patch whitening.

Its filters are the principal axes of small patches, each divided by the deviation along
it and used with either sign, so that a network starts from uncorrelated inputs of equal
strength (Page 2019, "How to Train Your ResNet", part 8; Jordan 2024, arXiv:2404.00498).
"""

from typing import Any

import numpy as np
from keras import layers

from tessera.arrays import Floats, Images, Indices

LAYER = "whiten"
SIDE = 2
"""Of a patch, in pixels."""
RIDGE = 5e-4
"""Added to every variance, of pixels in units of 1: what hardly varies stays small."""
ENOUGH = 5_000
"""Images that the axes are computed from, at most."""


def whiten(scaled: Any) -> Any:
    """A convolution with fixed filters, [B, H, W, C] -> [B, H, W, 8 C].

    Its filters are zero until `adapt` has seen images.
    """
    channels = 2 * SIDE * SIDE * scaled.shape[-1]
    return layers.Conv2D(
        channels,
        SIDE,
        padding="same",
        kernel_initializer="zeros",
        trainable=False,
        name=LAYER,
    )(scaled)


def adapt(net: Any, images: Images, indices: Indices) -> None:
    """Compute the filters from training images; a model without them stays as it is.

    Args:
        net: A model whose layer `whiten`, if it has one, takes pixels in 0..1.
        images: uint8 [N, H, W, C].
        indices: Those to use. Of more than `ENOUGH`, every second, third, ... is
            taken, so that a folder, which is read class by class, gives its classes'
            own shares.
    """
    layer = next((layer for layer in net.layers if layer.name == LAYER), None)
    if layer is not None:
        every = -(-len(indices) // ENOUGH)
        layer.set_weights(filters(images[indices[::every]]))


def filters(images: Images) -> tuple[Floats, Floats]:
    """Kernel [2, 2, C, 8 C] and bias [8 C] that whiten patches of pixels in 0..1.

    With patches p of mean m and covariance V diag(s) V': the outputs are
    +-v_k'(p - m) / sqrt(s_k + `RIDGE`), uncorrelated, of variance 1 where s_k is large.
    """
    windows = np.lib.stride_tricks.sliding_window_view(
        images, (SIDE, SIDE), axis=(1, 2)
    )  # [N, H-1, W-1, C, 2, 2]
    flat = np.moveaxis(windows, 3, -1).reshape(-1, SIDE * SIDE * images.shape[-1])
    patches = flat.astype(np.float32) / np.float32(255)
    mean = patches.mean(axis=0, dtype=np.float64)
    covariance = np.cov(patches, rowvar=False, bias=True)
    variances, axes = np.linalg.eigh(covariance)
    kernel = axes / np.sqrt(variances + RIDGE)
    both = np.concatenate([kernel, -kernel], axis=1)
    return both.reshape(SIDE, SIDE, images.shape[-1], -1), -mean @ both

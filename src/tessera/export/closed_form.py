"""Grad-CAM's channel weights from the head's own weights, without a gradient.

In the reference study's CNN and hybrid (`depth` 0) all that follows the map A is linear
but for one ReLU. The CNN's vector is the mean of A over its Z cells; the hybrid's adds
mean_t (W x_t + b) over T patches, which gives cell (i, j) at place c of its patch the
derivative W_c / T. With V the head's first kernel, U its second and m the mask of
hidden units above zero, the spatial mean of the gradient of logit k is

    alpha = D (m * U_k),    D = [I/Z, sum_c n_c W_c / (Z T)] V,

where n_c counts the cells of A at place c (padding has no cell). D is a constant.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.experiment import Cnn, Hybrid, Model
from tessera.models import logits

Matrix = NDArray[np.float64]


def exists(model: Model, net: Any) -> bool:
    """Whether the weights have a closed form: no attention, and a linear last layer."""
    linear = logits.read(net).has_length
    if isinstance(model, Hybrid):
        return linear and model.depth == 0
    return linear and isinstance(model, Cnn)


def weights(model: Model, net: Any) -> Matrix:
    """D of the formula above, float64 [C, hidden units].

    Args:
        model: Settings for which `exists` holds.
        net: The model built from them.
    """
    head = np.asarray(net.get_layer("head").kernel.numpy(), np.float64)
    _, height, width, channels = net.get_layer("features").output.shape
    cells = height * width
    mean = np.eye(channels) / cells
    if isinstance(model, Hybrid):
        mean = np.hstack([mean, _tokens(model, net, height, width) / cells])
    closed: Matrix = mean @ head
    return closed


def _tokens(model: Hybrid, net: Any, height: int, width: int) -> Matrix:
    """Sum over places c of n_c W_c / T, float64 [C, token width]."""
    patch = model.patch
    kernel = np.asarray(net.get_layer("tokens").kernel.numpy(), np.float64)
    places = kernel.reshape(patch, patch, -1, kernel.shape[-1])
    rows = [len(range(place, height, patch)) for place in range(patch)]
    columns = [len(range(place, width, patch)) for place in range(patch)]
    tokens = rows[0] * columns[0]
    summed: Matrix = np.einsum("i,j,ijcd->cd", rows, columns, places) / tokens
    return summed

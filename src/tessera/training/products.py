"""A model's convolutions as matrix products: what a program of several seeds needs.

Each seed has weights of its own, and a library's convolution knows one set: given
several, XLA calls it with groups of few channels, which it computes slowly. Matrix
products take any number of sets. The largest of a window is written as comparisons: the
gradient of XLA's own is a scatter.

The function is the same to rounding, ties included: of equal values in a window the
first is the largest, as in Keras' own.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers, ops

from tessera.training.steps import Tensor

PARTS = 4_096
"""Rows that one part of a kernel's gradient sums over, at most, or those of an image:
many such sums fill a device, and one long sum would leave most of it idle."""


def rewritten(net: Any) -> Any:
    """A model with the layers and variables of `net`, its convolutions as products.

    Args:
        net: A functional Keras model, channels last.
    """
    return keras.models.clone_model(net, clone_function=_alike)


def _alike(layer: Any) -> Any:
    if type(layer) is layers.Conv2D and layer.groups == 1 and _plain(layer):
        return Products(layer, name=layer.name)
    if type(layer) is layers.DepthwiseConv2D and _plain(layer):
        return Sums(layer, name=layer.name)
    if isinstance(layer, layers.MaxPooling2D) and layer.padding == "valid":
        return Largest(layer.pool_size, layer.strides, name=layer.name)
    return layer


def _plain(layer: Any) -> bool:
    """Whether the patches are windows of the map, or of the map with a frame."""
    strides = layer.strides if layer.padding == "same" else ()
    return all(one == 1 for one in (*layer.dilation_rate, *strides))


class _Rewritten(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """A convolution's function and weights, computed otherwise.

    Args:
        convolution: A built layer of which `_plain` holds.
        **more: Passed on to `keras.layers.Layer`.
    """

    def __init__(self, convolution: Any, **more: Any) -> None:
        super().__init__(**more)
        self.convolution = convolution

    def call(self, maps: Tensor) -> Tensor:
        """[B, H, W, C] -> [B, h, w, F], as the convolution's."""
        layer = self.convolution
        kernel = ops.convert_to_tensor(layer.kernel)
        rows, columns = kernel.shape[:2]
        if layer.padding == "same":
            maps = ops.pad(maps, [(0, 0), _around(rows), _around(columns), (0, 0)])
        found = self.linear(windows(maps, (rows, columns), layer.strides), kernel)
        if layer.use_bias:
            found = found + ops.convert_to_tensor(layer.bias)
        return layer.activation(found) if layer.activation else found

    def linear(self, places: Iterator[Tensor], kernel: Tensor) -> Tensor:
        """What lies at each place of the windows, and the weights -> [B, h, w, F]."""
        raise NotImplementedError

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> Any:
        """The convolution's."""
        return self.convolution.compute_output_shape(shape)


class Products(_Rewritten):
    """A `Conv2D` of one group as one product of patches and kernel."""

    def linear(self, places: Iterator[Tensor], kernel: Tensor) -> Tensor:
        """Places [B, h, w, C], kernel [r, c, C, F] -> [B, h, w, F]."""
        patches = ops.concatenate(list(places), axis=-1)
        _, height, width, depth = patches.shape
        flat = ops.reshape(kernel, (depth, -1))
        found = product(ops.reshape(patches, (-1, height * width, depth)), flat)
        return ops.reshape(found, (-1, height, width, flat.shape[-1]))


class Sums(_Rewritten):
    """A `DepthwiseConv2D` as a sum over the places of a window."""

    def linear(self, places: Iterator[Tensor], kernel: Tensor) -> Tensor:
        """Places [B, h, w, C], kernel [r, c, C, M] -> [B, h, w, C M]."""
        *_, channels, each = kernel.shape
        weights = ops.reshape(kernel, (-1, channels, each))
        parts = [
            ops.expand_dims(place, -1) * weights[i] for i, place in enumerate(places)
        ]
        _, height, width, *_ = parts[0].shape
        return ops.reshape(sum(parts), (-1, height, width, channels * each))


class Largest(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The largest value of each window, as `MaxPooling2D` without padding.

    Args:
        size: Rows and columns of a window.
        step: From one window to the next.
        **more: Passed on to `keras.layers.Layer`.
    """

    def __init__(self, size: tuple[int, int], step: tuple[int, int], **more: Any):
        super().__init__(**more)
        self.size, self.step = size, step

    def call(self, maps: Tensor) -> Tensor:
        """[B, H, W, C] -> [B, h, w, C]."""
        first, *others = windows(maps, self.size, self.step)
        for other in others:
            first = ops.where(first >= other, first, other)
        return first

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> Any:
        """[B, H, W, C] -> [B, h, w, C]."""
        pooling = layers.MaxPooling2D(self.size, self.step)
        return pooling.compute_output_shape(shape)


def windows(
    maps: Tensor, size: tuple[int, int], step: tuple[int, int]
) -> Iterator[Tensor]:
    """What lies at each place of every window, row by row, each [B, h, w, C].

    Args:
        maps: [B, H, W, C].
        size: Rows and columns of a window.
        step: From one window to the next; windows lie within the map.
    """
    _, height, width, _ = maps.shape
    rows, columns = (
        (whole - part) // stride * stride + 1
        for whole, part, stride in zip((height, width), size, step, strict=True)
    )
    for top, left in itertools.product(*map(range, size)):
        yield maps[:, top : top + rows : step[0], left : left + columns : step[1]]


def product(rows: Tensor, kernel: Tensor) -> Tensor:
    """[B, N, K] x [K, F] -> [B, N, F], whose gradient by the kernel is a sum of parts.

    The kernel stands once for each part, so that a part's gradient is a product of its
    own and there are enough of them to fill a device.
    """
    images, each, depth = rows.shape
    if images is None:
        return ops.matmul(rows, kernel)
    size = together(images, each)
    parts = ops.reshape(rows, (images // size, size * each, depth))
    copies = ops.broadcast_to(kernel, (images // size, *kernel.shape))
    return ops.reshape(ops.matmul(parts, copies), (images, each, -1))


def together(images: int, each: int) -> int:
    """Images whose rows are one part: the most that make equal parts.

    Args:
        images: All of them.
        each: Rows of one.
    """
    most = max(1, min(images, PARTS // each))
    return next(size for size in range(most, 0, -1) if images % size == 0)


def _around(side: int) -> tuple[int, int]:
    """Cells before and after a line, so that a window of `side` fits at every one."""
    return (side - 1) // 2, side // 2

"""Muon's steps are close to orthogonal, for convolutions as for matrices."""

import keras
import numpy as np
import pytest

from tessera.training.muon import OTHERS_RATE, muon


def stepped(variable: keras.Variable, gradient: np.ndarray) -> np.ndarray:
    """How far one step at a rate of 1 moves it."""
    before = keras.ops.convert_to_numpy(variable)
    optimizer = muon(1.0, decay=0.0)
    optimizer.build([variable])
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(keras.ops.convert_to_numpy(variable) - before)


def zeros(*shape: int, name: str = "kernel") -> keras.Variable:
    return keras.Variable(np.zeros(shape, np.float32), name=name)


@pytest.mark.parametrize("shape", [(3, 3, 4, 8), (36, 8), (8, 36)], ids=str)
def test_a_step_changes_every_direction_about_equally(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    gradient = rng.normal(size=shape).astype(np.float32)
    step = stepped(zeros(*shape), gradient).reshape(-1, shape[-1])
    lengths = np.linalg.svd(step, compute_uv=False) / (0.2 * np.sqrt(36))
    # Five steps of Newton and Schulz bring singular values to between 0.7 and 1.2.
    assert np.all((lengths > 0.65) & (lengths < 1.25))


def test_a_convolutions_step_is_that_of_its_matrix() -> None:
    gradient = np.random.default_rng(1).normal(size=(3, 3, 4, 8)).astype(np.float32)
    kernel = stepped(zeros(3, 3, 4, 8), gradient)
    matrix = stepped(zeros(36, 8), gradient.reshape(36, 8))
    np.testing.assert_allclose(kernel.reshape(36, 8), matrix, rtol=1e-5)


def test_it_points_the_way_of_the_nearest_orthogonal_matrix() -> None:
    gradient = np.random.default_rng(2).normal(size=(6, 6)).astype(np.float32)
    left, _, right = np.linalg.svd(gradient)
    step = stepped(zeros(6, 6), gradient)
    cosine = -np.sum(step * (left @ right)) / np.linalg.norm(step) / np.sqrt(6)
    assert cosine > 0.95


@pytest.mark.parametrize(
    "shape,name",
    [
        ((8,), "bias"),
        ((4, 3), "logits"),
        ((5, 4), "position"),
        ((3, 3, 4, 1), "depthwise"),
    ],
    ids=str,
)
def test_what_is_no_hidden_matrix_moves_as_adam_would(
    shape: tuple[int, ...], name: str
) -> None:
    gradient = np.full(shape, 5.0, np.float32)
    # Adam's first step has the length of its rate, whatever the gradient.
    np.testing.assert_allclose(
        stepped(zeros(*shape, name=name), gradient), -OTHERS_RATE, rtol=1e-4
    )


def test_decay_takes_its_share_of_kernels_only() -> None:
    kernel = keras.Variable(np.ones((3, 3, 1, 1), np.float32), name="kernel")
    bias = keras.Variable(np.ones(1, np.float32), name="bias")
    optimizer = muon(0.1, decay=0.5)
    optimizer.build([kernel, bias])
    slopes = [keras.ops.zeros((3, 3, 1, 1)), keras.ops.zeros(1)]
    optimizer.apply(slopes, [kernel, bias])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(kernel), 1 - 0.1 * 0.5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(bias), 1.0)

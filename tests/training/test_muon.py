"""Muon's steps are close to orthogonal, for convolutions as for matrices."""

import keras
import numpy as np
import pytest

from tessera.training.muon import muon


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
        ((4, 1), "pool_scores"),
    ],
    ids=str,
)
def test_what_is_no_hidden_matrix_moves_as_adam_would(
    shape: tuple[int, ...], name: str
) -> None:
    gradient = np.full(shape, 5.0, np.float32)
    # Adam's first step has the length of its rate, 0.3 here, whatever the gradient.
    np.testing.assert_allclose(
        stepped(zeros(*shape, name=name), gradient), -0.3, rtol=1e-4
    )


def test_adam_beside_it_forgets_squares_after_a_hundred_steps_or_so() -> None:
    """Kingma and Ba's algorithm 1 with betas of 0.9 and 0.99, by hand."""
    bias = zeros(1, name="bias")
    optimizer = muon(1.0, decay=0.0)
    optimizer.build([bias])
    mean = square = place = 0.0
    for time, slope in enumerate((1.0, 3.0, -2.0), start=1):
        optimizer.apply([keras.ops.convert_to_tensor([slope])], [bias])
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        corrected = mean / (1 - 0.9**time), square / (1 - 0.99**time)
        place -= 0.3 * corrected[0] / np.sqrt(corrected[1])
    assert keras.ops.convert_to_numpy(bias)[0] == pytest.approx(place, rel=1e-4)


def newton_schulz(matrix: np.ndarray) -> np.ndarray:
    """Five steps of it from a matrix over its length, as docs/methods.md has it."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return np.asarray(x)


def test_its_steps_are_the_documented_formula_with_momentum() -> None:
    kernel = zeros(2, 2, 2, 6)
    optimizer = muon(0.1, decay=0.0)
    optimizer.build([kernel])
    momentum, place = np.zeros((8, 6)), np.zeros((8, 6))
    rng = np.random.default_rng(3)
    for _ in range(3):
        gradient = rng.normal(size=(8, 6))
        shaped = gradient.reshape(2, 2, 2, 6).astype(np.float32)
        optimizer.apply([keras.ops.convert_to_tensor(shaped)], [kernel])
        momentum = 0.95 * momentum + gradient
        orthogonal = newton_schulz(gradient + 0.95 * momentum)
        place -= 0.1 * 0.2 * np.sqrt(8) * orthogonal
    found = keras.ops.convert_to_numpy(kernel).reshape(8, 6)
    np.testing.assert_allclose(found, place, atol=1e-5)


def test_decay_takes_its_share_of_kernels_only() -> None:
    kernel = keras.Variable(np.ones((3, 3, 1, 1), np.float32), name="kernel")
    bias = keras.Variable(np.ones(1, np.float32), name="bias")
    optimizer = muon(0.1, decay=0.5)
    optimizer.build([kernel, bias])
    slopes = [keras.ops.zeros((3, 3, 1, 1)), keras.ops.zeros(1)]
    optimizer.apply(slopes, [kernel, bias])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(kernel), 1 - 0.1 * 0.5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(bias), 1.0)

"""Adam's step is Keras' own, bit by bit, with fewer operations."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tessera.training import steps
from tessera.training.adam import Adam, step_size
from tessera.training.muon import ConvolutionMuon, muon
from tessera.training.rates import Rate

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), np.uint8)
LABELS = np.arange(5, dtype=np.int32) % 3


class KerasMuon(ConvolutionMuon):
    """With Keras' own update of every variable."""

    _backend_update_step = keras.optimizers.Muon._backend_update_step


initial = keras.initializers.HeNormal


def net() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3, use_bias=False, kernel_initializer=initial(0)),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(8, "relu", use_bias=False, kernel_initializer=initial(1)),
            layers.Dense(3, name="logits", kernel_initializer=initial(2)),
        ]
    )


def trained(optimizer: Any) -> list[np.ndarray]:
    """A network's weights and an optimizer's memory after five steps."""
    model = net()
    optimizer.build(model.trainable_variables)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    task = steps.Task(
        model, optimizer, loss, tuple(model.trainable_variables), live=True
    )
    steps.compiled(task)([(IMAGES, LABELS)] * 5, lambda _: None)
    variables = [*model.variables, *optimizer.variables]
    return [ops.convert_to_numpy(variable) for variable in variables]


def falling() -> Rate:
    return Rate(0.01, 5, shape="one-cycle")


PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "plain": (lambda: Adam(0.01), lambda: keras.optimizers.Adam(0.01)),
    "a falling rate": (
        lambda: Adam(falling()),
        lambda: keras.optimizers.Adam(falling()),
    ),
    "decay": (
        lambda: Adam(0.01, weight_decay=0.1),
        lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    ),
    "averages": (
        lambda: Adam(0.01, use_ema=True, ema_momentum=0.8),
        lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.8),
    ),
    "muon": (
        lambda: muon(falling(), decay=0.1),
        lambda: KerasMuon.from_config(muon(falling(), decay=0.1).get_config()),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_steps_and_memory_are_those_of_keras_bit_by_bit(
    pair: tuple[Callable[[], Any], Callable[[], Any]],
) -> None:
    ours, theirs = (trained(make()) for make in pair)
    start = [ops.convert_to_numpy(variable) for variable in net().trainable_variables]
    assert not np.array_equal(ours[0], start[0])
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_step_size_is_kingma_and_bas() -> None:
    # Algorithm 1, with the order of computation at the end of its section 2.
    for done in (0, 1, 9):
        corrected = np.sqrt(1 - 0.999 ** (done + 1)) / (1 - 0.9 ** (done + 1))
        found = float(step_size(0.1, np.int64(done), 0.9, 0.999))
        assert found == pytest.approx(0.1 * corrected, rel=1e-4)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="asks its graph")
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_shared_numbers_are_computed_once(
    pair: tuple[Callable[[], Any], Callable[[], Any]],
) -> None:
    import tensorflow as tf

    def powers(optimizer: Any) -> int:
        variables = [tf.Variable(tf.ones(4)) for _ in range(3)]
        kept = [keras.Variable(np.ones(4)) for _ in variables]
        optimizer.build(kept)
        step = tf.function(lambda: optimizer.apply([v.value for v in kept], kept))
        nodes = step.get_concrete_function().graph.as_graph_def().node
        return sum(node.op == "Pow" for node in nodes)

    assert [powers(make()) for make in pair] == [2, 6]

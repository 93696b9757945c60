"""In 16 bits a step's products are coarser; all that is kept stays float32."""

from functools import cache, partial
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Transformer
from tessera.imbalance.plan import Phase, mean_loss
from tessera.models import build
from tessera.training import steps
from tessera.training.precision import computing_in

MODELS = [
    Cnn(dropout=0.0),
    Hybrid(dropout=0.0),
    Transformer(depth=1),
    HybridPlus(whitening=False, depth=0),
]
"""Attention is in one of them; and a convolution of zeros would leave nothing."""
COUNTS = np.array([8, 8, 8])


def net_of(settings: Model) -> keras.Model:
    return build.build(settings, (16, 16, 3), 3, seed=0)


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Noise that is red, green or blue: there is something to learn."""
    labels = (np.arange(24) % 3).astype(np.int32)
    pixels = np.random.default_rng(0).integers(0, 128, (24, 16, 16, 3))
    pixels[np.arange(24), :, :, labels] += 127
    return pixels.astype(np.uint8), labels


def task(net: keras.Model, precision: str, **changes: object) -> steps.Task:
    optimizer = keras.optimizers.SGD(1.0)
    trained = tuple(net.trainable_variables)
    optimizer.build(trained)
    loss = partial(mean_loss, Phase(), COUNTS)
    return steps.Task(net, optimizer, loss, trained, precision=precision, **changes)


@cache
def compiled(settings: Model, precision: str) -> tuple[keras.Model, list[Any], Any]:
    """A model, its initial weights and its step, which is traced once."""
    net = net_of(settings)
    live = not isinstance(settings, Transformer)  # whose dropout would draw otherwise
    return net, net.get_weights(), steps.compiled(task(net, precision, live=live))


def step(settings: Model, precision: str) -> list[np.ndarray]:
    """How a step of rate 1 changes every trained variable: minus its gradient."""
    net, initial, train = compiled(settings, precision)
    net.set_weights(initial)
    before = [ops.convert_to_numpy(v) for v in net.trainable_variables]
    train([batch()], lambda _: None)
    assert {v.dtype for v in net.variables if "float" in v.dtype} == {"float32"}
    after = [ops.convert_to_numpy(v) for v in net.trainable_variables]
    return [new - old for new, old in zip(after, before, strict=True)]


@pytest.mark.parametrize("settings", MODELS, ids=lambda model: model.kind)
def test_the_gradient_points_where_that_of_float32_does_and_is_not_the_same(
    settings: Model,
) -> None:
    coarse, fine = (
        np.concatenate([change.ravel() for change in step(settings, precision)])
        for precision in ("bfloat16", "float32")
    )
    cosine = coarse @ fine / np.linalg.norm(coarse) / np.linalg.norm(fine)
    assert 0.98 < cosine < 1 - 1e-7
    assert np.linalg.norm(coarse) == pytest.approx(np.linalg.norm(fine), rel=0.05)


def test_the_same_step_gives_the_same_bits() -> None:
    asked = MODELS[-1], "bfloat16"
    for one, other in zip(step(*asked), step(*asked), strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_multiply_in_16_bits_within_the_block_and_logits_are_whole() -> None:
    net = net_of(Hybrid())
    inner = keras.Model(net.input, net.get_layer("features").output)
    pixels = batch()[0].astype(np.float32)
    with computing_in("bfloat16", net):
        assert net.get_layer("features").compute_dtype == "bfloat16"
        assert keras.backend.standardize_dtype(inner(pixels).dtype) == "bfloat16"
        assert keras.backend.standardize_dtype(net(pixels).dtype) == "float32"
    assert keras.backend.standardize_dtype(inner(pixels).dtype) == "float32"


def test_gelu_and_softmax_layers_stay_float32_and_parts_of_layers_do_not() -> None:
    net = net_of(Transformer(depth=1))
    with computing_in("bfloat16", net):
        whole = {layer.name for layer in net.layers if layer.compute_dtype == "float32"}
        drop = net.get_layer("block1_attention").drop
        assert drop.compute_dtype == "bfloat16"
    assert whole - {"pixels"} == {"logits", "block1_gelu", "pool_weights"}
    assert drop.compute_dtype == "float32"


def test_after_an_error_the_model_computes_in_float32_again() -> None:
    net = net_of(HybridPlus())
    with pytest.raises(RuntimeError), computing_in("bfloat16", net):
        raise RuntimeError
    assert {layer.compute_dtype for layer in net.layers} == {"float32"}


def test_the_models_own_answers_are_not_touched_by_how_it_was_trained() -> None:
    net = net_of(Cnn())
    pixels = batch()[0].astype(np.float32)
    steps.compiled(task(net, "bfloat16"))([batch()], lambda _: None)
    twin = net_of(Cnn())
    twin.set_weights(net.get_weights())
    np.testing.assert_array_equal(
        net.predict_on_batch(pixels), twin.predict_on_batch(pixels)
    )


def test_float32_is_as_if_nothing_had_been_said() -> None:
    net = net_of(Cnn())
    with computing_in("float32", net):
        assert {layer.compute_dtype for layer in net.layers} == {"float32"}

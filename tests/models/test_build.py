"""What every model promises, whatever its architecture."""

import json
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

from tessera import experiment
from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Transformer
from tessera.models.attention import Attention
from tessera.models.build import build, with_probabilities
from tessera.models.logits import CosineLogits
from tessera.models.whitening import adapt

MODELS = (*experiment.MODELS, Hybrid(name="hybrid-attention", depth=1))
NEEDS = {"transformer": 5, "hybrid-plus": 8, "hybrid-attention": 12}
"""Pixels a side, where attention needs a second token; 4 for all others."""
SHAPES = ((28, 28, 1, 2), (48, 41, 4, 7), (64, 64, 3, 100))

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: m.label)


@cache
def net_of(model: Model) -> keras.Model:
    """Of ten classes and 32 x 32 pixels; nobody changes it."""
    return build(model, (32, 32, 3), 10, seed=0)


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@every_model
@pytest.mark.parametrize("height,width,channels,classes", SHAPES)
def test_any_image_size_channel_count_and_class_number_gives_finite_logits(
    model: Model, height: int, width: int, channels: int, classes: int
) -> None:
    net = build(model, (height, width, channels), classes, seed=0)
    logits = keras.ops.convert_to_numpy(net(images(2, height, width, channels)))
    assert logits.shape == (2, classes)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()


@every_model
def test_the_smallest_images_work(model: Model) -> None:
    side = NEEDS.get(model.label, 4)
    net = build(model, (side, side, 1), 2, seed=0)
    assert np.isfinite(keras.ops.convert_to_numpy(net(images(1, side, side, 1)))).all()


@every_model
def test_smaller_images_than_that_are_refused_with_the_way_out(model: Model) -> None:
    message = r"at least 4 x 4 pixels.*Received: 3 x 9\. Set a larger `data.image_size`"
    with pytest.raises(ValueError, match=message):
        build(model, (3, 9, 3), 10, seed=0)


@pytest.mark.parametrize(
    "model,side", [(Transformer(), 4), (Hybrid(depth=1), 11), (HybridPlus(), 7)]
)
def test_a_single_token_has_nothing_to_attend_to(model: Model, side: int) -> None:
    with pytest.raises(ValueError, match=r"tokens: expected at least 2.*Received: 1"):
        build(model, (side, side, 3), 10, seed=0)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match=r"classes: expected at least 2\. Received: 1"):
        build(Cnn(), (32, 32, 3), 1, seed=0)


def test_no_channels_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"channels: expected at least 1\. Received: 0"
    ):
        build(Cnn(), (32, 32, 0), 2, seed=0)


@every_model
def test_pixels_of_any_dtype_give_the_same_logits(model: Model) -> None:
    net, x = net_of(model), images(2, 32, 32, 3)
    whole, real = net(x), net(x.astype("float32"))
    assert np.array_equal(*map(keras.ops.convert_to_numpy, (whole, real)))


@every_model
def test_features_are_a_map_after_relu(model: Model) -> None:
    net, x = net_of(model), images(2, 32, 32, 3)
    features = keras.Model(net.input, net.get_layer("features").output)(x)
    assert features.shape[:3] == (2, 8, 8)
    assert keras.ops.convert_to_numpy(features).min() == 0.0
    assert net.output is net.get_layer("logits").output


@every_model
def test_any_model_may_end_in_a_cosine_of_the_scale_asked_for(model: Model) -> None:
    last = build(model, (32, 32, 3), 4, seed=0, cosine=7.0).get_layer("logits")
    assert isinstance(last, CosineLogits)
    assert (last.scale, last.kernel.shape[-1]) == (7.0, 4)


@pytest.mark.parametrize(
    "model",
    [
        Hybrid(depth=2, heads=4),
        Transformer(depth=2, heads=4),
        HybridPlus(depth=2, heads=6),
    ],
    ids=lambda m: m.kind,
)
def test_depth_and_heads_of_attention_are_the_settings(
    model: Hybrid | Transformer | HybridPlus,
) -> None:
    net = build(model, (32, 32, 3), 4, seed=0)
    found = [x.heads for x in net.layers if isinstance(x, Attention)]
    assert found == [model.heads] * 2


@pytest.mark.parametrize("model", [Cnn(dropout=0.45), Hybrid(dropout=0.45)])
def test_dropout_before_the_last_layer_is_the_setting(model: Cnn | Hybrid) -> None:
    assert build(model, (8, 8, 3), 4, seed=0).get_layer("dropout").rate == 0.45


def everything(net: keras.Model) -> list[np.ndarray]:
    """Weights, and logits with dropout on: all that a seed decides."""
    logits = net(images(8, 32, 32, 3), training=True)
    return [*net.get_weights(), keras.ops.convert_to_numpy(logits)]


@every_model
def test_a_seed_decides_weights_and_dropout_whatever_happened_before(
    model: Model,
) -> None:
    first = everything(build(model, (32, 32, 3), 10, seed=7))
    keras.utils.set_random_seed(1)
    build(Hybrid(depth=1), (16, 16, 1), 3, seed=2)
    second = everything(build(model, (32, 32, 3), 10, seed=7))
    assert all(map(np.array_equal, first, second))


@every_model
def test_another_seed_gives_other_weights_in_every_kernel(model: Model) -> None:
    one = net_of(model)
    other = build(model, (32, 32, 3), 10, seed=1)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        constant = np.ptp(a) == 0  # biases and normalisation start constant
        assert constant or not np.array_equal(a, b)


@every_model
def test_no_two_layers_draw_the_same_weights(model: Model) -> None:
    net = net_of(model)
    starts = [w.ravel()[:100] for w in net.get_weights() if np.ptp(w) > 0]
    scaled = {tuple(np.round(start / start[0], 3)) for start in starts}
    assert len(scaled) == len(starts)


@every_model
def test_a_saved_model_reopens_with_the_same_probabilities(
    model: Model, tmp_path: Path
) -> None:
    net = with_probabilities(net_of(model))
    net.save(tmp_path / "model.keras")
    reopened = keras.saving.load_model(tmp_path / "model.keras")
    x = images(3, 32, 32, 3)
    before, after = map(keras.ops.convert_to_numpy, (net(x), reopened(x)))
    assert np.array_equal(before, after)
    assert np.allclose(before.sum(1), 1.0)


@pytest.mark.parametrize("model", [Cnn(), Hybrid()], ids=lambda m: m.label)
def test_the_studys_models_are_built_of_kerass_own_layers(model: Model) -> None:
    net = with_probabilities(net_of(model))
    assert "tessera" not in json.dumps(net.get_config())
    assert {type(layer).__module__.split(".")[0] for layer in net.layers} == {"keras"}


def test_probabilities_share_their_weights_with_the_logits() -> None:
    net = build(Cnn(), (32, 32, 3), 10, seed=0)
    whole, x = with_probabilities(net), images(2, 32, 32, 3)
    net.set_weights([weight * 1.5 for weight in net.get_weights()])
    expected = keras.ops.softmax(net(x))
    assert np.allclose(whole(x), expected)
    assert whole.output is whole.get_layer("probabilities").output


def test_probabilities_stay_float32_in_mixed_precision() -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        net = build(Transformer(), (32, 32, 3), 10, seed=0)
        assert net(images(1, 32, 32, 3)).dtype == "float32"
        assert with_probabilities(net)(images(1, 32, 32, 3)).dtype == "float32"
    finally:
        keras.config.set_dtype_policy(before)


@every_model
def test_one_training_step_moves_every_weight_and_keeps_it_finite(
    model: Model,
) -> None:
    net = build(model, (32, 32, 3), 10, seed=0)
    adapt(net, images(8, 32, 32, 3), np.arange(8))
    before = list(map(keras.ops.convert_to_numpy, net.trainable_variables))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("sgd", loss, run_eagerly=True)  # tracing takes longer than a step
    net.train_on_batch(images(8, 32, 32, 3), np.arange(8))
    for variable, start in zip(net.trainable_variables, before, strict=True):
        after = keras.ops.convert_to_numpy(variable)
        assert np.isfinite(after).all()
        assert not np.array_equal(after, start)

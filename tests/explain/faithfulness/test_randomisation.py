"""Weights drawn anew in a copy: the original stays, the copy is explained afresh."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from keras import layers

from tessera.experiment import Cnn, Hybrid, HybridPlus, Transformer
from tessera.explain import gradcam
from tessera.explain.faithfulness import controls, mappers, randomisation, similarity
from tessera.explain.methods import GradCam
from tessera.models import build, whitening

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.float32)
TARGETS = np.arange(6, dtype=np.int32) % 4


@pytest.fixture(scope="module", params=[Cnn(), Hybrid(depth=1), Transformer()])
def net(request):
    return build.build(request.param, (32, 32, 3), 4, seed=3)


def kernels(net):
    return {
        w.path: w.numpy().copy() for w in net.trainable_weights if w.numpy().std() > 0
    }


def test_every_drawn_weight_is_new_though_its_layer_had_a_seed(net):
    old, new = kernels(net), kernels(randomisation.redrawn(net, seed=0))
    assert old.keys() == new.keys()
    for path, before in old.items():
        after = new[path]
        assert abs(np.corrcoef(before.ravel(), after.ravel())[0, 1]) < 0.5, path
        assert after.std() == pytest.approx(before.std(), rel=0.3), path


def test_what_training_does_not_learn_is_kept():
    net = build.build(HybridPlus(), (32, 32, 3), 4, seed=3)
    whitening.adapt(net, IMAGES.astype(np.uint8), np.arange(6))
    copy = randomisation.redrawn(net, seed=0)
    for old, new in zip(
        net.get_layer("whiten").get_weights(),
        copy.get_layer("whiten").get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(new, old)
    assert np.ptp(copy.predict_on_batch(IMAGES), axis=0).min() > 0


def test_within_a_nested_model_frozen_layers_are_kept_and_statistics_are_not():
    inner = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, trainable=False),
            layers.BatchNormalization(center=False, scale=False),
            layers.Dense(2),
        ]
    )
    net = keras.Sequential([keras.Input((4,)), inner])
    frozen, norm, trained = inner.layers
    norm.set_weights([np.full(3, 5.0), np.full(3, 6.0)])
    new_frozen, new_norm, new_trained = (
        randomisation.redrawn(net, seed=0).layers[0].layers
    )
    np.testing.assert_array_equal(new_frozen.kernel, frozen.kernel)
    np.testing.assert_array_equal(new_norm.get_weights(), [[0.0] * 3, [1.0] * 3])
    assert (np.asarray(new_trained.kernel) != np.asarray(trained.kernel)).any()


def test_the_seed_decides_the_new_weights(net):
    one, again, other = (kernels(randomisation.redrawn(net, seed=s)) for s in (0, 0, 1))
    assert all((one[k] == again[k]).all() for k in one)
    assert all((one[k] != other[k]).any() for k in one)


def test_explaining_copies_never_touches_the_original(net):
    before = [w.copy() for w in net.get_weights()]
    answers = net.predict_on_batch(IMAGES)
    mapper = mappers.mapper(GradCam())
    maps = mapper(net, IMAGES, TARGETS)
    steps = randomisation.cascade(net)[-1:]
    list(randomisation.explained(net, mapper, IMAGES, TARGETS, steps, seed=0))
    same = zip(before, net.get_weights(), strict=True)
    assert all((a == b).all() for a, b in same)
    assert (net.predict_on_batch(IMAGES) == answers).all()
    np.testing.assert_allclose(mapper(net, IMAGES, TARGETS), maps, atol=1e-6)


def test_only_the_named_layers_change():
    net = build.build(Cnn(), (32, 32, 3), 4, seed=3)
    copy = randomisation.randomised(net, ("logits", "conv2"), seed=0)
    for layer in net.layers:
        pairs = zip(
            layer.get_weights(), copy.get_layer(layer.name).get_weights(), strict=True
        )
        for old, new in pairs:
            if old.std() > 0:  # biases start at zero, drawn anew or not
                assert (old == new).all() == (layer.name not in ("logits", "conv2"))


def test_a_cascade_starts_at_the_logits_and_ends_with_every_layer(net):
    steps = randomisation.cascade(net)
    assert steps[0][0] == "logits"
    assert len(steps) == min(8, len(steps[-1]))
    assert set(steps[-1]) == {x.name for x in net.layers if x.trainable_weights}
    for shorter, longer in pairwise(steps):
        assert longer[: len(shorter)] == shorter and len(longer) > len(shorter)


def test_independent_steps_take_each_layer_once(net):
    alone = [name for step in randomisation.independent(net) for name in step]
    assert alone == list(randomisation.cascade(net)[-1])


def test_statistics_of_batch_normalisation_are_reset():
    pixels = keras.Input((4, 4, 1))
    net = keras.Model(pixels, layers.BatchNormalization(name="norm")(pixels))
    net.get_layer("norm").set_weights([np.full(1, v) for v in (2.0, 3.0, 4.0, 5.0)])
    fresh = randomisation.redrawn(net, seed=0).get_layer("norm")
    assert [w.tolist() for w in fresh.get_weights()] == [[1], [0], [0], [1]]


def test_layers_inside_a_nested_model_are_drawn_anew_too():
    inner_in = keras.Input((8, 8, 1))
    inner = keras.Model(inner_in, layers.Conv2D(4, 3, name="inside")(inner_in))
    pixels = keras.Input((8, 8, 1))
    net = keras.Model(pixels, layers.GlobalAveragePooling2D()(inner(pixels)))
    old, new = (m.get_weights()[0] for m in (net, randomisation.redrawn(net, seed=0)))
    assert (old != new).all()


def test_grad_cam_notices_random_weights_and_an_edge_map_does_not():
    """The check that a swapped model under an old explainer would pass in vain.

    The head of this net reads one channel, the vertical edges; with weights drawn anew
    the maps must change, while an edge map stays what it was.
    """
    pixels = keras.Input((16, 16, 1))
    maps = layers.Conv2D(4, 3, padding="same", activation="relu", name="features")(
        pixels
    )
    net = keras.Model(
        pixels, layers.Dense(2, name="logits")(layers.GlobalAveragePooling2D()(maps))
    )
    kernel = np.zeros((3, 3, 1, 4), np.float32)
    kernel[:, :, 0, 0] = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    net.get_layer("features").set_weights([kernel, np.zeros(4)])
    head = np.zeros((4, 2), np.float32)
    head[0, 0] = 1
    net.get_layer("logits").set_weights([head, np.zeros(2)])
    images = (
        np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1)).astype("float32")
    )
    targets = np.zeros(40, np.int32)

    def edges(_, images, __):
        return controls.edges(images, controls.Grid(16, 16))

    found = {}
    for name, mapper in (
        ("grad-cam", mappers.mapper(GradCam())),
        ("edges", edges),
    ):
        before = mapper(net, images, targets)
        steps = randomisation.cascade(net)[-1:]
        ((_, after),) = randomisation.explained(
            net, mapper, images, targets, steps, seed=0
        )
        found[name] = np.nanmean(similarity.spearman(before, after))
    assert abs(found["grad-cam"]) < 0.5
    assert found["edges"] == pytest.approx(1)


def test_a_copys_maps_are_those_of_its_own_weights():
    net = build.build(Cnn(), (32, 32, 3), 4, seed=3)
    mapper = mappers.mapper(GradCam())
    steps = randomisation.cascade(net)
    for layers_anew, maps in randomisation.explained(
        net, mapper, IMAGES, TARGETS, steps, seed=0
    ):
        copy = randomisation.randomised(net, layers_anew, seed=0)
        expected = gradcam.explain(copy, IMAGES, targets=TARGETS).raw
        np.testing.assert_allclose(maps, expected, atol=1e-6)

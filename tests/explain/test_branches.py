"""The maps of two branches are what each passes on, and add up to the whole."""

import keras
import numpy as np
import pytest
from keras import layers

from tessera.experiment import Hybrid
from tessera.explain import branches, gradcam, maps
from tessera.explain.graph import ExplainError
from tessera.explain.methods import GradCam, HiResCam
from tessera.explain.targets import Contrast
from tessera.models import build


def cut_off(net, name, rows):
    """Set the weights of a branch in the first layer after the fusion to zero."""
    kernel, *rest = net.get_layer(name).get_weights()
    kernel[rows] = 0
    net.get_layer(name).set_weights([kernel, *rest])


@pytest.mark.parametrize(
    "method,target",
    [
        (GradCam(), "predicted"),
        (GradCam(), 3),
        (HiResCam(), Contrast("predicted", 1)),
    ],
    ids=("gradcam-predicted", "gradcam-class", "hirescam-contrast"),
)
def test_the_branches_add_up_to_the_map_computed_whole(
    nonlinear, images, method, target
):
    net = nonlinear()
    found = branches.explain(net, images, method=method, target=target)
    whole = maps.compute(net, images, method=method, target=target, layer="features")
    scale = np.abs(whole.raw).max()
    np.testing.assert_allclose(found.raw.sum(axis=0), whole.raw, atol=1e-6 * scale)
    assert all(np.abs(part).max() > 1e-3 * scale for part in found.raw)


def test_the_residual_is_the_largest_miss_relative_to_the_largest_cell():
    raw = np.array([[[[1, 2]]], [[[3, 4]]]], np.float32)
    total = np.array([[[4.5, 5]]], np.float32)  # misses 0.5 and 1 of at most 5
    np.testing.assert_allclose(branches.residuals(raw, total), [0.2])
    np.testing.assert_array_equal(branches.residuals(0 * raw, 0 * total), [0])


def test_a_branch_whose_weights_are_zero_has_an_empty_map(nonlinear, images):
    for rows, empty in ((slice(0, 6), 0), (slice(6, 10), 1)):
        net = nonlinear()
        cut_off(net, "hidden", rows)
        found = branches.explain(net, images, target=2)
        assert not found.raw[empty].any()
        assert found.raw[1 - empty].any()
        np.testing.assert_allclose(found.raw[1 - empty], found.total.raw, rtol=1e-5)


def test_a_branch_is_explained_through_the_head_as_it_stands(nonlinear, images):
    # Freeze v as a constant input of the head: what is left is the CNN branch alone.
    net = nonlinear()
    features = net.get_layer("features").output
    vector = keras.Function([net.inputs[0]], [net.get_layer("v").output])(
        [keras.ops.convert_to_tensor(images[:1], "float32")]
    )[0]
    held = layers.Lambda(lambda x: x * 0 + vector)(
        layers.Dense(4, use_bias=False)(layers.GlobalAveragePooling2D()(features))
    )
    fused = layers.Concatenate()([net.get_layer("u").output, held])
    logits = net.get_layer("logits")(net.get_layer("hidden")(fused))
    alone = gradcam.explain(
        keras.Model(net.inputs, logits), images[:1], targets=np.array([1])
    )
    found = branches.explain(net, images[:1], target=1)
    scale = np.abs(alone.raw).max()
    np.testing.assert_allclose(found.raw[0], alone.raw, atol=1e-6 * scale)


def test_the_studys_hybrid_is_split_by_its_own_names():
    net = build.build(Hybrid(), (32, 32, 3), 10, seed=0)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    found = branches.explain(net, pixels)
    assert found.names == ("average", "token_average")
    assert found.raw.shape == (2, 3, 8, 8)
    assert found.residuals.max() < 1e-5


def test_in_batches_every_image_is_split_as_if_alone(nonlinear, images):
    net = nonlinear()
    together = branches.explain(net, images, batch_size=4)
    alone = branches.explain(net, images[6:7])
    np.testing.assert_allclose(together.raw[:, 6:7], alone.raw, atol=1e-6)


def test_the_model_is_left_as_it_was(nonlinear, images):
    net = nonlinear()
    before = [weight.copy() for weight in net.get_weights()]
    nodes = [len(layer._inbound_nodes) for layer in net.layers]
    branches.explain(net, images)
    assert nodes == [len(layer._inbound_nodes) for layer in net.layers]
    for one, other in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_without_two_branches_is_refused(linear, images):
    with pytest.raises(ExplainError, match=r"of this model: none. Received: 'fusion'"):
        branches.fork(linear([1.0], [[1.0, 2.0]]))


def test_a_layer_that_is_no_meeting_point_is_refused(nonlinear):
    with pytest.raises(ExplainError, match=r"fusion.*'u', which is given 1"):
        branches.fork(nonlinear(), fusion="u")


def test_tokens_are_no_map_that_branches_share(hybrid):
    net = hybrid()
    tokens = next(layer.name for layer in net.layers if layer.name.startswith("multi"))
    with pytest.raises(ExplainError, match=f"share. Received: '{tokens}', whose outp"):
        branches.fork(net, layer=tokens)


def test_a_path_around_the_fusion_is_refused():
    pixels = keras.Input((8, 8, 3))
    maps_ = layers.Conv2D(4, 3, name="features")(pixels)
    ends = [layers.GlobalAveragePooling2D()(maps_) for _ in range(3)]
    fused = layers.Concatenate(name="fusion")(ends[:2])
    both = layers.Concatenate()([fused, ends[2]])
    with pytest.raises(ExplainError, match="some go around it"):
        branches.fork(keras.Model(pixels, layers.Dense(2)(both)))

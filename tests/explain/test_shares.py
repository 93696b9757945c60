"""A logit is divided between two branches without remainder."""

import keras
import numpy as np
import pytest

from tessera.experiment import Hybrid
from tessera.explain import gradients, maps, shares
from tessera.explain.graph import ExplainError
from tessera.explain.methods import HiResCam
from tessera.explain.shares import ClassShares
from tessera.models import build


def test_the_shapley_values_of_a_product_are_half_of_it_each():
    # y(u, v) = u v with u = 2, v = 3 and references 0: y is 6, and 0 in all else.
    values, base = shares.shapley(
        np.array([[6.0]]), np.array([[0.0]]), np.array([[0.0]]), np.array([0.0])
    )
    assert values.tolist() == [[[3.0]], [[3.0]]] and base.tolist() == [0.0]


def test_the_shapley_values_of_an_asymmetric_game_are_the_papers():
    # y: both 10, first alone 4, second alone 1, none 2.
    # First: ((10 - 1) + (4 - 2)) / 2 = 5.5; second: ((10 - 4) + (1 - 2)) / 2 = 2.5.
    values, base = shares.shapley(
        np.array([[10.0]]), np.array([[4.0]]), np.array([[1.0]]), np.array([2.0])
    )
    assert values.ravel().tolist() == [5.5, 2.5]
    assert values.sum() + base == 10


def test_with_an_affine_head_the_parts_are_the_terms_of_the_ledger(nonlinear, images):
    net = nonlinear(hidden=None)
    found = shares.split(net, images)
    first, offset = net.get_layer("hidden").get_weights()
    second, bias = net.get_layer("logits").get_weights()
    kernel = first.astype(np.float64) @ second
    vectors = gradients.batches(gradients.cut(net, "features"), images)
    u = np.concatenate([b.features for b in vectors]).mean(axis=(1, 2))
    np.testing.assert_allclose(found.parts[0], u @ kernel[:6], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.base, offset @ second + bias, atol=1e-6)
    assert found.kind == shares.LEDGER
    assert found.residuals.max() < 1e-4


def test_the_ledger_is_the_sum_of_the_maps_of_both_branches(hybrid, images):
    # GAP + dense: E_u(i, j) = sum_k W_ck A_ijk / Z, which HiResCAM draws, is local; its
    # sum is the branch's term. Tokens are averaged as well, so the same holds there.
    net = hybrid()
    fusion = next(x.name for x in net.layers if x.name.startswith("concatenate"))
    found = shares.split(net, images, fusion=fusion)
    tokens = next(x.name for x in net.layers if x.name.startswith("multi_head"))
    evidence = maps.compute(
        net, images, method=HiResCam(), target=2, layer=tokens, grid=(8, 8)
    )
    np.testing.assert_allclose(
        evidence.raw.sum(axis=(1, 2)), found.parts[1, :, 2], rtol=1e-4, atol=1e-7
    )


def test_with_a_nonlinear_head_the_parts_still_sum_to_the_logits(nonlinear, images):
    net = nonlinear()
    found = shares.split(net, images, reference=images[:4])
    assert found.kind == shares.SHAPLEY
    logits = np.asarray(net(images.astype("float32")))
    np.testing.assert_allclose(found.logits, logits, atol=1e-6)
    np.testing.assert_allclose(
        found.base + found.parts.sum(axis=0), logits, rtol=1e-4, atol=1e-5
    )
    assert found.residuals.max() < 1e-4
    assert all(np.abs(part).max() > 1e-4 for part in found.parts)


def test_a_branch_that_is_at_its_reference_adds_nothing(nonlinear, images):
    net = nonlinear()
    found = shares.split(net, images[:1], reference=images[:1])
    np.testing.assert_allclose(found.parts, 0, atol=1e-6)


def test_a_branch_whose_weights_are_zero_adds_nothing(nonlinear, images):
    net = nonlinear()
    kernel, bias = net.get_layer("hidden").get_weights()
    kernel[6:] = 0
    net.get_layer("hidden").set_weights([kernel, bias])
    found = shares.split(net, images, reference=images[:4])
    np.testing.assert_allclose(found.parts[1], 0, atol=1e-6)
    assert np.abs(found.parts[0]).max() > 1e-4


def test_given_vectors_are_as_good_as_the_images_they_are_the_mean_of(
    nonlinear, images
):
    net = nonlinear()
    pixels = [keras.ops.convert_to_tensor(images, "float32")]
    means = tuple(
        np.asarray(
            keras.Function(net.inputs, [net.get_layer(name).output])(pixels)[0]
        ).mean(axis=0)
        for name in ("u", "v")
    )
    by_images = shares.split(net, images, reference=images)
    by_vectors = shares.split(net, images, reference=means)
    np.testing.assert_allclose(by_images.parts, by_vectors.parts, atol=1e-6)


def test_the_batch_size_does_not_change_the_parts(nonlinear, images):
    net = nonlinear()
    whole = shares.split(net, images, reference=images)
    parts = shares.split(net, images, reference=images, batch_size=3)
    np.testing.assert_allclose(whole.parts, parts.parts, atol=1e-6)


def test_the_head_of_the_studys_hybrid_is_said_to_be_nonlinear():
    net = build.build(Hybrid(), (32, 32, 3), 10, seed=0)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    with pytest.raises(ExplainError, match="the head after 'fusion' is non-linear"):
        shares.split(net, pixels)
    found = shares.split(net, pixels, reference=pixels)
    assert "non-linear" in found.kind and found.residuals.max() < 1e-4


def test_vectors_of_another_length_are_refused(nonlinear, images):
    wrong = (np.zeros(6, np.float32), np.zeros(5, np.float32))
    with pytest.raises(ExplainError, match=r"\(6,\) and \(4,\). Received: \(6,\) and"):
        shares.split(nonlinear(), images, reference=wrong)


def test_no_images_are_refused(nonlinear, images):
    with pytest.raises(ExplainError, match="at least one"):
        shares.split(nonlinear(), images[:0])


def found(parts):
    parts = np.array(parts, np.float64)
    n, k = parts.shape[1:]
    return shares.Shares(
        ("cnn", "tokens"), "", parts, np.zeros(k), np.zeros((n, k)), np.zeros(n)
    )


def test_a_class_is_described_by_its_own_images_and_logit():
    # Images 0 and 1 are of class 0, image 2 of class 1; class 2 has none.
    # Less the mean over classes: first branch 3 - 2 and 5 - 2, second 1 - 0 and 1 - 0.
    first = [[3, 3, 0], [5, 1, 0], [0, 6, 0]]
    second = [[1, -1, 0], [1, 0, -1], [0, 3, 0]]
    rows = shares.by_class(found([first, second]), np.array([0, 0, 1]), "abc")
    assert rows == (ClassShares("a", 2, 2.0, 1.0), ClassShares("b", 1, 4.0, 2.0))
    assert rows[0].share == pytest.approx(1 / 3)


def test_a_number_that_all_classes_share_plays_no_part():
    parts = np.random.default_rng(0).random((2, 4, 3))
    labels = np.array([0, 1, 2, 0])
    plain = shares.by_class(found(parts), labels, "abc")
    shifted = shares.by_class(found(parts + np.array([[[7]], [[-3]]])), labels, "abc")
    for one, other in zip(plain, shifted, strict=True):
        assert one.first == pytest.approx(other.first)
        assert one.second == pytest.approx(other.second)


@pytest.mark.parametrize("first, second", [(1, -1), (-1, 2), (-1, -1), (0, 0)])
def test_there_is_no_share_where_a_branch_speaks_against_the_class(first, second):
    assert ClassShares("a", 1, first, second).share is None


def test_two_runs_are_compared_class_by_class_minority_first():
    before = (ClassShares("a", 1, 1, 1), ClassShares("b", 1, 2, 1))
    after = (ClassShares("a", 1, 1, 3), ClassShares("b", 1, 1, 1))
    changes = shares.compare(before, after, ["b"])
    assert [change.before.name for change in changes] == ["b", "a"]
    assert [change.reduced for change in changes] == [True, False]
    assert changes[1].after.share == 0.75


def test_runs_of_other_classes_are_not_compared():
    with pytest.raises(ExplainError, match=r"the same classes, a. Received: b"):
        shares.compare((ClassShares("a", 1, 1, 1),), (ClassShares("b", 1, 1, 1),), [])

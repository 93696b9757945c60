"""Maps and branch shares against their definitions."""

from dataclasses import replace

import numpy as np
import pytest
import toy_run

from tessera.arrays import Images
from tessera.experiment import Cnn
from tessera.explain import gradcam, gradients
from tessera.models import build
from tessera.serve import insight
from tessera.serve.insight import Insight
from tessera.trained import Trained


@pytest.fixture(scope="module")
def images() -> Images:
    return toy_run.digits().test.images[:8]


@pytest.fixture(scope="module")
def known(model: Trained, images: Images) -> Insight:
    return insight.prepare(model, images[4:])


def test_gradcam_is_the_packages_own(
    model: Trained, known: Insight, images: Images
) -> None:
    found = insight.explain(known, images[0], 7, "gradcam")
    expected = gradcam.explain(model.net, images[:1], targets=np.array([7], np.int32))
    np.testing.assert_allclose(found.raw, expected.raw, rtol=1e-5, atol=1e-6)
    assert found.reasons.tolist() == expected.reasons.tolist()


def test_hirescam_is_gradient_times_activation_cell_by_cell(
    model: Trained, known: Insight, images: Images
) -> None:
    direction = np.eye(10, dtype=np.float32)[[7]]
    cut = gradients.cut(model.net, "features")
    (batch,) = gradients.batches(cut, images[:1], direction)
    expected = np.einsum("hwc,hwc->hw", batch.features[0], batch.gradients[0])
    found = insight.explain(known, images[0], 7, "hirescam")
    np.testing.assert_allclose(found.raw[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("key", insight.METHODS)
def test_every_offered_method_gives_a_map(
    known: Insight, images: Images, key: str
) -> None:
    found = insight.explain(known, images[0], 7, key)
    assert found.raw.ndim == 3 and np.isfinite(found.raw).all()
    assert found.method == insight.METHODS[key]
    assert key in known.methods()


def test_both_parts_and_the_base_sum_to_the_logit(
    model: Trained, known: Insight, images: Images
) -> None:
    assert known.branched is not None
    for target in range(10):
        parts = insight.shares(known.branched, images[0], target)
        logit = model.logits(images[:1])[0, target]
        assert sum(parts) == pytest.approx(float(logit), rel=1e-4, abs=1e-4)


def test_an_image_with_the_reference_vectors_adds_nothing(
    model: Trained, images: Images
) -> None:
    known = insight.prepare(model, images[:1])
    assert known.branched is not None
    first, second, base = insight.shares(known.branched, images[0], 3)
    assert (first, second) == pytest.approx((0, 0), abs=1e-4)
    assert base == pytest.approx(float(model.logits(images[:1])[0, 3]), rel=1e-4)


def test_a_model_of_one_branch_or_without_examples_has_no_shares(
    model: Trained, images: Images
) -> None:
    assert insight.prepare(model, images[:0]).branched is None
    net = build.build(Cnn(), (16, 16, 3), 10, seed=0)
    run = model.run.model_copy(update={"model": Cnn()})
    other = replace(model, net=net, run=run)
    assert insight.prepare(other, images).branched is None


def test_a_map_too_coarse_to_show_a_place_is_refused(
    model: Trained, images: Images
) -> None:
    coarse = replace(model, net=build.build(Cnn(), (8, 8, 3), 10, seed=0))
    known = insight.prepare(coarse, images[:0])
    assert known.cut is None
    assert "gradcam" not in known.methods() and "occlusion" in known.methods()
    with pytest.raises(gradcam.CoarseGrid):
        insight.explain(known, images[0], 0, "gradcam")

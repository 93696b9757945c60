"""The closed form against gradients, with patches that fit the map and that do not."""

import numpy as np
import pytest

from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Transformer
from tessera.explain import gradients
from tessera.export import closed_form
from tessera.models import build

MODELS = [Cnn(), Hybrid(), Hybrid(patch=3, width=24), Hybrid(patch=1)]


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("shape", [(16, 16, 3), (28, 20, 1)])
def test_it_is_the_spatial_mean_of_the_gradient(
    model: Model, shape: tuple[int, int, int]
) -> None:
    net = build.build(model, shape, 4, seed=3)
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), dtype=np.uint8)
    (batch,) = gradients.batches(gradients.cut(net, "features"), images)
    expected = batch.gradients.mean(axis=(1, 2))

    hidden = net.get_layer("head").output
    inner = type(net)(net.input, hidden).predict_on_batch(images.astype(np.float32))
    kernel = np.asarray(net.get_layer("logits").kernel.numpy())
    rows = kernel[:, batch.logits.argmax(axis=1)].T
    alpha = ((inner > 0) * rows) @ closed_form.weights(model, net).T
    largest = np.abs(expected).max()
    np.testing.assert_allclose(alpha, expected, atol=1e-5 * largest)


def test_models_with_attention_have_none() -> None:
    for model in (Cnn(), Hybrid(), Hybrid(depth=1), Transformer(), HybridPlus()):
        net = build.build(model, (16, 16, 3), 4, seed=0)
        assert closed_form.exists(model, net) is (model in (Cnn(), Hybrid()))


def test_a_cosine_in_place_of_the_last_layer_has_none() -> None:
    net = build.build(Cnn(), (16, 16, 3), 4, seed=0, cosine=10.0)
    assert not closed_form.exists(Cnn(), net)

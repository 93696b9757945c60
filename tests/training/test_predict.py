"""Prediction: the order of the images, and no effect of the batch size."""

import numpy as np

from tessera.experiment import Hybrid
from tessera.models import build
from tessera.training import predict


def test_the_batch_size_does_not_change_the_logits() -> None:
    net = build.build(Hybrid(), (8, 8, 3), 3, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    whole = predict.logits(net, images)
    parts = predict.logits(net, images, batch_size=2)
    assert whole.shape == (7, 3) and whole.dtype == np.float32
    np.testing.assert_allclose(whole, parts, atol=1e-5)

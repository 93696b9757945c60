"""Prediction: the order of the images, and no effect of how many a call takes."""

import keras
import numpy as np
import pytest

from tessera.experiment import Hybrid
from tessera.models import build
from tessera.training import predict


def test_how_many_images_a_call_takes_does_not_change_the_logits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = build.build(Hybrid(), (8, 8, 3), 3, seed=0)
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 3), dtype=np.uint8)
    whole = predict.logits(net, images)
    monkeypatch.setattr(predict, "at_once", lambda _: 2)
    parts = predict.logits(net, images)
    assert whole.shape == (7, 3) and whole.dtype == np.float32
    np.testing.assert_allclose(whole, parts, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="asks its graphs")
def test_tensorflow_traces_a_model_once_for_any_number_of_images() -> None:
    net = build.build(Hybrid(), (8, 8, 3), 3, seed=0)
    for count in (5, 3, 1):
        predict.logits(net, np.zeros((count, 8, 8, 3), np.uint8))
    assert net.predict_function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("side", "images"), [(8, 500), (32, 500), (64, 500), (128, 125), (512, 7)]
)
def test_a_call_takes_fewer_images_the_larger_they_are(side: int, images: int) -> None:
    """A layer of 32 channels then gives at most 262 MB, whatever the images' size."""
    pixels = np.zeros((1, side, side, 3), np.uint8)
    assert predict.at_once(pixels) == images
    assert 4 * 32 * images * side**2 <= 262_144_000
    half, twice = (
        np.zeros((1, *s, 3), np.uint8)
        for s in ((side // 2, side * 2), (side * 2, side // 2))
    )
    assert predict.at_once(half) == predict.at_once(twice) == images


def test_a_call_takes_one_image_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "PIXELS", 10)
    assert predict.at_once(np.zeros((1, 8, 8, 3), np.uint8)) == 1

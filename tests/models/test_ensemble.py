"""Networks asked together: the mean of their probabilities, in one network."""

from pathlib import Path

import keras
import numpy as np
import pytest
from scipy import special

from tessera.experiment import Cnn, Transformer
from tessera.models.build import build
from tessera.models.ensemble import ensemble
from tessera.models.portable import portable
from tessera.training import predict

SIDE, TEMPERATURES = 12, (0.5, 2.0, 1.0)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)


@pytest.fixture(scope="module")
def nets() -> dict[str, keras.Model]:
    shape = (SIDE, SIDE, 3)
    return {f"seed-{s}": build(Transformer(), shape, 4, seed=s) for s in (0, 1, 7)}


def mean(nets: dict[str, keras.Model]) -> np.ndarray:
    logits = [predict.logits(net, IMAGES).astype(float) for net in nets.values()]
    pairs = zip(logits, TEMPERATURES, strict=True)
    return np.mean([special.softmax(z / t, axis=1) for z, t in pairs], axis=0)


def test_the_softmax_of_its_logits_is_the_mean_of_its_members_probabilities(
    nets: dict[str, keras.Model],
) -> None:
    net = ensemble(nets, TEMPERATURES)
    found = special.softmax(predict.logits(net, IMAGES).astype(float), axis=1)
    np.testing.assert_allclose(found, mean(nets), atol=1e-6)
    assert {"seed-0", "seed-1", "seed-7"} <= {layer.name for layer in net.layers}
    assert net.count_params() == sum(one.count_params() for one in nets.values())


def test_logits_beyond_what_a_probability_can_be_stay_finite() -> None:
    nets = {str(s): build(Cnn(), (SIDE, SIDE, 3), 4, seed=s) for s in (0, 1)}
    for net in nets.values():
        net.get_layer("logits").bias.assign([0.0, 500.0, -500.0, 0.0])
    logits = predict.logits(ensemble(nets, (1.0, 1.0)), IMAGES)
    assert np.isfinite(logits).all() and (logits[:, 2] < -900).all()


def test_in_layers_of_keras_alone_it_is_saved_and_opened_again(
    nets: dict[str, keras.Model], tmp_path: Path
) -> None:
    plain = portable(ensemble(nets, TEMPERATURES))
    assert "tessera" not in plain.to_json()
    plain.save(tmp_path / "model.keras")
    opened = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    found = special.softmax(predict.logits(opened, IMAGES).astype(float), axis=1)
    np.testing.assert_allclose(found, mean(nets), atol=1e-6)

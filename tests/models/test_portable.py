"""A file for use elsewhere: the same answers from Keras's own layers alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Transformer
from tessera.models import logits
from tessera.models.build import build, with_probabilities
from tessera.models.portable import portable

OURS = (Transformer(), HybridPlus(), Hybrid(name="attention", depth=1))
ALONE = """
import os, sys
others = {"jax", "matplotlib", "sklearn"} - {os.environ.get("KERAS_BACKEND")}
sys.modules.update(dict.fromkeys(others))
import keras
import numpy as np
images, out, *files = sys.argv[1:]
nets = [keras.saving.load_model(file) for file in files]
np.save(out, [net(np.load(images)) for net in nets])
assert not [name for name in sys.modules if name.startswith("tessera")]
"""
"""Without what Keras and TensorFlow load where it happens to be there, unless it is the
backend: half of the loading."""


def images(side: int = 12) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.uniform(0, 255, (4, side, side, 3)).astype(np.float32)


def network(model: Model, cosine: float | None = None) -> Any:
    """Weights that differ everywhere, as after a training."""
    net = build(model, (12, 12, 3), 5, seed=0, cosine=cosine)
    random = np.random.default_rng(1)
    net.set_weights([w + random.normal(0, 0.02, w.shape) for w in net.get_weights()])
    return net


@pytest.mark.parametrize("model", OURS, ids=lambda m: m.label)
def test_it_answers_as_the_original_does(model: Model) -> None:
    net = with_probabilities(network(model))
    plain = portable(net)
    expected = net(images())
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(plain(images()), expected, atol=1e-6)


@pytest.mark.parametrize("model", (Cnn(), Transformer()), ids=lambda m: m.label)
def test_a_cosine_head_keeps_what_was_corrected_in_it(model: Model) -> None:
    net = network(model, cosine=30.0)
    logits.scale_and_shift(net, np.linspace(0.5, 2, 5), np.linspace(-1, 1, 5))
    found = portable(net)(images())
    np.testing.assert_allclose(found, net(images()), rtol=1e-4)


@pytest.mark.parametrize("cosine", [None, 30.0])
@pytest.mark.parametrize("model", OURS, ids=lambda m: m.label)
def test_nothing_in_it_is_ours(model: Model, cosine: float | None) -> None:
    net = network(model, cosine)
    plain = portable(net)
    assert "tessera" in json.dumps(net.get_config())
    assert "tessera" not in json.dumps(plain.get_config())
    theirs = {layer.name for layer in net.layers if "attention" not in layer.name}
    assert theirs <= {layer.name for layer in plain.layers}


def test_a_model_within_a_model_is_made_of_kerass_layers_too() -> None:
    pixels = keras.Input((12, 12, 3))
    outer = keras.Model(pixels, network(HybridPlus(widths=(4, 8), heads=2))(pixels))
    plain = portable(outer)
    assert "tessera" not in json.dumps(plain.get_config())
    np.testing.assert_allclose(plain(images()), outer(images()), atol=1e-6)


def test_attention_drops_as_much_of_its_weights_when_it_is_trained_on() -> None:
    net = network(Transformer())
    plain = portable(net)
    for block in ("block1", "block2"):
        own = net.get_layer(f"{block}_attention").drop
        found = plain.get_layer(f"{block}_attention_dropout")
        assert (found.rate, found.seed) == (own.rate, own.seed)
        assert found.rate > 0


def test_a_model_of_kerass_own_layers_is_left_as_it_is() -> None:
    net = network(Cnn())
    assert portable(net) is net


def test_making_it_draws_no_random_number() -> None:
    keras.utils.set_random_seed(3)
    expected = keras.random.uniform((4,))
    net = network(Transformer(), 30.0)
    keras.utils.set_random_seed(3)
    portable(net)
    np.testing.assert_array_equal(keras.random.uniform((4,)), expected)


def test_keras_alone_opens_the_files(tmp_path: Path) -> None:
    nets = [network(model, cosine=30.0) for model in (Transformer(), HybridPlus())]
    files = [tmp_path / f"{index}.keras" for index in range(len(nets))]
    for net, file in zip(nets, files, strict=True):
        portable(net).save(file)
    pixels, out = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(pixels, images())
    # In a folder without Tessera's sources, and Python adds none by itself.
    words = [sys.executable, "-I", "-c", ALONE, pixels, out, *files]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for net, found in zip(nets, np.load(out), strict=True):
        expected = net(images())
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

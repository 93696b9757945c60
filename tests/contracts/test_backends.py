"""A step of every remedy here, and what TensorFlow and JAX compute alike.

One process on the other backend does all.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Callable

import elsewhere
import keras
import numpy as np
import pytest

from contracts import both, one_step
from tessera import catalogue
from tessera.imbalance.plan import plan

OTHER = "jax" if keras.backend.backend() == "tensorflow" else "tensorflow"
installed = pytest.mark.skipif(
    importlib.util.find_spec(OTHER) is None, reason=f"{OTHER} is not installed"
)

Computed = Callable[[str], tuple[both.Arrays, both.Arrays]]


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Computed:
    """A part's arrays, as computed here and on the other backend."""
    folder = tmp_path_factory.mktemp("both")
    both.prepare(folder)
    subprocess.run(
        [sys.executable, both.__file__, folder],
        env=elsewhere.environment(OTHER) | {"TF_CPP_MIN_LOG_LEVEL": "2"},
        check=True,
    )

    def compute(part: str) -> tuple[both.Arrays, both.Arrays]:
        there = dict(np.load(folder / f"{part}.npz"))
        assert there.pop("backend") == OTHER
        assert "error" not in there, str(there["error"])
        here = both.PARTS[part](folder)
        assert here.keys() == there.keys()
        return here, there

    return compute


@installed
@pytest.mark.slow
def test_every_models_logits_and_losses_are_the_same(computed: Computed) -> None:
    here, there = computed("models")
    assert len(here) == 2 * len(both.MODELS)
    for name, values in here.items():
        np.testing.assert_allclose(values, there[name], atol=1e-5, err_msg=name)


@installed
@pytest.mark.slow
def test_the_models_formulations_agree_there_too(computed: Computed) -> None:
    assert computed("formulations") == ({}, {})


@installed
@pytest.mark.slow
def test_one_step_of_every_remedy_changes_weights_finitely_and_alike(
    computed: Computed,
) -> None:
    here, there = computed("steps")
    for name, weights in here.items():
        assert np.isfinite(weights).all(), name
        np.testing.assert_allclose(
            weights, there[name], rtol=1e-5, atol=1e-6, err_msg=name
        )


@installed
@pytest.mark.slow
def test_every_methods_maps_are_the_same(computed: Computed) -> None:
    here, there = computed("heatmaps")
    for name, values in here.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(values, there[name], atol=2e-5 * scale, err_msg=name)


@pytest.mark.parametrize(("name", "index"), one_step.CASES)
def test_every_phase_moves_what_it_trains(name: str, index: int) -> None:
    trains = plan(catalogue.named(name), one_step.COUNTS).phases[index].trains
    fresh = one_step.model(catalogue.named(name).loss).get_layer("logits")
    after = one_step.step(name, index)
    moved = not np.array_equal(after[0], fresh.get_weights()[0])
    assert moved == (trains != "scales")
    if trains == "scales":
        assert not np.array_equal(after[-1], np.ones(3))

"""A model takes over a finished run's weights, all but those of its last layer."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import toy_run

from tessera import files
from tessera.experiment import Hybrid, HybridPlus, Start
from tessera.models import build, starting, weights
from tessera.models.blocks import ModelError
from tessera.models.rebuild import RunError, rebuild
from tessera.record import RunFolder

SHAPE = (toy_run.SIZE, toy_run.SIZE, 3)


def start_of(folder: RunFolder) -> Start:
    return Start(run=str(folder.path), sha256=files.sha256(folder.weights))


@pytest.fixture(scope="module")
def plus(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A hybrid-plus of which every weight and statistic is another number."""
    folder = RunFolder(tmp_path_factory.mktemp("plus") / "seed-0")
    toy_run.write_run(folder, toy_run.experiment([HybridPlus()]).runs()[0])
    net = rebuild(folder).net
    drawn = np.random.default_rng(0)
    net.set_weights([drawn.random(w.shape, np.float32) for w in net.get_weights()])
    weights.save(net, folder.weights)
    return folder


def test_all_but_the_last_layer_is_the_runs_statistics_and_filters_too(
    plus: RunFolder,
) -> None:
    source = rebuild(plus).net
    net = build.build(HybridPlus(), SHAPE, 3, seed=7)
    own = net.get_layer("logits").get_weights()
    starting.begin(net, start_of(plus))
    for layer in net.layers:
        wanted = source.get_layer(layer.name).get_weights()
        if layer.name == "logits":
            wanted = own
        for got, expected in zip(layer.get_weights(), wanted, strict=True):
            np.testing.assert_array_equal(got, expected)


def test_the_number_of_classes_may_be_another_one(toy: RunFolder) -> None:
    net = build.build(Hybrid(), SHAPE, 2, seed=0)
    starting.begin(net, start_of(toy))
    assert net.output_shape == (None, 2)


def test_weights_that_were_changed_since_are_refused(toy: RunFolder) -> None:
    other = Start(run=str(toy.path), sha256="0" * 64)
    net = build.build(Hybrid(), SHAPE, 10, seed=0)
    with pytest.raises(RunError, match=r"expected the weights .* \(SHA-256 0{12}\)"):
        starting.begin(net, other)


def test_a_run_that_is_gone_is_named(toy: RunFolder, tmp_path: Path) -> None:
    gone = start_of(toy).model_copy(update={"run": str(tmp_path / "gone")})
    net = build.build(Hybrid(), SHAPE, 10, seed=0)
    with pytest.raises(RunError, match=r"gone: expected .* no such folder"):
        starting.begin(net, gone)


def test_weights_of_another_architecture_are_refused(toy: RunFolder) -> None:
    net = build.build(Hybrid(width=64), SHAPE, 10, seed=0)
    with pytest.raises(ModelError, match=r"whose weights do not fit"):
        starting.begin(net, start_of(toy))


def test_a_run_lies_wherever_its_folder_was_moved(
    toy: RunFolder, tmp_path: Path
) -> None:
    shutil.copytree(toy.path, tmp_path / "moved")
    moved = start_of(toy).model_copy(update={"run": str(tmp_path / "moved")})
    net = build.build(Hybrid(), SHAPE, 10, seed=0)
    starting.begin(net, moved)

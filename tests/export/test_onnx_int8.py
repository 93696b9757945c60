"""Rounded to 8 bits: what is rounded, by how much, and which images set the scales."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from tessera import selection
from tessera.data.dataset import Dataset
from tessera.ensembled import Ensemble
from tessera.experiment import (
    Cnn,
    Exponential,
    Hybrid,
    HybridPlus,
    Model,
    Regime,
    Transformer,
)
from tessera.export import onnx_int8
from tessera.models import build
from tessera.trained import Trained

MODELS = [Cnn(), Hybrid(), Hybrid(depth=1), Transformer(), HybridPlus()]


@pytest.fixture(scope="module")
def path(
    model: Trained, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("rounded")
    onnx_int8.write(model, folder / "model.onnx", dataset)
    assert [file.name for file in folder.iterdir()] == ["model.onnx"]
    return folder / "model.onnx"


def with_network(model: Trained, settings: Model) -> Trained:
    net = build.build(settings, model.record.data.image_shape, 10, seed=5)
    return replace(model, net=net, run=model.run.model_copy(update={"model": settings}))


def kernels(path: Path) -> dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]]:
    """Whole numbers and scales of every convolution's kernel, by its shape."""
    graph = onnx.load(path).graph
    arrays = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    return {
        arrays[node.input[0]].shape: (arrays[node.input[0]], arrays[node.input[1]])
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in arrays
        if arrays[node.input[0]].ndim == 4
    }


def test_kernels_are_rounded_to_7_bits_with_a_scale_for_each_output_channel(
    model: Trained, path: Path
) -> None:
    layers = [layer for layer in model.net.layers if "conv" in layer.name]
    found = kernels(path)
    assert len(found) >= 2
    for layer in layers:
        kernel = np.asarray(layer.kernel).transpose(3, 2, 0, 1)
        whole, scales = found[kernel.shape]
        assert whole.dtype == np.int8 and np.abs(whole.astype(int)).max() <= 64
        assert scales.shape == kernel.shape[:1]
        steps = kernel / scales[:, None, None, None]
        assert np.abs(steps - whole).max() <= 0.5 + 1e-4


def test_every_operation_is_of_the_standard(path: Path) -> None:
    whole = onnx.load(path)
    assert [opset.domain for opset in whole.opset_import] == [""]
    assert {node.domain for node in whole.graph.node} == {""}
    assert [output.name for output in whole.graph.output] == ["probabilities"]


def test_the_same_run_gives_the_same_file(
    model: Trained, dataset: Dataset, path: Path, tmp_path: Path
) -> None:
    onnx_int8.write(model, tmp_path / "again.onnx", dataset)
    assert (tmp_path / "again.onnx").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("settings", MODELS, ids=str)
def test_every_architecture_stays_near_its_answers(
    model: Trained, dataset: Dataset, settings: Model, tmp_path: Path
) -> None:
    other = with_network(model, settings)
    onnx_int8.write(other, tmp_path / "model.onnx", dataset)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    images = dataset.test.images
    (shares,) = session.run(None, {"pixels": images.astype(np.float32)})
    assert shares.shape == (len(images), 10)
    distance = np.abs(shares - other.probabilities(images)).sum(axis=1) / 2
    assert distance.mean() < 0.02


def test_scales_come_from_images_of_the_training_every_class_alike(
    model: Trained, dataset: Dataset
) -> None:
    tail = Regime(name="tail", profile=Exponential(factor=10))
    run = model.run.model_copy(update={"regime": tail})
    rare = replace(model, run=run)
    train = selection.choose(run, dataset).train
    images = onnx_int8.calibration_images(rare, dataset)
    labelled = {
        dataset.train.images[k].tobytes(): int(dataset.train.labels[k]) for k in train
    }
    assert all(image.tobytes() in labelled for image in images)
    counts = Counter(labelled[image.tobytes()] for image in images)
    share = 26  # the least that, times ten classes, is 256
    available = np.bincount(dataset.train.labels[train], minlength=10)
    assert [counts[k] for k in range(10)] == np.minimum(available, share).tolist()
    assert available.min() < share < available.max()


@pytest.mark.slow
def test_an_ensemble_is_rounded_as_a_whole(
    pair: Ensemble, dataset: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    onnx_int8.write(pair, path, dataset)
    session = onnxruntime.InferenceSession(path)
    images = dataset.test.images[:100]
    (shares,) = session.run(None, {"pixels": images.astype(np.float32)})
    expected = pair.probabilities(images)
    assert (shares.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.9
    assert 0 < np.abs(shares - expected).max() < 0.2

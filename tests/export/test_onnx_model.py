"""The whole network in ONNX Runtime: probabilities, heatmap, and what the file says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tessera import trained
from tessera.data.dataset import Dataset
from tessera.ensembled import Ensemble
from tessera.experiment import Cnn, Hybrid, HybridPlus, Model, Transformer
from tessera.explain import gradcam
from tessera.export import onnx_model
from tessera.models import build
from tessera.trained import Trained

WITH_HEATMAP = [Cnn(), Hybrid(), Hybrid(patch=3)]
MODELS = [*WITH_HEATMAP, Hybrid(depth=1), Transformer(), HybridPlus()]


def with_network(model: Trained, settings: Model, shape: tuple[int, int, int]):
    """Another architecture and image shape in place of the run's own."""
    net = build.build(settings, shape, 10, seed=5)
    data = model.record.data.model_copy(update={"image_shape": shape})
    return replace(
        model,
        net=net,
        run=model.run.model_copy(update={"model": settings}),
        record=model.record.model_copy(update={"data": data}),
        temperature=0.3,
    )


@pytest.mark.parametrize("settings", MODELS, ids=str)
@pytest.mark.parametrize("side", [16, 30])
def test_every_architecture_answers_the_same(
    model: Trained, settings: Model, side: int
) -> None:
    other = with_network(model, settings, (side, side, 3))
    whole = onnx_model.model(other).SerializeToString()
    session = onnxruntime.InferenceSession(whole)
    images = np.random.default_rng(0).integers(0, 256, (4, side, side, 3), np.uint8)
    shares, *maps = session.run(None, {"pixels": images.astype(np.float32)})
    np.testing.assert_allclose(shares, other.probabilities(images), atol=1e-5)
    if settings in WITH_HEATMAP:
        raw = gradcam.explain(other.net, images).raw
        np.testing.assert_allclose(maps[0], raw, atol=1e-5 * np.abs(raw).max())
    else:
        assert maps == []


def test_any_number_of_images_goes_in(model: Trained, tmp_path: Path) -> None:
    onnx_model.write(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for count in (1, 7):
        pixels = np.zeros((count, 16, 16, 3), np.float32)
        shares, maps = session.run(None, {"pixels": pixels})
        assert shares.shape == (count, 10) and maps.shape == (count, 4, 4)


def test_the_file_says_what_its_numbers_mean(model: Trained, tmp_path: Path) -> None:
    onnx_model.write(model, tmp_path / "model.onnx")
    stored = onnx.load(tmp_path / "model.onnx")
    notes = {entry.key: entry.value for entry in stored.metadata_props}
    assert json.loads(notes["class_names"]) == [str(digit) for digit in range(10)]
    assert float(notes["temperature"]) == model.temperature
    assert notes["data_fingerprint"] == model.record.data.fingerprint
    assert {e.domain: e.version for e in stored.opset_import} == {"": 17}


@pytest.mark.parametrize("settings", [Cnn(), Transformer()], ids=str)
def test_a_runtime_finds_no_pooling_before_its_relu_and_no_constant_without_use(
    model: Trained, settings: Model
) -> None:
    graph = onnx_model.model(with_network(model, settings, (16, 16, 3))).graph
    made = {node.output[0]: node.op_type for node in graph.node}
    before = [made.get(n.input[0]) for n in graph.node if n.op_type == "MaxPool"]
    assert before == ["Relu"] * 2
    used = {name for node in graph.node for name in node.input}
    assert {constant.name for constant in graph.initializer} <= used


def test_an_ensemble_is_one_file_that_answers_with_the_mean(
    pair: Ensemble, dataset: Dataset
) -> None:
    whole = onnx_model.model(pair)
    session = onnxruntime.InferenceSession(whole.SerializeToString())
    pixels = dataset.test.images[:40].astype(np.float32)
    (shares,) = session.run(None, {"pixels": pixels})
    apart = [m.probabilities(dataset.test.images[:40]) for m in pair.members]
    np.testing.assert_allclose(shares, np.mean(apart, axis=0), atol=1e-6)
    notes = {entry.key: entry.value for entry in whole.metadata_props}
    first, second = (m.temperature for m in pair.members)
    assert notes["temperature"] == f"{first!r}, {second!r}"
    assert notes["seed"] == "0, 1" and "fold" not in notes


def test_a_file_of_all_folds_says_which_network_is_of_which(in_folds: Path) -> None:
    whole = onnx_model.model(trained.load(in_folds, ensemble=True))
    notes = {entry.key: entry.value for entry in whole.metadata_props}
    assert (notes["seed"], notes["fold"]) == ("0, 0, 1, 1", "1, 2, 1, 2")

"""Every format is written and read back by the runtime its users have."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tessera.data.dataset import Dataset
from tessera.ensembled import Ensemble
from tessera.export import formats
from tessera.export.errors import ExportError
from tessera.export.named import FILES, FORMATS, Format
from tessera.trained import Trained


@pytest.mark.slow
@pytest.mark.parametrize("form", [f for f in FORMATS if f != "onnx-int8"])
def test_a_format_gives_the_calibrated_probabilities_for_any_batch(
    model: Trained, dataset: Dataset, form: Format, tmp_path: Path
) -> None:
    cool = replace(model, temperature=2.5)
    path = tmp_path / FILES[form]
    formats.write(cool, form, path, dataset)
    reader = formats.read(form, path)
    for count in (1, 5, 2):
        images = dataset.test.images[:count]
        found = reader(images.astype(np.float32)).probabilities
        np.testing.assert_allclose(found, cool.probabilities(images), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", [f for f in FORMATS if f != "onnx-int8"])
def test_a_format_gives_the_mean_of_an_ensembles_probabilities(
    pair: Ensemble, dataset: Dataset, form: Format, tmp_path: Path
) -> None:
    path = tmp_path / FILES[form]
    formats.write(pair, form, path, dataset)
    images = dataset.test.images[:5]
    found = formats.read(form, path)(images.astype(np.float32))
    apart = [member.probabilities(images) for member in pair.members]
    np.testing.assert_allclose(found.probabilities, np.mean(apart, axis=0), atol=1e-5)
    assert found.heatmaps is None


@pytest.mark.slow
def test_a_disk_that_refuses_tensorflow_is_one_message(
    model: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(ExportError, match=r"too large.*Nothing was exported"):
            formats.write(model, "saved-model", tmp_path / "saved_model", dataset)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_keras_model_divides_logits_by_the_temperature(model: Trained) -> None:
    net = formats.calibrated(replace(model, temperature=4.0))
    assert net.get_layer("temperature").scale == 0.25
    assert net.output.name == "probabilities" or net.layers[-1].name == "probabilities"


@pytest.mark.parametrize("form", ["litert", "saved-model"])
def test_formats_of_tensorflow_need_tensorflow(
    model: Trained,
    dataset: Dataset,
    form: Format,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ExportError, match=r"expected tensorflow.*Received: 'jax'"):
        formats.write(model, form, tmp_path / "model", dataset)


@pytest.mark.parametrize(
    ("form", "module"), [("onnx", "onnx_model"), ("onnx-int8", "onnx_int8")]
)
def test_a_missing_converter_names_the_extra(
    model: Trained,
    dataset: Dataset,
    form: Format,
    module: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    import tessera.export

    monkeypatch.delattr(tessera.export, module, raising=False)
    monkeypatch.setitem(sys.modules, f"tessera.export.{module}", None)
    with pytest.raises(ExportError, match=r"'\.\[export\]'"):
        formats.write(model, form, tmp_path / "model.onnx", dataset)

"""The formats: how each is written, and how it is read back with its own runtime."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import keras
import numpy as np
from numpy.typing import NDArray

from tessera import files
from tessera.data.dataset import Dataset
from tessera.export.errors import ExportError, needs_extra
from tessera.export.named import Format
from tessera.models import weights
from tessera.models.portable import portable
from tessera.trained import Trained


@dataclass(frozen=True, eq=False)
class Output:
    """What an exported model says about a batch."""

    probabilities: NDArray[np.float32]
    """[N, K]."""
    heatmaps: NDArray[np.float32] | None
    """[N, h, w], where the model computes them."""


Reader = Callable[[NDArray[np.float32]], Output]
"""Pixels 0..255 [N, H, W, C] -> `Output`, for any N."""


def calibrated(trained: Trained) -> Any:
    """A Keras model of the same layers: pixels 0..255 to calibrated probabilities."""
    logits = trained.net.output
    cooled = keras.layers.Rescaling(1 / trained.temperature, name="temperature")(logits)
    shares = keras.layers.Softmax(dtype="float32", name="probabilities")(cooled)
    return keras.Model(trained.net.input, shares, name=trained.run.model.kind)


def write(trained: Trained, form: Format, path: Path, dataset: Dataset) -> None:
    """Write the model in one format.

    Args:
        trained: The model.
        form: The format.
        path: Where to.
        dataset: The run's data: `onnx-int8` takes its scales from training images.

    Raises:
        ExportError: A package or the backend that the format needs is missing, or the
            model has a layer without a translation.
    """
    match form:
        case "keras":
            with weights.replacing(path) as temporary:
                portable(calibrated(trained)).save(temporary)
        case "onnx":
            _with_onnx(trained, path)
        case "onnx-int8":
            _rounded(trained, path, dataset)
        case "litert":
            _with_tensorflow(trained, path, "litert")
        case "saved-model":
            _with_tensorflow(trained, path, "tf_saved_model")
        case _:
            assert_never(form)


def _with_onnx(trained: Trained, path: Path) -> None:
    try:
        from tessera.export import onnx_model
    except ImportError as error:
        raise needs_extra("onnx") from error
    onnx_model.write(trained, path)


def _rounded(trained: Trained, path: Path, dataset: Dataset) -> None:
    try:
        from tessera.export import onnx_int8
    except ImportError as error:
        raise needs_extra("onnxruntime") from error
    onnx_int8.write(trained, path, dataset)


def _with_tensorflow(trained: Trained, path: Path, form: str) -> None:
    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            "KERAS_BACKEND: expected tensorflow, which writes this format. Received: "
            f"{keras.backend.backend()!r}. A run's weights load under any backend."
        )
    try:
        calibrated(trained).export(str(path), format=form, verbose=False)
    except Exception as error:
        # TensorFlow has errors of its own for what a disk refuses.
        if not type(error).__module__.startswith("tensorflow."):
            raise
        why = str(error).partition("\n")[0]
        raise ExportError(
            f"{path.parent}: expected TensorFlow to write {path.name}, and files of "
            f"its own into the system's temporary folder. Received: {why}. Nothing was "
            f"exported. {files.GIVE_ROOM}"
        ) from error


def read(form: Format, path: Path) -> Reader:
    """Open an exported model with the runtime that its users have.

    Raises:
        ExportError: The runtime is not installed.
    """
    match form:
        case "keras":
            return _keras(path)
        case "onnx" | "onnx-int8":
            return _onnx(path)
        case "litert":
            return _litert(path)
        case "saved-model":
            return _saved_model(path)
        case _:
            assert_never(form)


def _keras(path: Path) -> Reader:
    net = keras.saving.load_model(path, compile=False)
    return lambda pixels: Output(net.predict_on_batch(pixels), None)


def _onnx(path: Path) -> Reader:
    try:
        import onnxruntime
    except ImportError as error:
        raise needs_extra("onnxruntime") from error
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(pixels: NDArray[np.float32]) -> Output:
        shares, *maps = session.run(None, {"pixels": pixels})
        return Output(shares, maps[0] if maps else None)

    return run


def _litert(path: Path) -> Reader:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise needs_extra("ai-edge-litert") from error
    interpreter = Interpreter(model_path=str(path))
    (pixels_in,) = interpreter.get_input_details()
    (shares_out,) = interpreter.get_output_details()

    def run(pixels: NDArray[np.float32]) -> Output:
        interpreter.resize_tensor_input(pixels_in["index"], pixels.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(pixels_in["index"], pixels)
        interpreter.invoke()
        return Output(interpreter.get_tensor(shares_out["index"]), None)

    return run


def _saved_model(path: Path) -> Reader:
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="serve")
    return lambda pixels: Output(np.asarray(layer(pixels)), None)

"""A trained model -> an ONNX file that computes in whole numbers of 8 bits.

Weights and activations are rounded to scales of 256 steps after the training (Jacob et
al. 2018, arXiv:1712.05877), by ONNX Runtime's own tools. That is another function than
the original's: `fidelity` says how far apart the two are.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

from tessera import selection
from tessera.arrays import Images
from tessera.data.dataset import Dataset
from tessera.export import onnx_model
from tessera.trained import Trained

IMAGES = 256
"""Whose activations set the scales; with eight times as many the answers are no closer
to the original's."""

BATCH = 8
"""At a time: the tools keep what every layer gives."""

ROUNDED = ("Conv", "MatMul", "MaxPool", "Relu")
"""Operations done in whole numbers. The dense layers at the end (Gemm) are left: they
read one vector an image, and rounding them would change as many answers as all else."""


def write(trained: Trained, path: Path, dataset: Dataset) -> None:
    """Write the model: pixels in, probabilities out, no heatmap.

    Weights have a scale for each output channel, and 7 bits: processors without
    instructions for 8 add up pairs of products in 16 bits, which 8 would overflow.

    Args:
        trained: The model.
        path: Where to.
        dataset: The run's data, whose training images set the activations' scales.

    Raises:
        ExportError: The model holds a layer that has no translation.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole, prepared = Path(folder, "whole.onnx"), Path(folder, "prepared.onnx")
        onnx.save(onnx_model.model(trained, heatmap=False), whole)
        quant_pre_process(whole, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared,
            path,
            _Batches(calibration_images(trained, dataset)),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(ROUNDED),
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )
    _only_standard(path)


def calibration_images(trained: Trained, dataset: Dataset) -> Images:
    """Images that the run was trained on, drawn by its seed, every class alike.

    Returns:
        uint8 [n, H, W, C], n about `IMAGES`: of each class an equal share, rounded up,
        or all there are, so that rare classes set scales too.
    """
    train = selection.choose(trained.run, dataset).train
    labels = dataset.train.labels[train]
    generator = np.random.default_rng([trained.run.seed, 2])
    share = -(-IMAGES // len(trained.class_names))
    drawn = [
        generator.permutation(train[labels == label])[:share]
        for label in range(len(trained.class_names))
    ]
    images: Images = dataset.train.images[np.sort(np.concatenate(drawn))]
    return images


class _Batches(quantization.CalibrationDataReader):  # type: ignore[misc]
    """Images as ONNX Runtime asks for them: batch by batch, then None."""

    def __init__(self, images: Images) -> None:
        starts = range(0, len(images), BATCH)
        self.batches = iter([images[start : start + BATCH] for start in starts])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self.batches, None)
        return None if batch is None else {onnx_model.INPUT: batch.astype(np.float32)}


def _only_standard(path: Path) -> None:
    """Take away the other operator sets that the tools list: no node is of them."""
    model: Any = onnx.load(path)
    used: Sequence[str] = sorted({node.domain for node in model.graph.node})
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)

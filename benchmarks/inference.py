"""Images per second of one trained model under every runtime it can be handed to.

    python benchmarks/inference.py RUN... --record results/inference.json

Every runtime gets the same images and one thread, is first held to the original's
probabilities, and is then timed in turns with the others, so that whatever else the
machine does meets all of them. A number is the median over the rounds. PyTorch's
equivalent (`benchmarks/torch_equivalent.py`) takes part where PyTorch is installed.
"""

import argparse
import functools
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tessera import files, runtime

THREADS = 1
BATCHES = (1, 512)
SECONDS = 0.5  # at least this long per measurement
TOLERANCE = 1e-4

Run = Callable[[Any], Any]


def runtimes(model: Any, folder: Path) -> dict[str, Run]:
    """A function from pixels to probabilities for every runtime there is."""
    from tessera.export import closed_form, formats

    net = formats.calibrated(model)
    for form in ("onnx", "litert"):
        formats.write(model, form, folder / formats.FILES[form])
    found = {
        "Keras predict": lambda x: net.predict(x, batch_size=len(x), verbose=0),
        "Keras predict_on_batch": net.predict_on_batch,
        "ONNX Runtime": onnx(folder / formats.FILES["onnx"], ["probabilities"]),
        "LiteRT": litert(folder / formats.FILES["litert"]),
    }
    if closed_form.exists(model.run.model, model.net):
        found["ONNX Runtime, with heatmap"] = onnx(folder / formats.FILES["onnx"], None)
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: its row is left out.")
        return found
    import torch_equivalent

    return found | {"PyTorch": torch_equivalent.runner(model, threads=THREADS)}


def onnx(path: Path, outputs: list[str] | None) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(path, options)
    return lambda x: session.run(outputs, {"pixels": x})[0]


def litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    @functools.cache
    def sized(batch: int) -> Any:
        interpreter = Interpreter(model_path=str(path), num_threads=THREADS)
        index = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(index, [batch, *pixels_shape(interpreter)])
        interpreter.allocate_tensors()
        return interpreter

    def run(x: Any) -> Any:
        interpreter = sized(len(x))
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def pixels_shape(interpreter: Any) -> list[int]:
    return list(interpreter.get_input_details()[0]["shape"][1:])


def measure(run: Run, images: Any) -> float:
    """Images per second over at least `SECONDS`."""
    began, calls = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < SECONDS:
        run(images)
        calls += 1
    return calls * len(images) / spent


def compare(runs: dict[str, Run], images: Any, rounds: int) -> dict[str, list[float]]:
    """Speeds of every runtime, one per round, measured in turns."""
    expected = runs["Keras predict"](images)
    for name, run in runs.items():
        difference = float(np.abs(run(images) - expected).max())
        if difference > TOLERANCE:
            raise SystemExit(f"{name}: not the same model, off by {difference:.2g}")
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            speeds[name].append(measure(run, images))
    return speeds


def table(speeds: dict[str, list[float]], batch: int, title: str) -> str:
    base = statistics.median(speeds["Keras predict"])
    rounds = len(speeds["Keras predict"])
    lines = [f"{title}, batch {batch}: images/s, median of {rounds} rounds"]
    for name, values in speeds.items():
        middle = statistics.median(values)
        lines.append(
            f"  {name:28}{middle:>12,.0f}{middle / base:>8.2f} x Keras predict"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="+", type=Path, help="a run's or study's folder")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--record", type=Path, help="JSON file for the numbers")
    asked = parser.parse_args()
    runtime.prepare(THREADS)
    runtime.load_backend()
    from tessera import trained

    records = []
    for path in asked.run:
        model = trained.load(path)
        shape = model.record.data.image_shape
        generator = np.random.default_rng(0)
        with tempfile.TemporaryDirectory() as folder:
            runs = runtimes(model, Path(folder))
            for batch in BATCHES:
                images = generator.integers(0, 256, (batch, *shape)).astype(np.float32)
                speeds = compare(runs, images, asked.rounds)
                print(table(speeds, batch, f"{model.run.model.kind} at {shape}"))
                records.append(
                    {
                        "model": model.run.model.model_dump(mode="json"),
                        "image_shape": shape,
                        "batch": batch,
                        "images_per_second": speeds,
                    }
                )
    if asked.record is not None:
        machine = runtime.environment(THREADS).model_dump(mode="json")
        packages = versions("onnxruntime", "ai-edge-litert", "torch")
        whole = {"environment": machine, "runtimes": packages, "measurements": records}
        files.write_json(asked.record, whole)
    return 0


def versions(*names: str) -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())

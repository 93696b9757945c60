"""Images per second of trained models under every runtime they can be handed to.

    python benchmarks/inference.py STUDY        one run of each model of the study
    python benchmarks/inference.py RUN RUN...   these runs

Every runtime gets the same images and one thread, is first held to the original's
probabilities, and is then timed in turns with the others, so that whatever else the
machine does meets all of them. A number is the median over the rounds. The export that
rounds to 8 bits is another function: what it answers is compared on the run's test
images instead. PyTorch's equivalent (`benchmarks/torch_equivalent.py`) takes part where
PyTorch is installed.
"""

import argparse
import functools
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import measure
import numpy as np
import operations

from tessera import runtime
from tessera.export.named import FILES

THREADS = 1
BATCHES = (1, 512)
PORTION = 16  # images at a time that fit a core's cache
BASE, ONNX = "Keras predict", "ONNX Runtime"
ROUNDED = f"{ONNX}, 8 bits"
SECONDS = 0.5  # at least this long per measurement
TOLERANCE = 1e-4

Run = Callable[[Any], Any]


def runtimes(model: Any, dataset: Any, folder: Path) -> dict[str, Run]:
    """A function from pixels to probabilities for every runtime there is."""
    from tessera.export import closed_form, formats

    net = formats.calibrated(model)
    for form in ("onnx", "onnx-int8", "litert"):
        formats.write(model, form, folder / FILES[form], dataset)
    rounded = onnx(folder / FILES["onnx-int8"], ["probabilities"])
    found = {
        "Keras predict": lambda x: net.predict(x, batch_size=len(x), verbose=0),
        "Keras predict_on_batch": net.predict_on_batch,
        ONNX: onnx(folder / FILES["onnx"], ["probabilities"]),
        f"{ONNX}, {PORTION} at a time": portions(
            onnx(folder / FILES["onnx"], ["probabilities"])
        ),
        ROUNDED: rounded,
        f"{ROUNDED}, {PORTION} at a time": portions(rounded),
        "LiteRT": litert(folder / FILES["litert"]),
    }
    if closed_form.exists(model.run.model, model.net):
        found[f"{ONNX}, with heatmap"] = onnx(folder / FILES["onnx"], None)
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: its row is left out.")
        return found
    import torch_equivalent

    if not torch_equivalent.exists(model.run.model):
        return found
    return found | {"PyTorch": torch_equivalent.runner(model, threads=THREADS)}


def onnx(path: Path, outputs: list[str] | None) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(path, options)
    return lambda x: session.run(outputs, {"pixels": x})[0]


def portions(run: Run) -> Run:
    """The same for a few images after another."""
    return lambda x: np.concatenate(
        [run(x[start : start + PORTION]) for start in range(0, len(x), PORTION)]
    )


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


def speed(run: Run, images: Any) -> float:
    """Images per second over at least `SECONDS`."""
    began, calls = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < SECONDS:
        run(images)
        calls += 1
    return calls * len(images) / spent


def compare(runs: dict[str, Run], images: Any, rounds: int) -> dict[str, list[float]]:
    """Speeds of every runtime, one per round, measured in turns."""
    expected = runs[BASE](images)
    for name, run in runs.items():
        difference = float(np.abs(run(images) - expected).max())
        if not name.startswith(ROUNDED) and difference > TOLERANCE:
            raise SystemExit(f"{name}: not the same model, off by {difference:.2g}")
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            speeds[name].append(round(speed(run, images), 1))
    return speeds


def folders(given: Sequence[Path]) -> list[Path]:
    """Runs as given; a study's folder stands for the first run of each model."""
    found = []
    for path in given:
        if not (path / "study.json").exists():
            found.append(path)
            continue
        cells = json.loads((path / "study.json").read_text(encoding="utf-8"))["cells"]
        first = {cell["model"]: cell["folders"][0] for cell in reversed(cells)}
        found += [path / first[name] for name in sorted(first)]
    return found


def table(record: dict[str, Any]) -> str:
    """One line a runtime; a column per model and batch: images/s, and the ratio."""
    columns = record["measurements"]
    names = list(dict.fromkeys(n for c in columns for n in c["images_per_second"]))
    heads = [f"{c['model']}, {c['batch']}" for c in columns]
    lines = [f"| images/s | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    for name in names:
        cells = [_cell(column["images_per_second"], name) for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + arithmetic(record) + rounding(record)


def rounding(record: dict[str, Any]) -> str:
    """What 8 bits cost each model on the test images of its run, as a table."""
    lines = [
        "| 8 bits | run | file, kB | same answers | balanced accuracy | p |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for model in record["rounded"]:
        size, whole = (round(model[key] / 1000) for key in ("bytes", "bytes_whole"))
        now, then = model["balanced_accuracy"], model["balanced_accuracy_whole"]
        lines.append(
            f"| {model['model']} | {model['run']} | {size:,} (of {whole:,}) | "
            f"{100 * model['same_answers'] / model['images']:.1f} % | "
            f"{100 * now:.1f} % (of {100 * then:.1f} %) | {model['p']:.2g} |"
        )
    data = " and ".join(sorted({model["data"] for model in record["rounded"]}))
    return "\n\n" + "\n".join(lines) + f"\n\nThe test images are those of {data}."


def arithmetic(record: dict[str, Any]) -> str:
    """How near the fastest ONNX way comes to what the core can do, for each model."""
    found = []
    for column in record["measurements"]:
        speeds = column["images_per_second"]
        if column["batch"] == max(BATCHES):
            fastest = max(
                measure.median(speeds[name])
                for name in speeds
                if name.startswith(ONNX) and not name.startswith(ROUNDED)
            )
            gflops = 2e-9 * column["multiply_adds"] * fastest
            found.append(f"{gflops:.0f} of the {column['model']}")
    return (
        f"\n\nIn 10<sup>9</sup> floating-point operations a second, {ONNX} did "
        f"{', '.join(found)}; a large matrix product in TensorFlow ran at "
        f"{record['product_gflops']:.0f} on the same core."
    )


def _cell(speeds: dict[str, list[float]], name: str) -> str:
    if name not in speeds:
        return ""
    middle = measure.median(speeds[name])
    return f"{middle:,.0f} ({middle / measure.median(speeds[BASE]):.1f})"


def fidelity(model: Any, dataset: Any, folder: Path) -> dict[str, Any]:
    """How far the rounded export is from its original."""
    from tessera.export import fidelity as rounded
    from tessera.export import formats

    whole, file = (folder / FILES[form] for form in ("onnx", "onnx-int8"))
    found = rounded.check(model, formats.read("onnx-int8", file), dataset)
    return {
        "model": model.record.model,
        "run": f"{model.run.cell}, {model.run.training.epochs} epochs",
        "data": dataset.name,
        "images": found.images,
        "same_answers": found.same_answers,
        "balanced_accuracy": found.scores.balanced_accuracy,
        "balanced_accuracy_whole": found.original.balanced_accuracy,
        "p": found.test.p,
        "bytes": file.stat().st_size,
        "bytes_whole": whole.stat().st_size,
    }


def measured(path: Path, rounds: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One model under every runtime, for each batch; and what rounding does to it."""
    from tessera import trained
    from tessera.export import command

    model = trained.load(path)
    dataset = command.data_of(model, None)
    shape = model.record.data.image_shape
    generator = np.random.default_rng(0)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        runs = runtimes(model, dataset, Path(folder))
        rounded = fidelity(model, dataset, Path(folder))
        for batch in BATCHES:
            images = generator.integers(0, 256, (batch, *shape)).astype(np.float32)
            found.append(
                {
                    "model": model.record.model,
                    "multiply_adds": model.record.multiply_adds,
                    "image_shape": shape,
                    "batch": batch,
                    "images_per_second": compare(runs, images, rounds),
                }
            )
    return found, rounded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="+", type=Path, help="runs' or studies' folders")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    record: dict[str, Any] = {"machine": measure.machine(), "threads": THREADS}
    record |= {"measurements": [], "rounded": []}
    runtime.prepare(THREADS)
    runtime.load_backend()
    for path in folders(asked.path):
        speeds, rounded = measured(path, asked.rounds)
        record["measurements"] += speeds
        record["rounded"].append(rounded)
    record["product_gflops"] = round(operations.product_gflops(), 1)
    print(table(record))
    measure.write("inference", record)


if __name__ == "__main__":
    sys.exit(main())

"""Where a training step's time goes: TensorFlow's operations on a batch of 128.

    python benchmarks/operations.py

One thread, oneDNN, the hybrid as the reference study writes it down and as Tessera
builds it (the same function, see docs/methods.md). Times are those of TensorFlow's own
profiler.
"""

import collections
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import numpy as np

STEPS, BATCH, CLASSES = 10, 128, 10
SHAPE = (32, 32, 3)
KINDS = {
    "convolutions, forward": r"FusedConv2D|NativeConv2D$",
    "convolutions, gradient by their inputs": r"Conv2DBackpropInput",
    "convolutions, gradient by their weights": r"Conv2DBackpropFilter",
    "max pooling": r"MaxPool$",
    "max pooling, gradient": r"MaxPoolGrad",
    "ReLU and its gradient": r"Relu(Grad)?$",
    "matrix products (dense layers)": r"MatMul",
    "transpositions": r"Transpose",
}


def plain() -> Any:
    """The reference study's hybrid, layer by layer."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from models import plain

    from tessera.experiment import Hybrid

    return plain.hybrid(Hybrid(), SHAPE, CLASSES)


def step_of(net: Any) -> Callable[[], object]:
    """Tessera's compiled step on one batch, over and over."""
    import keras

    from tessera.training import steps

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(1e-3)
    variables = tuple(net.trainable_variables)
    optimizer.build(variables)
    task = steps.Task(net, optimizer, loss, variables)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (BATCH, 32, 32, 3), dtype=np.uint8)
    batch = pixels, rng.integers(0, CLASSES, BATCH, dtype=np.int32)
    train = steps.compiled(task)
    return lambda: train([batch] * STEPS, lambda _: None)


def profile(work: Callable[[], object]) -> dict[str, list[float]]:
    """Milliseconds of every operation that ran, by its name, one a step."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    work()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        work()
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        for path in Path(folder).rglob("*.xplane.pb"):
            space.MergeFromString(path.read_bytes())
    found: dict[str, list[float]] = collections.defaultdict(list)
    for plane in space.planes:
        names = {key: value.name for key, value in plane.event_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                found[names[event.metadata_id]].append(event.duration_ps / 1e9)
    return found


def shortest(rounds: list[dict[str, list[float]]]) -> dict[str, float]:
    """Milliseconds a step of each kind of operation, none of them interrupted.

    An operation takes a few milliseconds at most, so some of the steps ran it without
    losing the core to another process: its shortest time counts.
    """
    found: dict[str, float] = collections.Counter()
    for name in rounds[0]:
        times = [one for part in rounds for one in part.get(name, [])]
        if title := kind(name):
            found[title] += min(times) * round(len(times) / len(rounds) / STEPS)
    return {title: round(ms, 3) for title, ms in sorted(found.items())}


def kind(name: str) -> str:
    """Of an operation, `scope/name:Type`; "" for what is none."""
    scope, _, operation = name.rpartition(":")
    if not scope or not operation.isidentifier() or scope.startswith(("Eager", "Exec")):
        return ""
    for title, pattern in KINDS.items():
        if re.search(pattern, operation):
            return title
    return "everything else (loss, Adam, dropout, averages)"


def first_inputs() -> int:
    """Multiply-adds that a step does not do: no gradient flows to the pixels."""
    height, width, channels = SHAPE
    return height * width * 32 * 9 * channels


def product_gflops(side: int = 2048) -> float:
    """Floating-point operations a second, in 10^9, of a large matrix product."""
    import tensorflow as tf

    one = tf.random.normal((side, side), seed=0)
    times = []
    for _ in range(15):
        began = time.perf_counter()
        tf.linalg.matmul(one, one).numpy()
        times.append(time.perf_counter() - began)
    return float(2 * side**3 / min(times) / 1e9)


def main() -> None:
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[-1:]))
    from tessera import runtime

    runtime.prepare(threads=1)
    runtime.load_backend()
    runtime.make_deterministic(0)
    from tessera.experiment import Hybrid
    from tessera.models.build import build
    from tessera.models.cost import multiply_adds

    ways = {
        "as the study writes it": step_of(plain()),
        "as Tessera builds it": step_of(build(Hybrid(), SHAPE, CLASSES, seed=0)),
    }
    record: dict[str, Any] = {
        "machine": measure.machine(),
        "multiply_adds": 3 * multiply_adds(build(Hybrid(), SHAPE, CLASSES, seed=0))
        - first_inputs(),
        "product_gflops": round(product_gflops(), 1),
        "ways": {},
    }
    rounds = [{way: profile(work) for way, work in ways.items()} for _ in range(9)]
    for way in ways:
        record["ways"][way] = shortest([found[way] for found in rounds])
    print(table(record))
    measure.write("operations", record)


def table(record: dict[str, Any]) -> str:
    """One line a kind of operation, the longest first; the last is their sum."""
    ways = record["ways"]
    longest = max(ways.values(), key=lambda found: sum(found.values()))
    titles = sorted(longest, key=longest.__getitem__, reverse=True)
    lines = [
        f"| ms a step of {BATCH} images | {' | '.join(ways)} |",
        "| --- | ---: | ---: |",
    ]
    for title in titles:
        cells = (f"{found.get(title, 0.0):.2f}" for found in ways.values())
        lines.append(f"| {title} | {' | '.join(cells)} |")
    sums = (f"{sum(found.values()):.1f}" for found in ways.values())
    return "\n".join([*lines, f"| all | {' | '.join(sums)} |"]) + least(record)


def least(record: dict[str, Any]) -> str:
    """What the arithmetic alone would take."""
    operations = 2 * BATCH * record["multiply_adds"] / 1e9
    speed = record["product_gflops"]
    return (
        f"\n\nA step is {operations:.1f} x 10<sup>9</sup> floating-point operations of "
        f"convolutions and dense layers. A large matrix product ran at {speed:.0f} x "
        f"10<sup>9</sup> a second on the same core: at that speed they would take "
        f"{1e3 * operations / speed:.0f} ms, and no other work."
    )


if __name__ == "__main__":
    main()

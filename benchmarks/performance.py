"""The records of the benchmarks -> docs/performance.md.

    python benchmarks/performance.py

Every number on that page comes from a file in benchmarks/records; a test compares the
page with what this script makes of them.
"""

import json
from pathlib import Path
from typing import Any

import inference
import measure
import operations
import precision
import seeds
import startup
import study
import train

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"

HEAD = """# Performance

Written by `benchmarks/performance.py` from `benchmarks/records/`; edit neither this
page nor the records by hand. Each section names the script that measured it. Processor
time is what a process itself used: for one thread it is about the time on an idle
machine, and it is the number to compare where the machine was busy.
"""

OPERATIONS = """## Where a training step goes

`python benchmarks/operations.py`

{table}

Most of a step is convolution, the same in both columns: a difference between the
columns there is the noise of the measurement, and can be larger than all that is left
to save. What can be saved without changing the function is the work around it: ReLU
comes after max pooling instead of before it. It never decreases, so the two commute, in
the outputs and in every gradient, ties included, and a quarter of the values remain.
(The hybrid of depth 0 could also average its patches before it embeds them, which is
linear; it keeps its tokens, as the reference study describes it.)

`tests/models/plain.py` holds the models as the reference study describes them, and the
tests compare outputs and gradients with ours on TensorFlow and on JAX. Images stay
bytes until they are in the compiled step, loss and hits stay on the device until the
epoch is over, and the step is compiled once for a phase of the training.
"""

TRAIN = """## Training, against what one would write without Tessera

`python benchmarks/train.py`

{table}

Cores for each way: {cores}. Every way trains the reference study's hybrid on the same
batches, augmented by the same code, with Adam and a running accuracy. A ratio above 1
is faster than the fastest peer of the same precision; for Tessera's lines that is the
gain over the best of the others. 16 bits (`--set training.precision=bfloat16`) are a
training of other rounding, and faster only where the processor has instructions for
them (here AVX-512 BF16).
"""

PRECISION = """### What 16 bits cost

`tessera study experiments/precision.toml --data cifar10`

{table}

A training step rounds what its layers multiply to bfloat16; weights, validation, test
and exports are those of float32 ([methods](methods.md#training)). The same seeds start
from the same weights and see the same images in the same order. No difference is
decided with these seeds; the transformer's interval lies mostly below zero. Hybrid-plus
was not compared.
"""

STUDY = """## A whole study

`python benchmarks/study.py`

{table}

Tessera gives every core a run with one thread, in processes that load the framework
once. The script trains one cell after another on all cores. A process's share counts
what several processes hold in common as a part for each. An image folder's decoded
pixels lie in the cache as files that every process maps: the system holds them once.
"""

SEEDS = """## Several seeds as one program

`python benchmarks/seeds.py`

{table}

`tessera study --seeds-together N` (JAX) keeps the images on the device, crops, flips,
cuts and mixes them there, trains an epoch a call, and the seeds of a cell as one
program, by `vmap`. It is meant for a GPU, where a small model leaves most of the device
idle and each step waits for the processor; no record of a GPU is committed yet.
Convolutions are written as matrix products in such a program: XLA computes those of
several seeds, and on a processor those within a loop, far more slowly. TensorFlow, step
by step, is still the fastest on a processor (see above).
[A study on one GPU](scaling.md#a-study-on-one-gpu) has the commands.
"""

INFERENCE = """## Answering: what a handed-over model does

`python benchmarks/inference.py STUDY`

{table}

A column is a model and how many images it is given in one call; in brackets, the ratio
to Keras' own `predict`. One thread each. All give the same probabilities within 1e-4,
but for the export of 8 bits (`tessera export --to onnx-int8`), which rounds; the second
table says what that costs on the test images: answers that stay the same, balanced
accuracy beside the original's, and McNemar's p for the two.

An export stands a network's ReLU before its pooling, which a runtime computes within
the convolution, and writes GELU as ONNX Runtime knows it. What is left is almost all
matrix products, so the gain is largest where Keras' own cost is not the products: with
one image, and with small networks. Large batches do not fit a core's cache: some images
at a time are faster. With AVX-512 ONNX Runtime computes channels 16 at a time: the 24,
36 and 72 of hybrid-plus cost as much as 32, 48 and 80 would, 1.5 times its arithmetic.
"""

STARTUP = """## Start-up and report

`python benchmarks/startup.py`

{table}

Where a command or a worker needs a framework, most of its start is the framework's
import. What Keras and TensorFlow import there for their other users (scikit-learn,
pyplot, the other framework where both are installed) is left out, and Python's
collector rests. On Linux the workers of a study are forks of one process that has
imported the framework and computed nothing: each further one starts at once and shares
that memory. Commands that train, answer and explain nothing load none; nor do
`tessera.load_data`, `study` and `evaluate`, whose workers do. On Linux a report is
drawn on every core, by forks of a command that has loaded no framework: less by the
clock, not by the processor.
"""

SECTIONS = {
    "operations": (OPERATIONS, operations.table),
    "train": (TRAIN, train.table),
    "study": (STUDY, study.table),
    "seeds": (SEEDS, seeds.table),
    "inference": (INFERENCE, inference.table),
    "startup": (STARTUP, startup.table),
}


def page() -> str:
    """The whole page, of those records that there are."""
    parts = [HEAD]
    for name, (text, table) in SECTIONS.items():
        place = measure.RECORDS / f"{name}.json"
        if place.exists():
            record = json.loads(place.read_text(encoding="utf-8"))
            filled = text.format(table=table(record), cores=record.get("cores", ""))
            parts.append(f"{filled}\n{_measured_on(record['machine'])}")
        for other in sorted(measure.RECORDS.glob(f"*/{name}.json")):
            record = json.loads(other.read_text(encoding="utf-8"))
            told = _measured_on(record["machine"])
            parts.append(f"On another processor:\n\n{table(record)}\n\n{told}")
        if name == "train" and precision.STUDY.exists():
            parts.append(PRECISION.format(table=precision.table(precision.read())))
    return "\n".join(parts)


def _measured_on(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in machine["packages"].items())
    return (
        f"*{machine['date']}: {machine['processor']}, cores: {machine['cores']}, "
        f"Python {machine['python']}, {versions}. Processes waiting for a core: "
        f"{machine['load_before']} before, {machine['load_after']} after.*\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")

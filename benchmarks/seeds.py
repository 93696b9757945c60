"""Several seeds of one model: step by step, in whole epochs, and as one program.

    python benchmarks/seeds.py                                    as recorded, small
    python benchmarks/seeds.py --seeds 5 --images 40000 --model hybrid      on a GPU

All ways train on JAX, on the same images, order and augmentation, in steps of 128
images. The first is what `tessera study` does, a seed after another; the second keeps
the images on the device and trains an epoch a call; the third trains an epoch of all
seeds a call, as `--seeds-together` does.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

import measure
import numpy as np

CLASSES = 10
WAYS = {
    "steps": "step by step, a seed after another",
    "epochs": "whole epochs on the device, a seed after another",
    "together": "whole epochs on the device, all seeds in one program",
}


def job(model: str, seed: int, images: int) -> Any:
    """A training of one epoch on noise; nothing of it is written."""
    from pathlib import Path

    from tessera.data.dataset import Split
    from tessera.experiment import MODELS, Training
    from tessera.imbalance.plan import Phase, Plan
    from tessera.models.build import build
    from tessera.training.batches import Material
    from tessera.training.fit import Job

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (images, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, images, dtype=np.int32)
    split = Split(pixels, labels)
    chosen = next(m for m in MODELS if m.kind == model)
    return Job(
        build(chosen, (32, 32, 3), CLASSES, seed=seed),
        Plan((Phase(),), tuple(np.bincount(labels, minlength=CLASSES).tolist())),
        Material(split, np.arange(images), split),
        Training(epochs=1),
        seed,
        Path("unused"),
        lambda *_: None,
    )


def work(way: str, model: str, seeds: int, images: int) -> Callable[[], object]:
    """What a round does: an epoch of every seed."""
    from tessera import runtime

    runtime.prepare()
    runtime.load_backend()
    from tessera.training import device_batches, resident, steps
    from tessera.training.seeds import Lane, begun, epoch_of, task_of

    lanes = [
        Lane(one, begun(one)) for one in (job(model, s, images) for s in range(seeds))
    ]
    tasks = [task_of(lane, 0) for lane in lanes]
    if way == "steps":
        trains = [steps.compiled(task) for task in tasks]
        epochs = [epoch_of(lane.job, 0) for lane in lanes]
        pairs = list(zip(trains, epochs, strict=True))
        return lambda: [train(epoch, lambda _: None) for train, epoch in pairs]
    lead = lanes[0].job
    there = device_batches.resident(lead.material.train, lead.training)
    size = lead.training.batch_size
    groups = [tasks] if way == "together" else [[task] for task in tasks]
    states = [resident.stacked(group) for group in groups]
    train = resident.trainer(tasks[0], there, size)
    each = seeds if way == "together" else 1

    def a_round() -> None:
        drawn = [device_batches.table(epoch_of(lane.job, 0)) for lane in lanes]
        for index, state in enumerate(states):
            mine = drawn[index * each : (index + 1) * each]
            states[index], totals = train(state, mine)
            totals()

    return a_round


def one_round(process: measure.Child) -> dict[str, float]:
    """Seconds of a round by the clock and of the processor."""
    process.ask()
    found = process.answer()
    return {"clock": round(found["seconds"], 3), "processor": round(found["cpu"], 3)}


def table(record: dict[str, Any]) -> str:
    """One line a way; ratios are to training step by step."""
    seen = record["seeds"] * record["images"]
    lines = [
        f"| {record['seeds']} seeds of the {record['model']}, an epoch of "
        f"{record['images']:,} images each, on {record['device']} | clock s | images/s "
        "| ratio | processor s | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    first: dict[str, float] = {}
    for way, rounds in record["ways"].items():
        middle = {
            name: measure.median([found[name] for found in rounds])
            for name in ("clock", "processor")
        }
        first = first or middle
        clock, busy = middle["clock"], middle["processor"]
        lines.append(
            f"| {WAYS[way]} | {clock:.2f} | {seen / clock:,.0f} "
            f"| {first['clock'] / clock:.2f} | {busy:.2f} "
            f"| {first['processor'] / busy:.2f} |"
        )
    return "\n".join(lines)


def device() -> str:
    """What JAX computes on."""
    os.environ["KERAS_BACKEND"] = "jax"
    from tessera import runtime

    return runtime.environment().device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help="used by the benchmark itself")
    chosen = parser.parse_args()
    if chosen.way:
        model, seeds, images = os.environ["SEEDS_BENCHMARK"].split()
        measure.serve(work(chosen.way, model, int(seeds), int(images)))
        return
    record: dict[str, Any] = {
        "machine": measure.machine(),
        **{name: getattr(chosen, name) for name in ("model", "seeds", "images")},
    }
    environment = {
        "KERAS_BACKEND": "jax",
        "SEEDS_BENCHMARK": f"{chosen.model} {chosen.seeds} {chosen.images}",
    }
    children = [measure.Child(__file__, way, environment) for way in WAYS]
    ready = measure.start(children)
    ways: dict[str, list[dict[str, float]]] = {}
    for _ in range(chosen.rounds):
        for process in ready:
            ways.setdefault(process.way, []).append(one_round(process))
    for process in ready:
        process.end()
    record |= {"device": device(), "ways": ways}
    print(table(record))
    measure.write("seeds", record)


if __name__ == "__main__":
    main()

"""Seconds of deletion and insertion here and in Xplique, on one model in one process.

    python benchmarks/faithfulness.py [--images 300] [--repeats 5] [--out FILE.json]

Needs Xplique (`pip install --no-deps xplique` and what its import then asks for, since
it pins an older TensorFlow); without it only our own seconds are measured. Both tools
get the same model, images, maps, fill, steps and batch size, take turns, and must agree
on the areas, or nothing is reported.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from tessera import files, runtime

STEPS, BATCH, GRID, SIDE = 16, 250, 8, 32
TOLERANCE = 1e-4
"""Largest difference of the mean areas; float32 and another order of summing."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=300)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--out", type=Path)
    wanted = arguments.parse_args()
    runtime.prepare()
    runtime.load_backend()
    record = measure(wanted.images, wanted.repeats)
    show(record)
    if wanted.out:
        files.write_json(wanted.out, record)


def measure(images: int, repeats: int) -> dict:
    """Run every tool in turn, `repeats` times, after one run to warm up."""
    net, pixels, maps = material(images)
    tools = {"Tessera": ours(net, pixels, maps)}
    try:
        tools["Xplique"] = xplique(net, pixels, maps)
    except ImportError:
        print("Xplique is not installed: only our own seconds are measured.")
    areas = {name: run() for name, run in tools.items()}
    difference = max(
        abs(mine - other)
        for row in areas.values()
        for mine, other in zip(areas["Tessera"], row, strict=True)
    )
    if difference > TOLERANCE:
        raise SystemExit(f"The tools disagree: {areas}")
    seconds, processor = ({name: [] for name in tools} for _ in range(2))
    for _ in range(repeats):
        for name, run in tools.items():
            began, worked = time.perf_counter(), time.process_time()
            run()
            seconds[name].append(time.perf_counter() - began)
            processor[name].append(time.process_time() - worked)
    others = other_metrics(net, pixels, maps)
    return {
        "what": "deletion and insertion, fill: mean colour, "
        f"{STEPS} steps on {GRID} x {GRID} cells, batches of {BATCH}",
        "model": "hybrid, depth 0, initial weights",
        "images": images,
        "seconds": seconds,
        "processor_seconds": processor,
        "median_seconds": {k: statistics.median(v) for k, v in seconds.items()},
        "median_processor_seconds": {
            k: statistics.median(v) for k, v in processor.items()
        },
        "areas": areas,
        "largest_difference": difference,
        "other_metrics_seconds": others,
        "xplique": metadata.version("xplique") if "Xplique" in tools else None,
        "environment": runtime.environment().model_dump(),
    }


def material(images: int) -> tuple:
    """A model, smooth random images, and maps without ties."""
    from scipy import ndimage

    from tessera.experiment import Hybrid
    from tessera.models import build

    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (images, SIDE, SIDE, 3))
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2, 0))
    pixels = np.clip(127 + 60 * smooth / smooth.std(), 0, 255).astype(np.float32)
    net = build.build(Hybrid(), (SIDE, SIDE, 3), 10, seed=0)
    return net, pixels, rng.random((images, GRID, GRID)).astype(np.float32)


def ours(net, pixels, maps) -> Callable[[], tuple[float, float]]:
    from tessera.explain.faithfulness import deletion, fills, ranking
    from tessera.explain.faithfulness.answers import predictor

    predict = predictor(net, batch_size=BATCH)
    targets = predict(pixels).argmax(axis=1)
    fill = fills.mean_fill(pixels, pixels.mean(axis=(0, 1, 2)))

    def run() -> tuple[float, float]:
        known = deletion.ends(predict, pixels, fill, targets)
        order = ranking.ranks(maps, seed=0)
        areas = [
            deletion.curves(
                predict,
                pixels,
                order,
                targets,
                fill=fill,
                known=known,
                direction=direction,
                steps=STEPS,
            ).areas.mean()
            for direction in ("deletion", "insertion")
        ]
        return float(areas[0]), float(areas[1])

    return run


def xplique(net, pixels, maps) -> Callable[[], tuple[float, float]]:
    from xplique.metrics import Deletion, Insertion

    from tessera.explain.faithfulness import ranking

    targets = np.eye(10, dtype=np.float32)[net.predict_on_batch(pixels).argmax(axis=1)]
    colour = pixels.mean(axis=(0, 1, 2))
    shared = {
        "batch_size": BATCH,
        "baseline_mode": lambda images: np.broadcast_to(colour, images.shape).copy(),
        "steps": STEPS,
        "activation": "softmax",
    }
    metrics = [kind(net, pixels, targets, **shared) for kind in (Deletion, Insertion)]
    enlarged = ranking.to_pixels(maps, SIDE, SIDE)

    def run() -> tuple[float, float]:
        first, second = (float(metric.evaluate(enlarged)) for metric in metrics)
        return first, second

    return run


def other_metrics(net, pixels, maps) -> dict[str, float]:
    """Seconds of our other metrics on the same images, once each."""
    from tessera.explain.faithfulness import complexity, masking, ranking, road
    from tessera.explain.faithfulness.answers import predictor, probability

    predict = predictor(net, batch_size=BATCH)
    logits = predict(pixels)
    targets = logits.argmax(axis=1)
    order = ranking.ranks(maps, seed=0)
    whole = probability(logits, targets)
    timed = {
        "ROAD, 9 shares, both directions": lambda: road.survival(
            predict, pixels, order, targets, seed=0
        ),
        "drop, increase, gain": lambda: masking.masked(
            predict, pixels, maps, targets, whole=whole
        ),
        "entropy": lambda: complexity.entropy(maps),
    }
    seconds = {}
    for name, run in timed.items():
        began = time.perf_counter()
        run()
        seconds[name] = time.perf_counter() - began
    return seconds


def show(record: dict) -> None:
    """One table, with the ratio to our own seconds.

    Processor seconds are those of all threads; other work on the machine hardly
    changes them.
    """
    mine = record["median_seconds"]["Tessera"]
    worked = record["median_processor_seconds"]
    print(f"{record['what']}; {record['model']}; {record['images']} images")
    print("| tool | median s | times Tessera's | processor s | times Tessera's |")
    print("| --- | --- | --- | --- | --- |")
    for name, seconds in record["median_seconds"].items():
        ratio, other = seconds / mine, worked[name] / worked["Tessera"]
        print(
            f"| {name} | {seconds:.2f} | {ratio:.2f} | {worked[name]:.2f} "
            f"| {other:.2f} |"
        )
    for name, seconds in record["other_metrics_seconds"].items():
        print(f"| Tessera: {name} | {seconds:.2f} | | | |")


if __name__ == "__main__":
    main()

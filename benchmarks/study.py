"""A study of nine cells: Tessera's command against a script that trains them in turn.

    python benchmarks/study.py --epochs 4

Both train the CNN, the transformer and the hybrid on scikit-learn's digits under three
regimes, validate after each epoch and predict the test images. The script does what one
would write without Tessera: one process, all cores, Keras' `fit`. Tessera's command
also explains images, saves models and writes the records and the report.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np

TITLES = {"tessera": "`tessera study`", "script": "a script, one cell after another"}


def script(epochs: int) -> None:
    """Train the nine cells with plain Keras."""
    from tessera import runtime

    runtime.prepare()
    import keras

    from tessera.data import source
    from tessera.experiment import Digits, Experiment
    from tessera.imbalance import profiles
    from tessera.models.build import build

    dataset = source.load(Digits())
    train, test = dataset.train, dataset.test
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for run in Experiment(data=Digits(), seeds=(0,)).runs():
        kept = profiles.select(
            run.regime.profile, train.labels, dataset.class_names, seed=0
        )
        net = build(run.model, dataset.image_shape, len(dataset.class_names), seed=0)
        net.compile("adam", loss, metrics=["accuracy"])
        share = len(kept) // 10
        kept = np.random.default_rng(0).permutation(kept)
        fit, held = kept[share:], kept[:share]
        net.fit(
            train.images[fit].astype(np.float32),
            train.labels[fit],
            batch_size=32,
            epochs=epochs,
            validation_data=(train.images[held].astype(np.float32), train.labels[held]),
            verbose=0,
        )
        net.predict(test.images.astype(np.float32), verbose=0)


def command(way: str, epochs: int, out: Path) -> list[str]:
    """What to run for a way."""
    if way == "script":
        return [sys.executable, __file__, "--way", "script", "--epochs", str(epochs)]
    given = f"--data digits --epochs {epochs} --seeds 1 --out {out / 'study'}"
    small = "--set training.batch_size=32 --set training.flip=false"
    return [sys.executable, "-m", "tessera", "study", *given.split(), *small.split()]


def timed(way: str, epochs: int) -> dict[str, float]:
    """Seconds by the clock and of the processor, and the largest process's memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        subprocess.run(
            command(way, epochs, Path(name)),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {
        "seconds": round(seconds, 1),
        "processor": round(busy, 1),
        "peak_mib": round(after.ru_maxrss / 1024),
    }


def table(record: dict[str, Any]) -> str:
    """Cells per hour; memory is the largest process's of all that ran so far."""
    lines = [
        "| nine cells | clock s | processor s | cells/h by the clock | MiB a process |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for way, rounds in record["ways"].items():
        clock, busy, peak = (
            measure.median([r[name] for r in rounds])
            for name in ("seconds", "processor", "peak_mib")
        )
        rate = 9 * 3600 / clock
        lines.append(
            f"| {TITLES[way]} | {clock:.0f} | {busy:.0f} | {rate:,.0f} | {peak:,.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--way", choices=["script"], help="used by the benchmark itself"
    )
    chosen = parser.parse_args()
    if chosen.way:
        script(chosen.epochs)
        return
    record: dict[str, Any] = {"machine": measure.machine(), "epochs": chosen.epochs}
    ways: dict[str, list[dict[str, float]]] = {way: [] for way in TITLES}
    for _ in range(chosen.rounds):
        for way, rounds in ways.items():
            rounds.append(timed(way, chosen.epochs))
    record["cores"], record["ways"] = len(os.sched_getaffinity(0)), ways
    print(table(record))
    measure.write("study", record)


if __name__ == "__main__":
    main()

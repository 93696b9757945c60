"""A study of nine cells: Tessera's command against a script that trains them in turn.

    python benchmarks/study.py
    python benchmarks/study.py --folder IMAGES     also: is the folder held once?

Both train the CNN, the transformer and the hybrid on scikit-learn's digits under three
regimes, validate after each epoch and predict the test images. The script does what one
would write without Tessera: one process, all cores, Keras' `fit`. Tessera's command
also explains images, saves models and writes the records and the report.
"""

import argparse
import contextlib
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
        with (Path(name) / "output").open("w+") as output:
            process = subprocess.Popen(
                command(way, epochs, Path(name)), stdout=output, stderr=output
            )
            largest = watched(process)
            seconds = time.perf_counter() - began
            output.seek(0)
            if process.returncode:
                raise SystemExit(
                    f"{way}: ended with {process.returncode}\n{output.read()}"
                )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {
        "seconds": round(seconds, 1),
        "processor": round(busy, 1),
        **{f"{name}_mib": round(kib / 1024) for name, kib in largest.items()},
    }


def watched(process: "subprocess.Popen[bytes]") -> dict[str, float]:
    """Wait for a process; the most that it or a child of it held, in KiB, by kind."""
    largest: dict[str, float] = {"Rss": 0, "Pss": 0}
    while process.poll() is None:
        for one in (process.pid, *children(process.pid)):
            found = memory(one)
            largest = {k: max(v, found.get(k, 0)) for k, v in largest.items()}
        time.sleep(1)
    return largest


def children(parent: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    lists = Path(f"/proc/{parent}/task").glob("*/children")
    with contextlib.suppress(OSError):
        return [int(one) for path in lists for one in path.read_text().split()]
    return []


def memory(process: int, part: str = "") -> dict[str, float]:
    """KiB of a process by kind; Pss counts what n processes share as an nth for each.

    Args:
        process: Its number.
        part: Only mappings of a file whose path holds this.
    """
    found: dict[str, float] = {}
    inside = not part
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{process}/smaps{'' if part else '_rollup'}").read_text()
        for line in lines.splitlines():
            name, *rest = line.split()
            if not name.endswith(":"):
                inside = not part or part in line
            elif inside and rest[-1] == "kB":
                found[name[:-1]] = found.get(name[:-1], 0) + float(rest[0])
    return found


def holding(folder: str) -> None:
    """Load a folder as a worker does, read every training image, and wait."""
    from tessera.data import source

    dataset = source.load(source.from_argument(folder))
    images = dataset.train.images
    print(sum(int(images[i : i + 500].sum()) for i in range(0, len(images), 500)))
    print(images.nbytes, flush=True)
    sys.stdin.read()


def held(folder: str, workers: int = 2) -> dict[str, float]:
    """MiB of a folder's training images, and of them in each of so many workers."""
    own = [sys.executable, __file__, "--way", "holding", "--folder", folder]
    crew = [
        subprocess.Popen(own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    sizes = [[int(one.stdout.readline()) for _ in range(2)][1] for one in crew]
    found = [memory(one.pid, str(Path("tessera") / "arrays")) for one in crew]
    for one in crew:
        one.communicate()
    return {
        "workers": workers,
        "images_mib": round(sizes[0] / 2**20),
        "resident_mib": round(found[0]["Rss"] / 1024),
        "share_mib": round(sum(one["Pss"] for one in found) / workers / 1024),
    }


def table(record: dict[str, Any]) -> str:
    """Cells per hour; memory is that of the largest process."""
    lines = [
        "| nine cells | clock s | processor s | cells/h by the clock | MiB a process "
        "| its share, MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for way, rounds in record["ways"].items():
        clock, busy, whole, share = (
            measure.median([r[name] for r in rounds])
            for name in ("seconds", "processor", "Rss_mib", "Pss_mib")
        )
        lines.append(
            f"| {TITLES[way]} | {clock:.0f} | {busy:.0f} | {9 * 3600 / clock:,.0f} "
            f"| {whole:,.0f} | {share:,.0f} |"
        )
    return "\n".join(lines) + mapped(record.get("held"))


def mapped(held: dict[str, float] | None) -> str:
    """What was found of a folder's images in several workers."""
    if held is None:
        return ""
    return (
        f"\n\nOf {held['images_mib']:,} MiB of training images, {held['workers']} "
        f"workers that had read every one showed {held['resident_mib']:,} MiB each, of "
        f"which each one's share was {held['share_mib']:,} MiB. (Other processes that "
        "map the same cache have shares too.)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", help="an image folder with train/ and test/")
    parser.add_argument(
        "--way", choices=["script", "holding"], help="used by the benchmark itself"
    )
    chosen = parser.parse_args()
    if chosen.way == "holding":
        holding(chosen.folder)
        return
    if chosen.way:
        script(chosen.epochs)
        return
    record: dict[str, Any] = {"machine": measure.machine(), "epochs": chosen.epochs}
    ways: dict[str, list[dict[str, float]]] = {way: [] for way in TITLES}
    for _ in range(chosen.rounds):
        for way, rounds in ways.items():
            rounds.append(timed(way, chosen.epochs))
    record["cores"], record["ways"] = len(os.sched_getaffinity(0)), ways
    if chosen.folder:
        record["held"] = held(chosen.folder)
    print(table(record))
    measure.write("study", record)


if __name__ == "__main__":
    main()

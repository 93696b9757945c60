"""What a Ray cluster adds to a run: everything but the training itself.

    python benchmarks/cluster.py --runs 200 --record results/cluster.json

The tasks take the dataset and give back files as large as a run's, and train nothing:
their time is the engine's own: scheduling, the store, the way back, writing the folder.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tessera import cluster, files, runtime
from tessera.data.dataset import Dataset, Split, assemble
from tessera.record import RunFolder

FILES = {"best.weights.h5": 900_000, "model.keras": 900_000, "predictions.npz": 500_000}
"""Bytes that the study's hybrid leaves on CIFAR-10, in round numbers."""


def dataset(images: int) -> Dataset:
    pixels = np.zeros((images, 32, 32, 3), np.uint8)
    split = Split(pixels, (np.arange(images) % 10).astype(np.int32))
    names = tuple(str(k) for k in range(10))
    return assemble("zeros", names, train=split, test=split)


def empty(data: Dataset, number: int) -> dict[str, bytes]:
    """A task that only takes and gives."""
    assert len(data.train)
    return {name: bytes(size) for name, size in FILES.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--address")
    parser.add_argument("--record", type=Path)
    asked = parser.parse_args()
    import ray

    ray.init(address=asked.address, log_to_driver=False, logging_level="ERROR")
    began = time.perf_counter()
    stored = ray.put(dataset(asked.images))
    shipped = time.perf_counter() - began
    task = ray.remote(num_cpus=1)(empty)
    ray.get(task.remote(stored, 0))  # a worker starts
    spent = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.runs):
            began = time.perf_counter()
            content = ray.get(task.remote(stored, number))
            cluster.unpack(content, RunFolder(Path(folder) / str(number)))
            spent.append(time.perf_counter() - began)
    middle, high = statistics.median(spent), statistics.quantiles(spent, n=20)[-1]
    print(f"data into the store: {shipped:.2f} s; {asked.runs} empty runs, one at a")
    print(f"time: median {1000 * middle:.1f} ms, 95th percentile {1000 * high:.1f} ms")
    if asked.record is not None:
        found = {
            "environment": runtime.environment(1).model_dump(mode="json"),
            "ray": ray.__version__,
            "images": asked.images,
            "seconds_into_store": shipped,
            "seconds_per_run": spent,
        }
        files.write_json(asked.record, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())

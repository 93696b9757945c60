"""How long a user waits before anything happens, and for a report at the end.

    python benchmarks/startup.py

`tessera --help`; looking at embedded and at cached data; a framework, imported by a
plain script and by a command of Tessera's; and the report of nine cells and five seeds,
made from the stored files of results/study. Each in a process of its own, the median of
several.
"""

import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import numpy as np
from PIL import Image

from tessera import processes

STUDY = Path(__file__).parents[1] / "results" / "study"
IMAGES, MANY, CLASSES = 2_000, 50_000, 10
TITLES = {
    "help": "`tessera --help`",
    "first": f"`tessera data` on a folder of {IMAGES:,} PNGs, first time",
    "again": "the same again, from the cache",
    "many": f"the same on {MANY:,} PNGs, first time",
    "many again": f"the same on {MANY:,} PNGs, from the cache",
    "keras": "`import keras`, on TensorFlow",
    "command": "the same by a command or a first worker, `tessera.pipeline` included",
    "fork": "the same by a further worker of a study, on Linux a fork of the first's",
    "report": "`tessera report`, nine cells, five seeds",
}

KERAS = "import keras; keras.ops.zeros(1)"
COMMAND = """
from tessera import runtime
runtime.prepare()
runtime.load_backend(alone=True)
import tessera.pipeline
"""


def folder_of_images(path: Path, images: int) -> Path:
    """Noise in the shape of CIFAR-10, in one folder a class."""
    rng = np.random.default_rng(0)
    for index in range(images):
        place = path / f"class-{index % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{index}.png")
    return path


def timed(*arguments: str, cache: Path) -> dict[str, float]:
    """Seconds by the clock and of the processor that Python takes with arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        env={**os.environ, "TESSERA_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"seconds": round(seconds, 3), "processor": round(busy, 3)}


def fork() -> dict[str, float]:
    """The same of a process as a study starts them, until it could take a run."""
    began = time.perf_counter()
    ours, theirs = multiprocessing.Pipe()
    process = processes.start(measure.tell_processor_time, (theirs,), threads=1)
    busy = ours.recv()
    seconds = time.perf_counter() - began
    process.join()
    return {"seconds": round(seconds, 3), "processor": round(busy, 3)}


def main() -> None:
    record: dict[str, Any] = {"machine": measure.machine()}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        images, cache = folder_of_images(place / "images", IMAGES), place / "cache"
        many = folder_of_images(place / "many", MANY)
        study = shutil.copytree(STUDY, place / "study")
        tessera = ("-m", "tessera")
        look, look_at_many = ((*tessera, "data", str(at)) for at in (images, many))
        starts = {"keras": ("-c", KERAS), "command": ("-c", COMMAND)}
        turns = [(way, starts[way]) for _ in range(7) for way in starts]
        loads = [(way, timed(*words, cache=cache)) for way, words in turns]
        report = (*tessera, "report", str(study))
        record["ways"] = {
            "help": [timed(*tessera, "--help", cache=cache) for _ in range(7)],
            "first": [timed(*look, cache=cache)],
            "again": [timed(*look, cache=cache) for _ in range(5)],
            "many": [timed(*look_at_many, cache=cache)],
            "many again": [timed(*look_at_many, cache=cache) for _ in range(5)],
            **{name: [told for way, told in loads if way == name] for name in starts},
            "fork": [fork() for _ in range(8)][1:],
            "report": [timed(*report, cache=cache) for _ in range(2)],
        }
    print(table(record))
    measure.write("startup", record)


def table(record: dict[str, Any]) -> str:
    """One line a command."""
    lines = ["| | clock s | processor s |", "| --- | ---: | ---: |"]
    for way, rounds in record["ways"].items():
        clock = measure.median([r["seconds"] for r in rounds])
        busy = measure.median([r["processor"] for r in rounds])
        lines.append(f"| {TITLES[way]} | {clock:.2f} | {busy:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

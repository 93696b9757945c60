"""What a run costs besides its training when Ray spreads a study over machines.

    python benchmarks/scaling.py --record
    python benchmarks/scaling.py --write

The first measures everything in one go, on a Ray cluster started on this machine, and
writes the whole record; the second writes what it says, and what follows from it for
other clusters, into docs/scaling.md. Each takes another path, if given. Driver and
node share this machine's cores with whatever else it does: the record holds its load.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "benchmarks" / "records" / "scaling.json"
DOCUMENT = ROOT / "docs" / "scaling.md"
BEGIN, END = "<!-- measured:begin -->", "<!-- measured:end -->"

MACHINES, CORES, RUNS = 50, 16, 1000  # the cluster and the study of the document
MINUTES = (1, 10, 60)  # lengths of a run there
IMAGES = 60_000 * 32 * 32 * 3  # bytes to ship there: CIFAR-10's number and size
LINK = 125e6  # bytes a second from the driver: an assumed gigabit Ethernet
HOLLOW = 60  # runs without a training, to time what is around it
NOTES = 2000
REAL = 3  # trainings, one after another


# Measuring ---------------------------------------------------------------------


def measure() -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / "tests"))
    from ray_nodes import cluster

    from tessera import ray_cluster, runtime

    runtime.prepare(1)
    with tempfile.TemporaryDirectory(prefix="tessera-") as place:
        with (
            cluster(2) as nodes,
            ray_cluster.connected(nodes.address),
        ):
            remote = list(spans(trained("ray", Path(place) / "ray")))
            sizes = folder_sizes(Path(place) / "ray")
            found = {
                "hollow": hollow({"record.json": 2}, Path(place) / "hollow"),
                "collected": hollow(sizes, Path(place) / "full"),
                "notes_per_second": notes(),
            }
        local = list(spans(trained("local", Path(place) / "local")))
    return {
        "run_files": len(sizes),
        "run_bytes": sum(sizes.values()),
        "seconds_per_hollow_run": found["hollow"],
        "seconds_per_collected_run": found["collected"],
        "notes_per_second": found["notes_per_second"],
        "local_first_seconds": local[0],
        "local_next_seconds": statistics.median(local[1:]),
        "ray_first_seconds": remote[0],
        "ray_next_seconds": statistics.median(remote[1:]),
        "load_average": os.getloadavg()[0],
        "environment": runtime.environment(1).model_dump(mode="json"),
    }


def trained(engine: str, out: Path) -> Iterator[Any]:
    """Events of real trainings, one after another on one worker."""
    from tessera import engines, ray_engine
    from tessera.data import source

    tasks, data = real_tasks(out)
    chosen: engines.Engine = engines.Processes(slots=1, threads=1)
    if engine == "ray":
        chosen = ray_engine.Ray(jobs=1)
    return chosen.run_all(tasks, data, source.load(data))


def real_tasks(out: Path, count: int = REAL) -> tuple[list[Any], Any]:
    from tessera import workers
    from tessera.experiment import Cnn, Digits, Experiment, Training
    from tessera.record import RunFolder

    experiment = Experiment(
        data=Digits(),
        models=(Cnn(),),
        training=Training(epochs=1),
        seeds=tuple(range(count)),
    )
    runs = [run for run in experiment.runs() if run.regime.name == "imbalanced"]
    tasks = [workers.Task(run, RunFolder(out / f"{run.seed}")) for run in runs]
    return tasks, experiment.data


def spans(events: Iterator[Any]) -> Iterator[float]:
    """Seconds from one run's end to the next one's; the first from the call on."""
    from tessera import workers

    last = time.perf_counter()
    for event in events:
        if isinstance(event, workers.Failed):
            raise RuntimeError(event.message)
        if isinstance(event, workers.Finished):
            yield -last + (last := time.perf_counter())


def folder_sizes(out: Path) -> dict[str, int]:
    """The files of one run and their bytes."""
    folder = next(path.parent for path in sorted(out.glob("*/record.json")))
    found = [path for path in sorted(folder.iterdir()) if path.name != ".lock"]
    return {path.name: path.stat().st_size for path in found}


def hollow(sizes: dict[str, int], out: Path) -> float:
    """Seconds per run of runs that only return files: the cost around a training."""
    from tessera import ray_engine

    def work(job: Any, dataset: Any, board: Any) -> Any:
        return {name: bytes(size) for name, size in sizes.items()}

    return timed(ray_engine.Ray(work=work), out, HOLLOW, small()) / HOLLOW


def timed(engine: Any, out: Path, count: int, dataset: Any) -> float:
    tasks, data = real_tasks(out, count)
    for _ in engine.run_all(tasks[:4], data, dataset):
        pass  # the nodes' workers are started
    began = time.perf_counter()
    for _ in engine.run_all(tasks, data, dataset):
        pass
    return time.perf_counter() - began


def small(images: int = 10) -> Any:
    import numpy as np

    from tessera.data.dataset import Split, assemble

    labels = np.arange(images, dtype=np.int32) % 10
    train = Split(np.zeros((images, 32, 32, 3), np.uint8), labels)
    test = Split(train.images[:10], labels[:10])
    names = tuple(f"class {index}" for index in range(10))
    return assemble("made up", names, train=train, test=test)


def notes() -> float:
    """Progress notes that the one actor takes per second."""
    import ray

    from tessera import ray_engine
    from tessera.ray_worker import Note

    board = ray_engine._board()
    ray.get(board.take.remote())
    began = time.perf_counter()
    for index in range(NOTES):
        board.put.remote(Note(index, 0, 0.5))
    taken = len(ray.get(board.take.remote()))
    seconds = time.perf_counter() - began
    ray.kill(board)
    return taken / seconds


# Writing -----------------------------------------------------------------------


def render(record: dict[str, Any]) -> str:
    """The measured part of the document: Markdown."""
    lines = [
        *measured(record),
        "",
        f"**{RUNS:,} runs on {MACHINES} machines of {CORES} cores**, one core a run, "
        f"with these costs, {IMAGES / 1e6:.0f} MB of images, and an assumed link of "
        f"{LINK / 1e6:.0f} MB a second from the driver:",
        "",
        *extrapolated(record),
        "",
        *limits(record),
    ]
    return "\n".join(lines)


def measured(record: dict[str, Any]) -> Iterator[str]:
    environment = record["environment"]
    rows = {
        "Ray and the driver, per run that returns nothing": seconds(
            record["seconds_per_hollow_run"]
        ),
        f"the same with a run's {record['run_files']} files "
        f"({record['run_bytes'] / 1e6:.1f} MB) collected and written": seconds(
            record["seconds_per_collected_run"]
        ),
        "a worker's first run, Ray less its next runs": seconds(
            record["ray_first_seconds"] - record["ray_next_seconds"]
        ),
        "progress notes that the one actor takes": (
            f"{record['notes_per_second']:,.0f} a second"
        ),
    }
    yield "| cost | measured |"
    yield "| --- | --- |"
    yield from (f"| {what} | {value} |" for what, value in rows.items())
    yield ""
    yield (
        f"A node on the driver's machine ({environment['device']}, "
        f"{environment['cores']} cores, load average "
        f"{record['load_average']:.0f}), Tessera {environment['tessera']}, Python "
        f"{environment['python']}."
    )


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if abs(value) < 1 else f"{value:.1f} s"


def extrapolated(record: dict[str, Any]) -> Iterator[str]:
    yield "| a run trains | waves | ideal | with overhead | more | driver busy |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for minutes in MINUTES:
        waves, ideal, whole = wall(record, 60.0 * minutes)
        busy = min(1.0, RUNS * record["seconds_per_collected_run"] / whole)
        yield (
            f"| {minutes} min | {waves} | {ideal / 60:.1f} min | {whole / 60:.1f} min "
            f"| {100 * (whole / ideal - 1):.0f} % | {100 * busy:.0f} % |"
        )


def wall(record: dict[str, Any], training: float) -> tuple[int, float, float]:
    """Waves, and seconds without and with the measured costs.

    The driver writes the runs of a wave one after another, and every node gets the
    images from this machine, as if none passed them on: the worst case of both.
    """
    slots = MACHINES * CORES
    waves = -(-RUNS // slots)
    first = record["ray_first_seconds"] - record["ray_next_seconds"]
    writing = RUNS * record["seconds_per_collected_run"]
    shipping = MACHINES * IMAGES / LINK
    ideal = waves * training
    return waves, ideal, ideal + first + shipping + writing


def limits(record: dict[str, Any]) -> Iterator[str]:
    per_run = record["seconds_per_collected_run"]
    slots = MACHINES * CORES
    yield (
        f"The driver keeps up with {1 / per_run:.0f} runs a second. With {slots} runs "
        f"at a time it is the bottleneck when a run takes less than "
        f"{slots * per_run:.0f} s; with runs of {MINUTES[1]} minutes it would be one "
        f"from {60 * MINUTES[1] / per_run:,.0f} runs at a time on. The actor for "
        f"progress is full at {record['notes_per_second']:,.0f} runs at a time, each "
        "of which sends a note a second."
    )


def written(document: str, record: dict[str, Any]) -> str:
    """The document with its measured part anew."""
    before, rest = document.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{render(record)}\n{END}{after}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--record",
        nargs="?",
        type=Path,
        const=RECORD,
        help="measure, and write the record",
    )
    parser.add_argument(
        "--write",
        nargs="?",
        type=Path,
        const=DOCUMENT,
        help="write the record into the document",
    )
    given = parser.parse_args(arguments)
    if given.record:
        began = time.perf_counter()
        text = json.dumps(measure(), indent=2) + "\n"
        given.record.write_text(text, encoding="utf-8")
        print(f"{given.record.name}: {time.perf_counter() - began:.0f} s")
    if given.write:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        text = written(given.write.read_text(encoding="utf-8"), record)
        given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

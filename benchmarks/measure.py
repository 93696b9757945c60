"""What the benchmarks share: child processes that are timed in turn, records, tables.

Every way of doing the same work lives in a process of its own, because frameworks and
thread counts do not mix in one. The processes stay alive and work in turn, round after
round, so that a disturbance of the machine meets all of them alike.
"""

import datetime
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tessera import machine as computer

RECORDS = Path(__file__).with_name("records")
"""What was measured on the machine that the page speaks of; in folders of it, what was
measured on others: `ELSEWHERE=avx2 python benchmarks/train.py`."""
PACKAGES = (
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "jax",
    "torch",
    "onnxruntime",
    "ai-edge-litert",
)


def tell_processor_time(pipe: Any) -> None:
    """Send the seconds of processor time that this process has taken."""
    pipe.send(time.process_time())


class Child:
    """A process that does one round of work whenever it is asked to."""

    def __init__(
        self,
        script: str,
        way: str,
        environment: dict[str, str],
        cores: set[int] | None = None,
    ) -> None:
        """Start it; `ask` and `answer` come later, and may be apart.

        Args:
            script: The benchmark, called again with `--way WAY`.
            way: What it is to do.
            environment: Variables beside the present ones.
            cores: Those that it may use; None: all.
        """
        self.way = way
        self._process = subprocess.Popen(
            [sys.executable, script, "--way", way],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if cores is not None:
            os.sched_setaffinity(self._process.pid, cores)

    def ask(self) -> None:
        """Tell it to do a round."""
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, float]:
        """Wait until the round is done: `seconds`, `cpu` seconds, `peak` MiB.

        Raises:
            RuntimeError: The process ended instead.
        """
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, float] = json.loads(line)
                return found
        raise RuntimeError(f"{self.way}: ended with {self._process.wait()}")

    def end(self) -> None:
        """Let it go."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def serve(work: Callable[[], object]) -> None:
    """A child's life: warm up, then a round for every line that comes in."""
    work()
    print("{}", flush=True)
    for _ in sys.stdin:
        began, busy = time.perf_counter(), time.process_time()
        work()
        found = {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - busy,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(found), flush=True)


def start(children: Sequence[Child]) -> list[Child]:
    """Wait until each has warmed up, one after another; leave out those that cannot."""
    ready = []
    for child in children:
        try:
            child.answer()
            ready.append(child)
        except RuntimeError as error:
            print(f"skipped {error}", flush=True)
    return ready


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": computer.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": versions,
        "load_before": round(os.getloadavg()[0], 1),
        "date": datetime.date.today().isoformat(),
    }


def write(name: str, record: dict[str, Any]) -> None:
    """Keep a record, with the machine's load once more at the end."""
    record["machine"]["load_after"] = round(os.getloadavg()[0], 1)
    path = RECORDS / os.environ.get("ELSEWHERE", "") / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"record: {path.name}")


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)

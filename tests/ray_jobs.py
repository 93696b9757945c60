"""What nodes do in tests in the place of training; nodes import it by name."""

import json
import os
import time
from pathlib import Path
from typing import Any

from tessera.data.dataset import Dataset
from tessera.ray_worker import Broken, Files, Job, Note


def facts(job: Job, dataset: Dataset, board: Any) -> Files | Broken:
    """A record that says how the images arrived."""
    images = dataset.train.images
    found = {
        "own memory": images.flags.owndata,
        "writable": images.flags.writeable,
        "address": images.__array_interface__["data"][0],
        "process": os.getpid(),
        "sum": int(images.sum()),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }
    return {"record.json": json.dumps(found).encode()}


def dies_once(job: Job, dataset: Dataset, board: Any) -> Files | Broken:
    """Die with the process at the first try of seed 0, succeed at the second."""
    board.put.remote(Note(job.index))
    time.sleep(1)  # the note leaves the process before it dies
    flag = Path(dataset.name) / "died"
    if job.run.seed == 0 and not flag.exists():
        flag.touch()
        os._exit(1)
    return {"record.json": b"{}"}


def always_dies(job: Job, dataset: Dataset, board: Any) -> Files | Broken:
    """Die with the process whenever the seed is 0."""
    if job.run.seed == 0:
        os._exit(1)
    return {"record.json": b"{}"}

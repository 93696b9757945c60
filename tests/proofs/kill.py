"""Train one run again and again, killed at random moments, and compare the ends.

    python tests/proofs/kill.py FOLDER KILLS SEED

A process that has loaded the framework, and has not computed anything with it, is
forked for every attempt: loading it anew would take most of the time. Half of the kills
fall at a random moment; the other half wait for a checkpoint to be half written.
Prints one line of JSON.
"""

import csv
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tessera import files, runtime
from tessera.experiment import Cnn, Digits, Experiment, Explain, Run, Training
from tessera.record import Record, RunFolder

EXPERIMENT = Experiment(
    data=Digits(image_size=8),
    models=(Cnn(),),
    training=Training(
        epochs=40,
        batch_size=196,  # of 980 images: one shape of batch, and one trace of it
        learning_rate=0.01,
        schedule="cosine",
        crop_padding=1,
        monitor="val_loss",
        patience=2,
    ),
    explain=Explain(examples=0),
    seeds=(0,),
)
RUN = next(run for run in EXPERIMENT.runs() if run.regime.name == "weighted")


def attempt(run: Run, dataset: Any, folder: RunFolder) -> int:
    """Start the run in a process of its own; its number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        from tessera import pipeline
        from tessera.training import resume

        resume.BUDGET = 1e9  # every epoch: the more saves, the more of them are hit
        pipeline.execute(run, dataset, folder, threads=1)
        status = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def finish(child: int) -> int:
    """Wait for a process; its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_at(child: int, seconds: float) -> None:
    """Kill a process after a while, unless it has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not gone(child):
        time.sleep(min(0.005, max(0.0, end - time.monotonic())))
    os.kill(child, signal.SIGKILL)


def kill_inside_save(child: int, folder: RunFolder, after: float) -> None:
    """Kill a process while a checkpoint is half written, some while after its start."""
    began = time.monotonic()
    while not gone(child):
        if time.monotonic() - began > after and partials(folder):
            os.kill(child, signal.SIGKILL)
            return
        time.sleep(0.0002)


def partials(folder: RunFolder) -> list[str]:
    """What is half written: there while a save is under way, or was when it was hit."""
    try:
        with os.scandir(folder.checkpoints) as entries:
            return [e.path for e in entries if e.name.startswith(files.PARTIAL)]
    except FileNotFoundError:
        return []


def gone(child: int) -> bool:
    """Whether a process has ended, without taking its status away."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, child, options) is not None


def marks(folder: RunFolder) -> dict[str, str]:
    """Hash of everything that must be equal; seconds are the machine's."""
    import h5py

    weights: list[bytes] = []

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            weights.append(name.encode() + item[...].tobytes())

    with h5py.File(folder.weights) as file:
        file.visititems(collect)
    with folder.history.open(newline="") as file:
        rows = [
            {k: v for k, v in row.items() if k != "seconds"}
            for row in csv.DictReader(file)
        ]
    record = Record.model_validate_json(folder.record.read_bytes())
    found = {
        "weights": weights,
        "history": [json.dumps(rows).encode()],
        "scores": [record.scores.model_dump_json().encode()],
        "best epoch": [str(record.best_epoch).encode()],
        "epochs": [str(len(rows)).encode()],
    }
    for path in (folder.predictions, folder.validation_predictions):
        found[path.stem] = [
            a.tobytes() for _, a in sorted(files.read_arrays(path).items())
        ]
    return {
        k: hashlib.sha256(b"".join(parts)).hexdigest() for k, parts in found.items()
    }


def resumed_until_done(
    dataset: Any, folder: RunFolder, rng: random.Random, seconds: float, kills: int
) -> Iterator[str]:
    """Kill and resume until the run ends; yields where each kill fell."""
    for _ in range(kills):
        for left in partials(folder):
            shutil.rmtree(left)
        child = attempt(RUN, dataset, folder)
        if rng.random() < 0.5:
            kill_at(child, rng.uniform(0, seconds))
        else:
            kill_inside_save(child, folder, rng.uniform(0, seconds / 2))
        # Until here nobody has waited for it: its number is still its own, and a kill
        # that came after its end has changed nothing.
        status = finish(child)
        if status == 0:
            return
        if status != -signal.SIGKILL:
            raise SystemExit(f"an attempt failed with status {status}")
        yield "inside" if partials(folder) else "outside"
    if status := finish(attempt(RUN, dataset, folder)):
        raise SystemExit(f"the last attempt failed with status {status}")


def main(work: Path, kills: int, seed: int) -> dict[str, Any]:
    """All trials; what was found."""
    runtime.prepare(1)
    runtime.import_backend(alone=True)
    from tessera import pipeline
    from tessera.data import source

    assert pipeline
    dataset = source.load(RUN.data)
    whole = RunFolder(work / "whole")
    began = time.monotonic()
    assert finish(attempt(RUN, dataset, whole)) == 0
    seconds = time.monotonic() - began
    expected = marks(whole)
    places: list[str] = []
    ends: list[bool] = []
    rng = random.Random(seed)
    while len(places) < kills:
        folder = RunFolder(work / f"killed-{len(ends)}")
        left = kills - len(places)
        places += resumed_until_done(dataset, folder, rng, seconds, left)
        ends.append(marks(folder) == expected)
        assert not folder.checkpoints.exists()
        shutil.rmtree(folder.path)
    history = (whole.path / "history.csv").read_text().splitlines()
    return {
        "kills": len(places),
        "inside_saves": places.count("inside"),
        "outside_saves": places.count("outside"),
        "trainings": len(ends),
        "bit_equal": sum(ends),
        "epochs_asked": RUN.training.epochs,
        "epochs_until_early_stop": len(history) - 1,
    }


if __name__ == "__main__":
    found = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(found))

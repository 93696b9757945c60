"""A grid of tiny runs whose workers and drivers are killed: each run counts once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from proofs.conftest import Proof
from tessera import files
from tessera.record import StudyRecord


def command(out: Path, *, seeds: int, jobs: int) -> list[str]:
    return [
        *(sys.executable, "-m", "tessera", "study", "--data", "digits"),
        *("--epochs", "1", "--seeds", str(seeds), "--jobs", str(jobs)),
        *("--set", "data.image_size=8", "--set", 'models=[{kind="cnn"}]'),
        *("--set", "explain.examples=0", "--set", "training.batch_size=512"),
        *("--set", 'regimes=[{name="natural"}]', "--out", str(out)),
    ]


def start(arguments: list[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            arguments, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )


def children(pid: int) -> list[int]:
    """Processes that a process has started, as the kernel lists them."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def finished(out: Path) -> int:
    return len(list(out.glob("runs/*/*/record.json")))


def strike(driver: "subprocess.Popen[bytes]", rng: random.Random) -> str | None:
    """Kill a worker or the driver itself; which it was."""
    workers = children(driver.pid)
    victim = "worker" if workers and rng.random() < 0.6 else "driver"
    if driver.poll() is not None:
        return None
    try:
        os.kill(rng.choice(workers) if victim == "worker" else driver.pid, 9)
    except ProcessLookupError:
        return None
    return victim


def batter(out: Path, seeds: int, strikes: int, rng: random.Random) -> dict[str, int]:
    """Run the grid again and again, killing, until it is whole; what was struck."""
    struck = {"worker": 0, "driver": 0, "commands": 0}
    log = out.with_suffix(".log")
    while True:
        driver = start(command(out, seeds=seeds, jobs=2), log)
        struck["commands"] += 1
        seen = finished(out)
        while driver.poll() is None:
            time.sleep(0.02)
            # A strike for every few runs that get done, so that there is progress.
            wanted = seen + rng.randint(1, max(1, seeds // strikes * 2))
            left = strikes - struck["worker"] - struck["driver"]
            if left > 0 and finished(out) >= wanted:
                time.sleep(rng.uniform(0, 1))
                if (victim := strike(driver, rng)) is not None:
                    struck[victim] += 1
                seen = finished(out)
        if driver.returncode == 0:
            return struck
        assert struck["commands"] < 3 * strikes + 10, log.read_text()[-3000:]


def outcome(out: Path) -> Any:
    """The aggregate and every prediction, without what belongs to the machine."""
    study = StudyRecord.model_validate_json((out / "study.json").read_bytes())
    values = {
        (cell.regime, name): spread.values
        for cell in study.cells
        for name, spread in (cell.scores | cell.per_class_recall).items()
    }
    predictions = {
        (path.parents[1].name, path.parent.name): files.read_arrays(path)["logits"]
        for path in out.glob("runs/*/*/predictions.npz")
    }
    return values, {where: array.tobytes() for where, array in predictions.items()}


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
@pytest.mark.skipif(sys.platform != "linux", reason="children are read from /proc")
def test_a_grid_that_was_killed_again_and_again_is_the_serial_one(
    tmp_path: Path, proof: Proof
) -> None:
    # On a machine without an hour to spare, fewer: the record says how many.
    seeds = proof.size(short=6, whole=int(os.environ.get("TESSERA_PROVE_RUNS", "200")))
    strikes = proof.size(short=2, whole=max(2, seeds // 10))
    battered, serial = tmp_path / "battered", tmp_path / "serial"
    struck = batter(battered, seeds, strikes, random.Random(0))
    done = start(command(serial, seeds=seeds, jobs=1), tmp_path / "serial.log")
    assert done.wait() == 0
    assert finished(battered) == finished(serial) == seeds
    assert outcome(battered) == outcome(serial)
    assert not list(battered.rglob(f"{files.PARTIAL}*"))
    assert not list(battered.rglob("checkpoints"))
    proof.record(
        "grid",
        "Runs whose workers and commands are killed at random are each counted once, "
        "and their aggregate is that of a serial study, bit by bit.",
        runs=seeds,
        workers_killed=struck["worker"],
        commands_killed=struck["driver"],
        commands_given=struck["commands"],
        counted_once=finished(battered),
        equal_to_serial=seeds,
    )


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="signals")
def test_two_commands_on_one_folder_do_not_meet(tmp_path: Path, proof: Proof) -> None:
    out = tmp_path / "study"
    both = [
        start(command(out, seeds=2, jobs=1), tmp_path / f"{number}.log")
        for number in range(2)
    ]
    codes = sorted(process.wait() for process in both)
    texts = [(tmp_path / f"{number}.log").read_text() for number in range(2)]
    # The second may come when the first is done, and then finds nothing to do.
    refused = [text for text in texts if "is working in this folder" in text]
    assert codes == ([0, 2] if refused else [0, 0])
    study = StudyRecord.model_validate_json((out / "study.json").read_bytes())
    assert [cell.seeds for cell in study.cells] == [(0, 1)]
    proof.record(
        "two_commands",
        "Two commands on one study folder at the same time do not meet: one works, the "
        "other is told so.",
        commands=2,
        refused=len(refused),
        runs=finished(out),
        codes=json.dumps(codes),
    )


def test_a_strike_hits_a_process_that_is_there() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert strike(sleeper, random.Random(0)) == "driver"
    assert sleeper.wait() == -signal.SIGKILL
    assert strike(sleeper, random.Random(0)) is None

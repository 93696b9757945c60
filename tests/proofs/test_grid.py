"""A grid of tiny runs whose workers and drivers are killed: each run counts once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from proofs.conftest import Proof
from tessera import files
from tessera.record import StudyRecord


def command(out: Path, *, seeds: int, jobs: int) -> list[str]:
    """A study whose runs train on all their images at once: one shape to compile."""
    return [
        *(sys.executable, "-m", "tessera", "study", "--data", "digits"),
        *("--epochs", "1", "--seeds", str(seeds), "--jobs", str(jobs)),
        *("--set", "data.image_size=8", "--set", 'models=[{kind="cnn"}]'),
        *("--set", "explain.examples=0", "--set", "training.batch_size=2048"),
        *("--set", 'regimes=[{name="natural"}]', "--out", str(out)),
    ]


def start(arguments: list[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            arguments, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )


def workers(pid: int) -> list[int]:
    """Processes that train for a command: all that its fork server has forked."""
    return [fork for child in children(pid) for fork in children(child)]


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def finished(out: Path) -> int:
    return len(list(out.glob("runs/*/*/record.json")))


def strike(driver: "subprocess.Popen[bytes]", rng: random.Random) -> str | None:
    """Kill a worker or the driver itself; which it was."""
    crew = workers(driver.pid)
    victim = "workers" if crew and rng.random() < 0.6 else "drivers"
    if driver.poll() is not None:
        return None
    try:
        os.kill(rng.choice(crew) if victim == "workers" else driver.pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return victim


def refused(arguments: list[str], log: Path) -> bool:
    """Give the same command beside the one that works; whether it was told so."""
    code = start(arguments, log).wait()
    assert code in (0, 2), log.read_text()
    return code == 2 and "is working in this folder" in log.read_text()


def batter(out: Path, seeds: int, strikes: int, rng: random.Random) -> Counter[str]:
    """Run the grid again and again, killing, until it is whole; what happened.

    Strikes fall all along the way. After some a second command is given beside the
    first, which has just lost a worker.
    """
    happened: Counter[str] = Counter()
    log = out.with_suffix(".log")
    asked = command(out, seeds=seeds, jobs=2)
    moments = sorted(rng.sample(range(seeds), strikes), reverse=True)
    while True:
        driver = start(asked, log)
        happened["commands"] += 1
        while driver.poll() is None:
            time.sleep(0.02)
            if not moments or finished(out) < moments[-1]:
                continue
            time.sleep(rng.uniform(0, 2))
            if (victim := strike(driver, rng)) is not None:
                happened[victim] += 1
                moments.pop()
                if victim == "workers" and happened[victim] % 3 == 1:
                    second = out.with_name(f"second-{len(moments)}.log")
                    happened["second"] += 1
                    happened["refused"] += refused(asked, second)
        if driver.returncode == 0:
            return happened
        assert happened["commands"] < 3 * strikes + 10, log.read_text()[-3000:]


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
    seeds = proof.size(short=3, whole=200)
    strikes = proof.size(short=2, whole=20)
    battered, serial = tmp_path / "battered", tmp_path / "serial"
    # The serial study is asked for twice at the same moment: one command does it.
    logs = [tmp_path / f"serial-{number}.log" for number in range(2)]
    both = [start(command(serial, seeds=seeds, jobs=1), log) for log in logs]
    happened = batter(battered, seeds, strikes, random.Random(0))
    assert sorted(process.wait() for process in both) == [0, 2]
    assert sum("is working in this folder" in log.read_text() for log in logs) == 1
    assert finished(battered) == finished(serial) == seeds
    assert outcome(battered) == outcome(serial)
    assert not list(battered.glob(f"runs/**/{files.PARTIAL}*"))
    assert not list(battered.rglob("checkpoints"))
    proof.record(
        "grid",
        "Runs whose workers and commands are killed at random are each counted once, "
        "and their aggregate is that of a serial study, bit by bit; of two commands "
        "on one folder at the same time one works, the other is told so.",
        runs=seeds,
        workers_killed=happened["workers"],
        commands_killed=happened["drivers"],
        commands_given=happened["commands"],
        counted_once=finished(battered),
        equal_to_serial=seeds,
        second_commands=happened["second"] + 1,
        refused=happened["refused"] + 1,
    )


def test_a_strike_hits_a_process_that_is_there() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert strike(sleeper, random.Random(0)) == "drivers"
    assert sleeper.wait() == -signal.SIGKILL
    assert strike(sleeper, random.Random(0)) is None

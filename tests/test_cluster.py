"""A real Ray cluster of several nodes on this machine, whose parts are killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera import cluster
from tessera.cluster import Board
from tessera.experiment import Cnn, Experiment
from tessera.record import RunFolder, StudyRecord

TINY = [
    *("study", "--data", "digits", "--epochs", "2", "--seeds", "2"),
    *("--set", "data.image_size=16", "--set", 'models=[{kind="cnn"}]'),
    *("--set", "explain.examples=0", "--engine", "ray"),
]
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "10",
}


def test_a_runs_files_are_packed_and_unpacked_with_the_record_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = RunFolder(tmp_path / "a"), RunFolder(tmp_path / "b")
    first.path.mkdir()
    for name in ("record.json", "a.npz", "z.csv"):
        (first.path / name).write_bytes(name.encode())
    order: list[str] = []
    replacing = cluster.files.replacing

    def watched(path: Path):
        order.append(path.name)
        return replacing(path)

    monkeypatch.setattr(cluster.files, "replacing", watched)
    cluster.unpack(cluster.pack(first), second)
    assert order == ["a.npz", "z.csv", "record.json"]
    assert cluster.pack(second) == cluster.pack(first)


def test_only_a_finished_donor_is_sent_along(tmp_path: Path) -> None:
    donor = RunFolder(tmp_path)
    assert cluster.donated(None) is None and cluster.donated(donor) is None
    donor.record.write_text("{}")
    assert cluster.donated(donor) == {"record.json": b"{}"}


def test_a_board_keeps_every_row_and_the_latest_place() -> None:
    board = Board()
    board.tell(3, None)
    board.tell(3, (0, 0.5))
    board.tell(3, (1, 0.0), {"val_accuracy": 0.5})
    board.tell(3, (2, 0.0), {"val_accuracy": 0.7})
    told, rows = board.take()
    assert told == {3: (2, 0.0)}
    assert [(number, epoch) for number, epoch, _ in rows] == [(3, 1), (3, 2)]
    assert board.take() == ({}, [])


def test_an_error_of_the_run_itself_comes_back_and_is_not_tried_again() -> None:
    import toy_run

    run = Experiment(models=(Cnn(),)).runs()[0]
    broken = run.model_copy(update={"model": "no model"})
    content, failure = cluster.execute(toy_run.digits(), broken, None, 1, None, 0)
    assert content == {}
    assert failure is not None and "Traceback" in failure[1]


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    """`ray start --block` as a process group of its own, with one core."""
    command = [str(Path(sys.executable).with_name("ray")), "start", "--block"]
    options = ["--num-cpus=1", "--num-gpus=0", "--disable-usage-stats"]
    store = "--object-store-memory=120000000"
    return subprocess.Popen(
        [*command, *arguments, *options, store],
        env=os.environ | QUIET,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def nodes() -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """The address of a cluster, and its nodes: the head and two more."""
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        address = f"127.0.0.1:{port()}"
        head = start(
            "--head",
            f"--port={address.split(':')[1]}",
            "--include-dashboard=false",
            f"--temp-dir={folder}",
        )
        time.sleep(10)
        others = [start(f"--address={address}") for _ in range(2)]
        try:
            yield address, [head, *others]
        finally:
            for process in (*others, head):
                if process.poll() is None:
                    kill(process)


def records(out: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*/record.json")}


def study(out: Path, address: str) -> "subprocess.Popen[str]":
    arguments = [*TINY, "--address", address, "--out", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "tessera", *arguments],
        env=os.environ | QUIET,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_records(
    out: Path, count: int, driver: "subprocess.Popen[str]"
) -> dict[Path, int]:
    while len(found := records(out)) < count:
        if driver.poll() is not None:
            pytest.fail(f"the study ended early: {driver.communicate()[0]}")
        time.sleep(0.1)
    return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_run_counts_once_though_the_driver_and_a_node_are_killed(
    nodes: tuple[str, list["subprocess.Popen[bytes]"]], tmp_path: Path
) -> None:
    address, (_, _, doomed) = nodes
    first = study(tmp_path, address)
    kept = wait_for_records(tmp_path, 1, first)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    kept |= records(tmp_path)
    assert not (tmp_path / "study.json").exists()

    second = study(tmp_path, address)
    wait_for_records(tmp_path, len(kept) + 1, second)
    kill(doomed)
    output = second.communicate(timeout=1000)[0]
    assert second.returncode == 0, output
    after = records(tmp_path)
    assert len(after) == 6
    assert {path: after[path] for path in kept} == kept
    whole = StudyRecord.model_validate_json((tmp_path / "study.json").read_bytes())
    assert [cell.seeds for cell in whole.cells] == [(0, 1)] * 3

    third = study(tmp_path, address)
    assert "6 finished, 0 to do" in third.communicate(timeout=300)[0]
    assert records(tmp_path) == after


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "no port", "127.0.0.1:x"])
def test_an_address_without_a_cluster_is_named(address: str) -> None:
    import toy_run

    nowhere = address.format(port())
    with pytest.raises(cluster.ClusterError, match="expected a Ray cluster at") as told:
        next(cluster.run_all([], toy_run.digits(), address=nowhere))
    assert nowhere in str(told.value)

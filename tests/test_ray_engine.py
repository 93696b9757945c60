"""Ray: what comes back is stored once, whatever dies; results are the local ones."""

import dataclasses
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import ray_jobs
import unpainted
from ray_nodes import Cluster, cluster

from tessera import files, locks, ray_cluster, ray_engine
from tessera.data.dataset import Dataset, Split, assemble
from tessera.engines import EngineError
from tessera.experiment import Cnn, Digits, Experiment, Run
from tessera.ray_worker import Broken, Note
from tessera.record import RunFolder
from tessera.workers import Event, Failed, Finished, Started, Stepped, Task

TINY = [
    *("--data", "digits", "--epochs", "2", "--seeds", "2"),
    *("--set", "data.image_size=8", "--set", 'models=[{kind="cnn"}]'),
    *("--set", "explain.examples=0"),
]


def run(seed: int) -> Run:
    return Experiment(data=Digits(), models=(Cnn(),), seeds=(seed,)).runs()[0]


def tasks(place: Path, count: int) -> list[Task]:
    return [Task(run(i), RunFolder(place / f"seed-{i}")) for i in range(count)]


def dataset(name: str = "made up", images: int = 20) -> Dataset:
    labels = np.arange(images, dtype=np.int32) % 2
    pixels = np.full((images, 8, 8, 3), 7, np.uint8)
    split = Split(pixels, labels)
    return assemble(name, ("cat", "dog"), train=split, test=split)


# Without a cluster -------------------------------------------------------------


def test_a_run_waits_for_the_one_whose_training_it_takes_over(tmp_path: Path) -> None:
    first, second, third = tasks(tmp_path, 3)
    heir = dataclasses.replace(second, donor=third.folder)
    state = ray_engine._State([first, heir, third])
    assert state.ready(room=9) == [0, 2]
    state.flying = {"a": 0, "b": 2}
    state.claim(2)
    assert state.ready(room=9) == []
    list(state.ended("b", {"record.json": b"{}"}))
    assert state.ready(room=9) == [1]


def test_no_more_runs_are_handed_over_than_there_is_room_for(tmp_path: Path) -> None:
    state = ray_engine._State(tasks(tmp_path, 5))
    assert (state.ready(2), state.ready(0), state.ready(2)) == ([0, 1], [], [2, 3])


def test_a_second_try_does_not_start_a_run_again(tmp_path: Path) -> None:
    state = ray_engine._State(tasks(tmp_path, 1))
    state.flying = {"reference": 0}
    notes = [Note(0), Note(0, 0, 0.5), Note(0), Note(0, 0, 0.25)]
    events = list(state.noted(notes))
    task = state.tasks[0]
    assert events == [
        Started(task),
        Stepped(task, 0, 0.5, None),
        Stepped(task, 0, 0.25, None),
    ]


def test_an_end_without_a_seen_start_is_told_after_one(tmp_path: Path) -> None:
    state = ray_engine._State(tasks(tmp_path, 1))
    state.flying = {"reference": 0}
    state.claim(0)
    task = state.tasks[0]
    events = list(state.ended("reference", Broken("went wrong", "where")))
    assert events == [Started(task), Failed(task, "went wrong", "where")]
    assert list(state.noted([Note(0, 1, 0.0)])) == []
    assert not task.folder.record.exists()


def test_files_that_the_disk_refuses_are_the_end_of_their_run_alone(
    tmp_path: Path,
) -> None:
    state = ray_engine._State(tasks(tmp_path, 2))
    state.flying = {"a": 0, "b": 1}
    state.claim(0)
    state.claim(1)
    refused = state.tasks[0].folder.path / "manifest.json"
    refused.mkdir()  # no file can be moved there
    content = {"manifest.json": b"{}", "record.json": b"{}"}
    failure = list(state.ended("a", content))[-1]
    assert isinstance(failure, Failed)
    assert failure.message.startswith(f"CannotWrite: {refused}: expected room")
    assert not state.tasks[0].folder.record.exists()
    assert list(state.ended("b", content))[-1] == Finished(state.tasks[1])


def test_a_run_that_another_command_has_finished_meanwhile_is_told_and_let_go(
    tmp_path: Path,
) -> None:
    state = ray_engine._State(tasks(tmp_path, 1))
    (task,) = state.tasks
    state.claim(0)
    events = list(state.passed_over(0, Finished(task)))
    assert events == [Started(task), Finished(task)]
    with locks.held(task.folder.path):
        pass


def test_others_are_kept_out_of_a_runs_folder_until_its_files_are_there(
    tmp_path: Path,
) -> None:
    state = ray_engine._State(tasks(tmp_path, 1))
    state.claim(0)
    folder = state.tasks[0].folder
    with pytest.raises(locks.FolderInUse), locks.held(folder.path):
        pass
    state.flying = {"reference": 0}
    list(state.ended("reference", {"record.json": b"{}"}))
    with locks.held(folder.path):
        assert folder.record.exists()


def test_the_record_is_written_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    original = files.replacing

    def noting(path: Path) -> object:
        written.append(path.name)
        return original(path)

    monkeypatch.setattr(files, "replacing", noting)
    content = {"record.json": b"r", "a.npz": b"a", "z/y.txt": b"y"}
    ray_engine.store(content, RunFolder(tmp_path))
    assert written == ["a.npz", "y.txt", "record.json"]
    assert (tmp_path / "z" / "y.txt").read_bytes() == b"y"


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "a\\..\\out"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    tmp_path: Path, name: str
) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(EngineError, match="expected names inside the folder"):
        ray_engine.store({name: b"", "record.json": b""}, folder)
    assert not folder.record.exists()
    assert not list(tmp_path.rglob("out"))


def test_what_a_killed_command_had_begun_to_write_goes(tmp_path: Path) -> None:
    begun = tmp_path / ".partial-a.npz"
    begun.write_bytes(b"half of it")
    ray_engine.store({"a.npz": b"a", "record.json": b""}, RunFolder(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "record.json"]


def test_files_without_a_record_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="expected a record"):
        ray_engine.store({"a.npz": b""}, RunFolder(tmp_path))


def test_memory_mapped_images_are_shipped_as_arrays(tmp_path: Path) -> None:
    made = dataset()
    np.save(tmp_path / "images.npy", made.train.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    shipped = ray_engine.plain(
        dataclasses.replace(made, train=Split(mapped, made.train.labels))
    )
    assert type(shipped.train.images) is np.ndarray
    assert np.array_equal(shipped.train.images, made.train.images)
    assert shipped.fingerprint == made.fingerprint


def test_the_names_of_the_images_are_shipped_with_them() -> None:
    made = dataset()
    names = tuple(f"{i}.png" for i in range(len(made.test)))
    split = dataclasses.replace(made.test, names=names)
    assert ray_engine.plain(dataclasses.replace(made, test=split)).test.names == names


# On a cluster ------------------------------------------------------------------


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    """A head and two more nodes, each with one core to give."""
    with cluster(1, 1, 1) as found:
        yield found
    assert found.processes() == []


@pytest.fixture(scope="module")
def joined(nodes: Cluster) -> Iterator[None]:
    """This process's connection: with it end the workers, which take long to start."""
    with ray_cluster.connected(nodes.address):
        yield


def events_of(work: ray_engine.Work, place: Path, count: int) -> list[Event]:
    """What happens to `count` tasks whose work is `work`, where this process joined."""
    data = dataset(str(place))
    return list(ray_engine.Ray(work=work).run_all(tasks(place, count), Digits(), data))


@pytest.mark.cluster
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("joined")
def test_images_lie_once_in_a_nodes_memory_and_are_not_copied(tmp_path: Path) -> None:
    events = events_of(ray_jobs.facts, tmp_path, 6)
    found = [json.loads(t.folder.record.read_bytes()) for t in tasks(tmp_path, 6)]
    assert sum(isinstance(event, Finished) for event in events) == 6
    assert {f["own memory"] for f in found} == {False}
    assert {f["writable"] for f in found} == {False}
    assert {f["sum"] for f in found} == {7 * 20 * 8 * 8 * 3}
    assert {f["threads"] for f in found} == {"1"}
    places = {(f["process"], f["address"]) for f in found}
    assert len(places) == len({f["process"] for f in found})


@pytest.mark.cluster
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("joined")
def test_a_run_whose_worker_died_is_tried_again(tmp_path: Path) -> None:
    events = events_of(ray_jobs.dies_once, tmp_path, 2)
    assert (tmp_path / "died").exists()
    for task in tasks(tmp_path, 2):
        assert events.count(Started(task)) == events.count(Finished(task)) == 1


@pytest.mark.cluster
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("joined")
def test_a_run_that_always_kills_its_worker_fails_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    events = events_of(ray_jobs.always_dies, tmp_path, 2)
    bad, good = tasks(tmp_path, 2)
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert failed.task == bad
    assert failed.message.startswith("WorkerCrashedError: ")
    assert Finished(good) in events
    assert not bad.folder.record.exists()


@pytest.mark.cluster
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("joined")
def test_a_run_that_another_command_is_at_is_left_to_it(tmp_path: Path) -> None:
    at_work, other = tasks(tmp_path, 2)
    with locks.held(at_work.folder.path):
        events = events_of(ray_jobs.facts, tmp_path, 2)
        alone = events_of(ray_jobs.facts, tmp_path, 1)
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert failed.task == at_work
    assert "another tessera command is working in this folder" in failed.message
    assert Finished(other) in events
    assert [type(event) for event in alone] == [Started, Failed]


def study(out: Path, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*unpainted.COMMAND, "study", *TINY, "--out", str(out), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def records(out: Path) -> dict[Path, int]:
    return {
        path.relative_to(out): path.stat().st_mtime_ns
        for path in out.glob("runs/*/*/record.json")
    }


def wait_for_a_record(out: Path, process: "subprocess.Popen[str]") -> None:
    while not records(out):
        if process.poll() is not None:
            pytest.fail(f"the study ended early: {process.communicate()[0]}")
        time.sleep(0.1)


def results(folder: Path) -> dict[str, object]:
    """All of a run's folder that does not say when, where and how fast."""
    found: dict[str, object] = {}
    for name in ("predictions.npz", "validation_predictions.npz"):
        arrays = files.read_arrays(folder / name)
        found |= {f"{name} {key}": value.tobytes() for key, value in arrays.items()}
    found["weights"] = (folder / "best.weights.h5").read_bytes()
    found["manifest"] = (folder / "manifest.json").read_bytes()
    found["experiment"] = (folder / "experiment.toml").read_bytes()
    return found


@pytest.mark.cluster
@pytest.mark.timeout(1800)
def test_a_killed_node_and_a_killed_command_cost_no_finished_run_and_change_no_bit(
    nodes: Cluster, tmp_path: Path
) -> None:
    out, local = tmp_path / "ray", tmp_path / "local"
    ray = ("--engine", "ray", "--address", nodes.address)
    first = study(out, *ray)
    wait_for_a_record(out, first)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    kept = records(out)
    assert 1 <= len(kept) < 6
    assert not (out / "study.json").exists()

    second = study(out, *ray)
    while nodes.processes("node-2") and not busy(nodes, "node-2"):
        assert second.poll() is None, second.communicate()[0]
        time.sleep(0.1)
    nodes.kill("node-2")
    output = second.communicate()[0]
    assert second.returncode == 0, output
    assert f"{6 - len(kept)}/{6 - len(kept)} runs" in output
    after = records(out)
    assert len(after) == 6
    assert {path: after[path] for path in kept} == kept
    assert not list(out.rglob(".partial-*"))

    third = study(out, *ray)
    assert "6 finished, 0 to do" in third.communicate()[0]
    assert records(out) == after

    here = study(local, "--jobs", "1", "--threads", "1")
    output = here.communicate()[0]
    assert here.returncode == 0, output
    assert records(local).keys() == after.keys()
    for path in after:
        run_here, run_there = (place / path.parent for place in (local, out))
        assert results(run_here) == results(run_there), path.parent


def busy(nodes: Cluster, name: str) -> bool:
    """Whether a process of the node is at work on a run."""
    for process in nodes.processes(name):
        try:
            title = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::train"):
            return True
    return False


@pytest.mark.cluster
@pytest.mark.timeout(600)
def test_runs_that_fit_on_no_node_are_refused_at_once(
    nodes: Cluster, tmp_path: Path
) -> None:
    process = study(
        *(tmp_path, "--engine", "ray", "--address", nodes.address),
        *("--threads", "64"),
    )
    output = process.communicate()[0]
    assert process.returncode == 2
    assert "expected a node with 64 cores" in output
    assert "1 cores and 0 GPUs" in output

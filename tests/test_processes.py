"""A process begins with its framework, ends with its parent, and hears no Ctrl-C."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import pytest

from tessera import processes

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="spawned elsewhere")


def started(
    work: Any, *arguments: Any, threads: int = 1
) -> tuple[multiprocessing.process.BaseProcess, Any]:
    """A process and what it has sent first."""
    ours, theirs = multiprocessing.Pipe()
    process = processes.start(work, (theirs, *arguments), threads=threads)
    theirs.close()
    return process, ours.recv()


def told(work: Any, *arguments: Any, threads: int = 1) -> Any:
    process, answer = started(work, *arguments, threads=threads)
    process.join(60)
    assert process.exitcode == 0
    return answer


def tell_frameworks(pipe: Any) -> None:
    found = {"keras", "tensorflow", "jax", "sklearn", "tessera.execution"}
    pipe.send((sorted(found & sys.modules.keys()), os.getppid()))


def tell_variables(pipe: Any, names: tuple[str, ...]) -> None:
    pipe.send([os.environ.get(name) for name in names])


def wait_for_a_signal(pipe: Any) -> None:
    pipe.send(os.getpid())
    time.sleep(0.5)
    raise SystemExit(7)


@linux_only
def test_processes_are_forks_of_one_that_has_loaded_the_framework_and_no_other() -> (
    None
):
    backend = keras.backend.backend()
    first, second = told(tell_frameworks), told(tell_frameworks)
    assert first[0] == sorted(["keras", "tessera.execution", backend])
    assert first == second
    assert first[1] != os.getpid()


@linux_only
@pytest.mark.slow
def test_a_variable_that_is_read_while_loading_is_heard_by_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told(tell_frameworks)
    monkeypatch.setenv("TF_SOMETHING_NEW", "1")
    modules, parent = told(tell_frameworks)
    assert parent == os.getpid()
    assert "keras" in modules


def test_a_process_has_the_variables_of_now_and_its_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TESSERA_TOLD", "once")
    names = ("TESSERA_TOLD", "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")
    assert told(tell_variables, names) == ["once", "1", "1"]
    monkeypatch.delenv("TESSERA_TOLD")
    assert told(tell_variables, names) == [None, "1", "1"]
    assert "OMP_NUM_THREADS" not in os.environ


def test_ctrl_c_is_left_to_the_one_who_started_it() -> None:
    process, pid = started(wait_for_a_signal)
    os.kill(pid, signal.SIGINT)
    process.join(60)
    assert process.exitcode == 7


KILLED = """
import os, sys
sys.path.insert(0, os.environ["HERE"])
from test_processes import started, tell_and_stay
print(*started(tell_and_stay)[1], flush=True)
os.kill(os.getpid(), 9)
"""


def tell_and_stay(pipe: Any) -> None:
    pipe.send((os.getpid(), os.getppid()))
    time.sleep(600)


def program(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HERE": str(Path(__file__).parent)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@linux_only
@pytest.mark.slow
def test_a_killed_command_leaves_neither_its_processes_nor_what_they_are_forks_of() -> (
    None
):
    done = program(KILLED)
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2, done.stderr
    until = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < until, "still there a minute later"
        time.sleep(0.1)
    assert done.stderr == ""


BROKEN = """
import os, sys
sys.path.insert(0, os.environ["HERE"])
from tessera import processes
processes.LOADED.insert(0, "ends_its_process")
from test_processes import told, tell_frameworks
modules, parent = told(tell_frameworks)
print("keras" in modules, parent == os.getpid())
"""


@linux_only
@pytest.mark.slow
def test_where_the_fork_server_dies_a_process_loads_for_itself(tmp_path: Path) -> None:
    (tmp_path / "ends_its_process.py").write_text("import os\nos._exit(1)\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = program(BROKEN, PYTHONPATH=path)
    assert done.stdout == "True True\n", done.stderr

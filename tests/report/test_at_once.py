"""Forks draw where that is safe, and whatever becomes of them it gets done."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tessera import machine
from tessera.experiment import STUDY_REGIMES, Cnn, Experiment
from tessera.report import at_once, page

from .conftest import recalls
from .folders import write_study

SCRIPT = """
import json, os, signal, sys, time
from functools import partial
from pathlib import Path
from tessera import machine
from tessera.report.at_once import at_once

machine.cores = lambda: 2


def who(number):
    time.sleep(0.2)
    return number, os.getpid()


def refused(number):
    raise ValueError(f"task {number}")


def killed():
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def no_more():
    raise BlockingIOError("no more processes")


def long(place):
    (place / str(os.getpid())).touch()
    time.sleep(120)


parent = os.getpid()
if len(sys.argv) > 1:
    at_once([partial(long, Path(sys.argv[1]))] * 2)
found = at_once([partial(who, number) for number in range(4)])
try:
    at_once([partial(who, 0), partial(refused, 1), partial(refused, 2)])
except ValueError as error:
    said = str(error)
told = {
    "order": [number for number, _ in found],
    "forks": len({pid for _, pid in found} - {parent}),
    "said": said,
    "here": at_once([killed, killed]) == [parent, parent],
}
os.fork = no_more
told["refused"] = at_once([os.getpid, os.getpid]) == [parent, parent]
print(json.dumps(told))
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="forks only there")


@pytest.fixture(scope="module")
def told():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


@linux
def test_results_of_several_forks_come_in_the_order_of_the_tasks(told):
    assert (told["order"], told["forks"]) == ([0, 1, 2, 3], 2)


@linux
def test_what_the_first_task_that_fails_raises_is_raised(told):
    assert told["said"] == "task 1"


@linux
def test_what_a_fork_that_was_killed_or_refused_has_left_is_done_here(told):
    assert told["here"] and told["refused"]


@linux
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_forks_end_with_the_process_that_waits_for_them(tmp_path, end):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, tmp_path],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while len(forks := [int(path.name) for path in tmp_path.iterdir()]) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    # A kill hits the one process, Ctrl-C all of the terminal's.
    (os.kill if end == signal.SIGKILL else os.killpg)(process.pid, end)
    assert process.wait(30) == -end
    deadline = time.monotonic() + 30
    while any(alive(fork) for fork in forks):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(process):
    """Whether it runs: nobody need have asked yet how it ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_process_that_has_threads_or_a_framework_does_all_itself(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 2)
    assert at_once.at_once([os.getpid, os.getpid]) == [os.getpid()] * 2
    for name in ("tensorflow", "jax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    assert not at_once.may_fork()
    over.set()
    other.join()


@linux
@pytest.mark.slow
def test_a_report_drawn_by_forks_is_the_same_byte_by_byte(tmp_path):
    """So is that of the same study drawn again, in another process."""
    one = Experiment(models=(Cnn(),), regimes=STUDY_REGIMES[:1], seeds=(0,))
    here = write_study(tmp_path / "here", one, recalls)
    there = shutil.copytree(here, tmp_path / "there")
    page.write_report(here)
    script = (
        "import sys; from tessera import machine; machine.cores = lambda: 2; "
        "from tessera.report import at_once, page; assert at_once.may_fork(); "
        "from pathlib import Path; page.write_report(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", script, there], check=True)
    drawn = sorted(path.relative_to(here) for path in here.glob("figures/*.svg"))
    assert len(drawn) > 5
    for path in (Path("report.html"), *drawn):
        assert (here / path).read_bytes() == (there / path).read_bytes()

"""A Ray cluster of several nodes on this machine, of which nothing stays behind.

Every node is a `ray start` of its own with its own ports, in a session of its own. When
its processes have to go they are found by that session, and by nothing else, so that no
other process of this machine is ever touched.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MEMORY = 80 * 2**20
"""Bytes of each node's object store; Ray's minimum is 75 MiB."""
TRIES = 8
"""A node gives up when its own parts do not start within a quarter of a minute, which
happens on a machine that is busy."""
TESTS = Path(__file__).parent
RAY = [sys.executable, "-c", "from ray.scripts.scripts import main; main()"]
HOST = "127.0.0.1"


def free_ports(node: int, count: int) -> list[int]:
    """Ports that nobody listens on, other ones for each node of a cluster.

    They lie below the range that the system hands out by itself.
    """
    found: list[int] = []
    port = 20_000 + os.getpid() % 5_000 + 100 * node
    while len(found) < count:
        port += 1
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            found.append(port)
    return found


@dataclass
class Cluster:
    """Nodes that were started, and the place where they keep their sockets."""

    # Ray's sockets lie below it, and the system allows their paths 107 characters.
    place: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="ray-")))
    head: int = 0
    nodes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """What `--address` takes."""
        return f"{HOST}:{self.head}"

    def start(self, name: str, *, cores: int, memory: int = MEMORY) -> None:
        """Start a node, the first one as the head, and wait until it has joined."""
        ports = free_ports(len(self.nodes), len(PORTS) + 2)
        options = ["--num-cpus", str(cores), "--object-store-memory", str(memory)]
        options += ["--block", "--disable-usage-stats", "--node-ip-address", HOST]
        for option, port in zip(PORTS, ports, strict=False):
            options += [option, str(port)]
        # 0: whichever ports the system has free.
        options += ["--min-worker-port", "0", "--max-worker-port", "0"]
        # Not needed here, and it would take its share of a busy machine.
        options += ["--include-log-monitor", "false"]
        if not self.nodes:
            self.head = ports[-1]
            options += ["--head", "--port", str(self.head)]
            # Its server starts even without pages, and has one fixed port by default.
            options += ["--include-dashboard", "false", "--dashboard-port"]
            options += [str(ports[-2]), "--temp-dir", str(self.place)]
        else:
            options += ["--address", self.address]
        for _ in range(TRIES):
            self._launch(name, options)
            if self._joined(name):
                return
            self.kill(name)
        raise RuntimeError(f"{name} did not start:\n{self._log(name).read_text()}")

    def _launch(self, name: str, options: list[str]) -> None:
        with self._log(name).open("wb") as log:
            self.nodes[name] = subprocess.Popen(
                [*RAY, "start", *options],
                env=_environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _joined(self, name: str) -> bool:
        """Wait until the node is there, or has given up."""
        while self.nodes[name].poll() is None:
            if b"Ray runtime started" in self._log(name).read_bytes():
                return True
            time.sleep(0.2)
        return False

    def _log(self, name: str) -> Path:
        return self.place / f"{name}.log"

    def processes(self, name: str = "") -> list[int]:
        """Processes of one node, or of all, alive now."""
        sessions = {node.pid for key, node in self.nodes.items() if name in ("", key)}
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                # After the name in brackets: state, parent, process group, session.
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) in sessions and fields[0] != "Z":
                    found.append(int(path.name))
        return found

    def kill(self, name: str = "") -> None:
        """Kill every process of a node, as a power cut would; all nodes without one."""
        while found := self.processes(name):
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.1)
        for known, node in self.nodes.items():
            if name in ("", known):
                node.wait()


PORTS = (
    "--object-manager-port",
    "--node-manager-port",
    "--dashboard-agent-listen-port",
    "--dashboard-agent-grpc-port",
    "--runtime-env-agent-port",
    "--metrics-export-port",
    "--ray-client-server-port",
)


def _environment() -> dict[str, str]:
    """Of a node: our sources on the path, and a death noticed within seconds."""
    kept = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
    inherited = {
        k: v for k, v in os.environ.items() if k in kept or not k.startswith("RAY_")
    }
    paths = [str(TESTS.parent / "src"), str(TESTS), os.environ.get("PYTHONPATH", "")]
    return inherited | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "RAY_raylet_start_wait_time_s": "40",
        "RAY_health_check_period_ms": "1000",
        "RAY_health_check_timeout_ms": "10000",
    }


@contextlib.contextmanager
def cluster(*cores: int, memory: int = MEMORY) -> Iterator[Cluster]:
    """A cluster with a head (`node-0`) and further nodes, one for each number."""
    found = Cluster()
    # A token of its own, for the nodes and for the commands that a test starts.
    before = os.environ.copy()
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
    try:
        for index, number in enumerate(cores):
            found.start(f"node-{index}", cores=number, memory=memory)
        yield found
    finally:
        found.kill()
        shutil.rmtree(found.place, ignore_errors=True)
        for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            os.environ.pop(name)
            if name in before:
                os.environ[name] = before[name]

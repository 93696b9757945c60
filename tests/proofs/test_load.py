"""The server under load: what it was asked badly is refused, what hangs on is cut."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import toy_run

from proofs import load
from proofs.conftest import Proof
from tessera import png
from tessera.record import RunFolder
from tessera.serve.body import MAX_BYTES
from tessera.serve.connection import Connection

pytestmark = [pytest.mark.proof, pytest.mark.slow, pytest.mark.timeout(1200)]

STARTING = 300.0
"""Seconds that loading a model may take on a busy machine."""

LATE = 20.0
"""Seconds by which a busy machine may be late."""

CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance"),
    *("negative_data_rejection", "missing_required_header", "unsupported_method"),
    *("allow_header_conformance", "use_after_free", "ensure_resource_availability"),
)
"""All that concern it, but that valid input is accepted: `an image file` is more than
a schema can say, and random bytes are none."""


@dataclass(frozen=True)
class Served:
    """A server in a process of its own."""

    address: str
    pid: int
    log: Path


@pytest.fixture(scope="module")
def served(
    toy: RunFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """`tessera serve` on a free port of the loopback address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("served") / "log"
    words = ["-m", "tessera", "serve", str(toy.path), "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *words],
            stdout=file,
            stderr=file,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield Served(address, process.pid, log)
    finally:
        process.terminate()
        process.wait(60)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        assert process.poll() is None
        with contextlib.suppress(urllib.error.URLError):
            urllib.request.urlopen(f"{address}/healthz", timeout=10).close()
            return
        time.sleep(0.2)
    raise AssertionError("the server did not start")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_clients_of_every_kind_get_an_answer_a_refusal_or_an_end(
    served: Served, proof: Proof
) -> None:
    clients = proof.size(short=10, whole=50)
    seconds = proof.size(short=14, whole=300)
    image = png.encoded(toy_run.digits().test.images[0])
    tally, memory = asyncio.run(
        load.storm(served.address, served.pid, image, clients=clients, seconds=seconds)
    )
    growth = load.growth(memory)
    assert tally.unexpected == {}
    assert all(tally.seconds.values())
    assert 0 < tally.longest_cut < Connection.head + LATE
    assert tally.most_sent < 2 * MAX_BYTES + 2**24
    assert "Traceback" not in served.log.read_text(errors="replace")
    if proof.whole:
        assert growth < 0.05
    busy = tally.answered("503")
    proof.record(
        "server_under_load",
        "Good, broken, slow and huge requests at once: no status but the right one or "
        "503, flat memory, and what hangs on is cut.",
        clients=clients,
        seconds=seconds,
        requests=tally.statuses.total(),
        answered_503=busy,
        other_5xx=tally.answered("5") - busy,
        wrong_statuses=tally.unexpected.total(),
        p95_seconds_image=round(float(np.percentile(tally.seconds["image"], 95)), 2),
        p95_seconds_page=round(float(np.percentile(tally.seconds["page"], 95)), 2),
        memory_mb=round(memory[-1]),
        memory_growth_percent=round(100 * growth, 1),
        longest_slow_request_seconds=round(tally.longest_cut, 1),
        most_mb_sent_by_one=round(tally.most_sent / 2**20, 1),
        load_average=round(os.getloadavg()[1], 1),
    )


def test_schemathesis_finds_nothing_on_the_published_schema(
    served: Served, proof: Proof, tmp_path: Path
) -> None:
    examples = proof.size(short=5, whole=100)
    words = ["-m", "schemathesis.cli", "run", f"{served.address}/openapi.json"]
    options = ["-c", ",".join(CHECKS), "-n", str(examples), "--seed", "0"]
    done = subprocess.run(
        [sys.executable, *words, *options, "--continue-on-failure", "--no-color"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Traceback" not in served.log.read_text(errors="replace")
    proof.record(
        "server_schema",
        "Requests made from the published schema, valid and not, are answered as it "
        "says (schemathesis).",
        examples_per_operation=examples,
        checks=len(CHECKS),
        findings=0,
    )

"""Clients that ask a server well, badly, slowly and hugely, all at once.

Every exchange is a connection of its own on a loopback address, so that each kind can
send bytes that no HTTP library would.
"""

import asyncio
import contextlib
import io
import random
import time
import urllib.parse
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

PATIENCE = 90.0
"""Seconds after which a client calls the server hung."""

CUT = 0
"""Stands for a status: the connection ended without one."""

Parts = Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True)
class Kind:
    """One way to ask."""

    name: str
    """`image` and `page` are good; then `broken`, `slow`, `huge`."""
    often: int
    """Weight in the mix."""
    parts: Parts
    """What is sent, piece by piece."""
    expected: frozenset[int]
    """Statuses that are right; 503 always is."""


@dataclass
class Tally:
    """What all clients have met."""

    statuses: Counter[str] = field(default_factory=Counter)
    """Of each kind and status."""
    unexpected: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {"image": [], "page": []}
    )
    """That each good request with an answer took."""
    longest_cut: float = 0.0
    """Seconds that a slow or huge request was put up with."""
    most_sent: int = 0
    """Bytes that one request could send."""

    def note(self, kind: Kind, status: int, seconds: float, sent: int) -> None:
        self.statuses[f"{kind.name} {status}"] += 1
        if status not in kind.expected | {503}:
            self.unexpected[f"{kind.name} {status}"] += 1
        if status == 200 and kind.name in self.seconds:
            self.seconds[kind.name].append(seconds)
        if kind.name in ("slow", "huge"):
            self.longest_cut = max(self.longest_cut, seconds)
        self.most_sent = max(self.most_sent, sent)

    def answered(self, start: str) -> int:
        """How many answers had a status that begins so."""
        return sum(
            number
            for what, number in self.statuses.items()
            if what.split()[1].startswith(start)
        )


def head(method: str, path: str, *lines: str) -> bytes:
    """A request's head, which asks for the connection to stay open."""
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]
    ).encode()


def whole(request: bytes) -> Parts:
    """Everything at once."""

    async def parts() -> AsyncIterator[bytes]:
        yield request

    return parts


def dribbled(first: bytes, piece: bytes, pause: float = 0.5) -> Parts:
    """A start, and then pieces for ever."""

    async def parts() -> AsyncIterator[bytes]:
        yield first
        while True:
            await asyncio.sleep(pause)
            yield piece

    return parts


def upload(content: bytes, *, query: str = "", kind: str = "image/png") -> Parts:
    """A body to ask the model about."""
    lines = (f"Content-Type: {kind}", f"Content-Length: {len(content)}")
    return whole(head("POST", f"/api/predict{query}", *lines) + content)


def kinds(image: bytes) -> tuple[Kind, ...]:
    """The mix: more than half of the requests are good."""
    return tuple(
        Kind(name, often, parts, frozenset(expected))
        for name, often, parts, expected in (
            *(("image", 10, parts, {200}) for parts in _images(image)),
            *(("page", 10, parts, {200}) for parts in _pages()),
            *(("broken", 4, parts, expected) for parts, expected in _broken(image)),
            *(("slow", 2, parts, {CUT, 408}) for parts in _slow()),
            *(("huge", 2, parts, expected) for parts, expected in _huge()),
        )
    )


def _images(image: bytes) -> Iterator[Parts]:
    yield upload(image)
    yield upload(image, query="?method=gradcam&target=3")


def _pages() -> Iterator[Parts]:
    for path in ("/", "/api/model", "/api/examples/0/0"):
        yield whole(head("GET", path))


def _broken(image: bytes) -> Iterator[tuple[Parts, set[int]]]:
    yield upload(b"no image at all"), {422}
    yield upload(image[: len(image) // 2]), {422}
    yield upload(image, query="?method=magic"), {422}
    yield upload(image, kind="text/plain"), {415}
    yield whole(head("GET", "/../../etc/passwd")), {404}
    yield whole(b"\x16\x03\x01 what is this\r\n\r\n"), {400}
    chunked = ("Content-Type: image/png", "Transfer-Encoding: chunked")
    broken = head("POST", "/api/predict", *chunked) + b"zz\r\nno chunk\r\n"
    yield whole(broken), {400}


def _slow() -> Iterator[Parts]:
    yield dribbled(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-More: 1\r\n")
    yield dribbled(b"", b"")
    lines = ("Content-Type: image/png", "Content-Length: 1000000")
    yield dribbled(head("POST", "/api/predict", *lines), b"x")


def _huge() -> Iterator[tuple[Parts, set[int]]]:
    lines = ("Content-Type: image/png", f"Content-Length: {2**30}")
    million = b"x" * 2**20
    yield dribbled(head("POST", "/api/predict", *lines), million, 0.01), {413}
    chunk = b"100000\r\n" + million + b"\r\n"
    lines = ("Content-Type: image/png", "Transfer-Encoding: chunked")
    yield dribbled(head("POST", "/api/predict", *lines), chunk, 0.01), {413}
    wide = io.BytesIO()
    Image.fromarray(np.zeros((5100, 5100), np.uint8)).save(wide, "PNG")
    yield upload(wide.getvalue()), {422}
    yield whole(head("GET", "/", "X-Long: " + "x" * 200_000)), {400, CUT}


async def ask(address: str, kind: Kind) -> tuple[int, float, int]:
    """One exchange: its status, seconds, and bytes sent until the connection ended.

    Slow and huge requests are sent on after an answer, for as long as the server takes
    them; a good visitor hangs up.

    Raises:
        TimeoutError: The server has hung.
    """
    url = urllib.parse.urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    began, sent = time.perf_counter(), 0

    async def send() -> None:
        nonlocal sent
        async for part in kind.parts():
            writer.write(part)
            await writer.drain()
            sent += len(part)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(PATIENCE):
            status = await _status(reader)
            if kind.name in ("slow", "huge"):
                await _end(reader)
    finally:
        # First, for the end of the storm may come in any waiting.
        writer.transport.abort()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return status, time.perf_counter() - began, sent


async def _status(reader: asyncio.StreamReader) -> int:
    """The answer's status, once all of the answer is there."""
    try:
        top = await reader.readuntil(b"\r\n\r\n")
        length = top.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        await reader.readexactly(int(length or 0))
    except (asyncio.IncompleteReadError, ConnectionError):
        return CUT
    return int(top.split()[1])


async def _end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(2**16):
            pass


async def _client(address: str, mix: tuple[Kind, ...], seed: int, tally: Tally) -> None:
    rng = random.Random(seed)
    weights = [kind.often for kind in mix]
    while True:
        (kind,) = rng.choices(mix, weights)
        status, seconds, sent = await ask(address, kind)
        tally.note(kind, status, seconds, sent)
        await asyncio.sleep(2.0 if status == 503 else rng.random())


async def _resident(pid: int, samples: list[float]) -> None:
    while True:
        samples.append(resident(pid))
        await asyncio.sleep(0.5)


def resident(pid: int) -> float:
    """Memory that a process holds, MiB (Linux)."""
    with open(f"/proc/{pid}/status") as file:
        (line,) = (line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def growth(samples: list[float]) -> float:
    """Median memory of the last quarter over that of the second, less one.

    The first quarter is left out: caches fill, and every kind has been met once.
    """
    quarter = len(samples) // 4
    first, last = samples[quarter : 2 * quarter], samples[-quarter:]
    return float(np.median(last) / np.median(first)) - 1


async def storm(
    address: str, pid: int, image: bytes, *, clients: int, seconds: float
) -> tuple[Tally, list[float]]:
    """Let the clients at a server; what they met, and its memory in MiB over time.

    Raises:
        ExceptionGroup: A client waited in vain, or could not connect.
    """
    tally, samples, mix = Tally(), [], kinds(image)
    with contextlib.suppress(TimeoutError):  # the end; a client's comes in a group
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            group.create_task(_resident(pid, samples))
            for seed in range(clients):
                group.create_task(_client(address, mix, seed, tally))
    return tally, samples

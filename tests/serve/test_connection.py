"""No visitor keeps a connection for longer than its phase's deadline."""

import contextlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request

from tessera.serve.connection import Connection

HEAD, LINGER, EXCHANGE = 0.6, 0.3, 1.5
LATE = 5.0
"""Seconds for a busy machine; the default deadlines are longer."""


class Hasty(Connection):
    head, linger, exchange, discarded = HEAD, LINGER, EXCHANGE, 1000
    most = 8


def application() -> FastAPI:
    """Answers, answers without reading, or reads all."""
    asked = FastAPI()

    @asked.get("/")
    @asked.post("/refused")
    async def short() -> str:
        return "answer"

    @asked.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    return asked


class Patient(Hasty):
    exchange = 60.0


@contextlib.contextmanager
def served(protocol: type[Connection]) -> Iterator[int]:
    """The port of a server, which has ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    config = uvicorn.Config(
        application(), port=number, log_level="error", http=protocol, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield number
    server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(Hasty) as number:
        yield number


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        yield link


def post(path: str, length: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    )


def dribble(link: socket.socket, piece: bytes, pause: float = 0.05) -> float:
    """Seconds until a server that is sent a piece now and then ends the connection."""
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < 30:
            link.sendall(piece)
            time.sleep(pause)
    return time.monotonic() - began


def until_end(link: socket.socket) -> bytes:
    """All that comes before the connection ends."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := link.recv(4096):
            parts.append(part)
    return b"".join(parts)


def answered(link: socket.socket) -> bool:
    """Whether an answer comes whole, which is eight bytes after its head."""
    come = b""
    while not come.endswith(b'"answer"') and (part := link.recv(4096)):
        come += part
    return come.startswith(b"HTTP/1.1 200")


def document(answer: bytes, status: int) -> dict[str, object]:
    """The problem that an answer tells, which is a document and ends the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0].startswith(b"http/1.1 %d" % status)
    assert b"content-type: application/problem+json" in lines
    assert b"connection: close" in lines
    told = json.loads(body)
    assert told["status"] == status and told["detail"]
    return told


def test_a_visitor_who_says_nothing_is_left(port: int) -> None:
    with connected(port) as link:
        began = time.monotonic()
        assert until_end(link) == b""
        assert HEAD - 0.1 < time.monotonic() - began < HEAD + LATE


def test_a_head_that_dribbles_is_cut(port: int) -> None:
    with connected(port) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert HEAD - 0.1 < dribble(link, b"X-More: 1\r\n") < HEAD + LATE


def test_so_is_that_of_a_second_request(port: int) -> None:
    with connected(port) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answered(link)
        assert dribble(link, b"X-More: 1\r\n") < HEAD + LATE


def test_a_body_that_dribbles_is_cut_whatever_the_application_does(port: int) -> None:
    with connected(port) as link:
        link.sendall(post("/read", 10**6))
        assert EXCHANGE - 0.1 < dribble(link, b"x") < EXCHANGE + LATE


def test_who_was_refused_reads_so_and_is_then_cut(port: int) -> None:
    with connected(port) as link:
        link.sendall(post("/refused", 10**6))
        assert LINGER - 0.1 < dribble(link, b"x") < LINGER + LATE
        assert until_end(link).startswith(b"HTTP/1.1 200")


def test_the_rest_of_a_refused_body_is_counted(port: int) -> None:
    with connected(port) as link:
        link.sendall(post("/refused", 10**9))
        assert answered(link)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 10**8:
                link.sendall(b"x" * 10_000)
                sent += 10_000
        assert sent < 10**8


def test_a_refused_body_that_ends_leaves_the_connection_usable(port: int) -> None:
    with connected(port) as link:
        link.sendall(post("/refused", 100))
        assert answered(link)
        link.sendall(b"x" * 100)
        time.sleep(LINGER / 2)
        link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answered(link)


def test_requests_on_one_connection_each_get_their_time(port: int) -> None:
    with connected(port) as link:
        for _ in range(4):
            time.sleep(HEAD / 2)
            link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answered(link)


def test_what_is_no_http_is_refused_before_an_answer_and_cut_after_one(
    port: int,
) -> None:
    with connected(port) as link:
        link.sendall(b"\x16\x03\x01 what is this\r\n\r\n")
        assert document(until_end(link), 400)["title"] == "Bad Request"
    chunked = b"POST /refused HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connected(port) as link:
        link.sendall(chunked)
        assert answered(link)
        link.sendall(b"no chunk\r\n")
        assert until_end(link) == b""


def test_who_comes_when_all_connections_are_taken_is_told_when_to_come_back(
    port: int,
) -> None:
    with contextlib.ExitStack() as taken:
        links = [taken.enter_context(connected(port)) for _ in range(Hasty.most)]
        with connected(port) as link:
            link.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = until_end(link)
        assert document(answer, 503)["title"] == "Service Unavailable"
        assert re.search(rb"(?i)\r\nretry-after: [1-9]", answer)
        links[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answered(links[0])


def test_an_upload_that_stalls_does_not_hold_up_the_servers_end() -> None:
    with contextlib.ExitStack() as still_open, served(Patient) as port:
        link = still_open.enter_context(connected(port))
        link.sendall(post("/read", 10**6) + b"x")
        time.sleep(0.2)

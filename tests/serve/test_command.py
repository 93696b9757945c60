"""The address is this machine's alone unless asked otherwise, and that is said."""

import socket

import pytest
import uvicorn

from tessera.record import RunFolder
from tessera.serve import command
from tessera.serve.connection import Connection
from tessera.settings import ExperimentError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_addresses_are_known(host: str) -> None:
    assert command.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "example.org"])
def test_other_addresses_are_too(host: str) -> None:
    assert not command.is_loopback(host)


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_an_open_address_is_said_to_be_open(
    toy: RunFolder, host: str, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **options: asked.update(options))
    said: list[str] = []
    command.serve(toy.path, host=host, port=8765, say=said.append)
    assert (asked["host"], asked["port"]) == (host, 8765)
    assert (asked["http"], asked["ws"]) == (Connection, "none")
    assert f"http://{host}:8765" in said[0]
    assert any("no password" in line for line in said) is warned


@pytest.mark.parametrize("host", ["127.0.0.1", "no.such.host.invalid"])
def test_an_address_that_cannot_be_listened_on_is_refused_before_any_is_said(
    toy: RunFolder, host: str
) -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ExperimentError, match=rf"{host}, port {port}: .*--port"):
            command.serve(toy.path, host=host, port=port, say=said.append)
    assert said == []


def test_a_port_is_free_again_once_its_listener_has_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()  # which leaves the port waiting for a while
    command.require_free("127.0.0.1", port)

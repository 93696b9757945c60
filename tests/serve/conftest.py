"""A site over a toy run, a client for it, and a real server."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import toy_run
import uvicorn
from fastapi.testclient import TestClient

from tessera import png
from tessera.serve import app, site
from tessera.serve.site import Site
from tessera.trained import Trained


@pytest.fixture(scope="session")
def built(model: Trained) -> Site:
    return site.build(model)


@pytest.fixture(scope="session")
def client(built: Site) -> TestClient:
    return TestClient(app.create(built), base_url="http://127.0.0.1")


@pytest.fixture(scope="session")
def digit() -> bytes:
    """A PNG of the first test digit."""
    return png.encoded(toy_run.digits().test.images[0])


@contextlib.contextmanager
def serving(application) -> Iterator[str]:
    """A real server on a free port; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(application, port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join(30)

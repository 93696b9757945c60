"""`tessera serve`: load the model once, then answer on one address until Ctrl-C."""

import ipaddress
import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import uvicorn
from numpy.typing import NDArray

from tessera import png, trained
from tessera.serve import app, site
from tessera.serve.connection import Connection
from tessera.settings import ExperimentError


def serve(
    path: Path, *, host: str, port: int, say: Callable[[str], None] = print
) -> None:
    """Serve a run, or a study's recommended run, until interrupted.

    Args:
        path: The run's or study's folder.
        host: Address to listen on.
        port: TCP port.
        say: Told what a person should read.

    Raises:
        ExperimentError: Nothing can listen there, say because something does.
        RunError: The folder holds no usable run.
    """
    require_free(host, port)
    model = trained.load(path)
    if model.because:
        say(model.because)
    content = site.build(model)
    site.answer(content, png.encoded(_grey(model.image_size)), None, None)
    local = is_loopback(host)
    shown = f"[{host}]" if ":" in host else host
    say(f"{content.model.title}: http://{shown}:{port}  (Ctrl-C ends it)")
    if not local:
        say(
            "This address can be reached from other machines; there is no password and "
            "no encryption."
        )
    uvicorn.run(
        app.create(content, hosts=app.LOCAL if local else ()),
        host=host,
        port=port,
        http=Connection,
        ws="none",
        log_level="warning",
        server_header=False,
        timeout_keep_alive=5,
    )


def require_free(host: str, port: int) -> None:
    """Refuse an address before anything is loaded or said, as the server would.

    Raises:
        ExperimentError: Something listens there, or no address has this name.
    """
    try:
        kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as tried:
            if os.name == "posix":  # else a connection that just ended is in the way
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ExperimentError(
            f"serve: expected an address to listen on. Received: {host}, port {port}: "
            f"{why}. Choose another --port or --host, or end what listens there."
        ) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _grey(side: int) -> NDArray[np.uint8]:
    """A picture to ask once, so that the first visitor does not wait."""
    return np.full((side, side, 3), 128, np.uint8)

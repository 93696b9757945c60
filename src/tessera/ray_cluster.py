"""The connection to a Ray cluster, and how many runs its nodes have room for."""

import contextlib
import importlib.util
import logging
import os
import socket
from collections.abc import Iterator

from tessera.engines import EngineError

PATIENCE = 5.0
"""Seconds in which a cluster's head has to answer."""


@contextlib.contextmanager
def connected(address: str) -> Iterator[None]:
    """Connect to a cluster for the length of the block.

    Args:
        address: `auto` (the cluster that this machine is part of), `HOST:PORT` of its
            head, or `local` (start one here, for the block alone).

    Raises:
        EngineError: Ray is missing, or no cluster answers.
    """
    if importlib.util.find_spec("ray") is None:
        raise EngineError(
            "--engine ray: expected Ray. Received: it is not installed. In the "
            "checkout, `pip install '.[ray]'` installs it, on every node alike."
        )
    # Ray's head otherwise reports the use of Ray to its makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    try:
        _knock(address)
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False if address == "local" else None,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(
            "--address: expected a running Ray cluster that this machine is part of. "
            f"Received: {address!r}, {first_line(error)}. `ray start --head` starts "
            "one, `ray start --address HOST:PORT` adds this machine to it. A head that "
            "asks for a token refuses whoever has not set RAY_AUTH_MODE=token."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Ask whether anyone listens at `HOST:PORT`; Ray would ask for minutes.

    Raises:
        OSError: Nobody does.
        ValueError: It is no address.
    """
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError("which is not auto, local or HOST:PORT")
    socket.create_connection((host, int(port)), timeout=PATIENCE).close()


def first_line(error: Exception) -> str:
    """What Ray says first, without the pages that it adds."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def check(threads: int, gpus: float) -> None:
    """Refuse runs that would wait forever for a node of their size.

    Raises:
        EngineError: No node has room for even one.
    """
    if not any(rooms(threads, gpus)):
        found = [
            f"{n.get('CPU', 0):g} cores and {n.get('GPU', 0):g} GPUs" for n in nodes()
        ]
        raise EngineError(
            f"--engine ray: expected a node with {threads} cores and {gpus:g} GPUs. "
            f"Received: nodes with {', '.join(sorted(set(found))) or 'nothing'}. "
            "--threads and --gpus say what a run asks for."
        )


def rooms(threads: int, gpus: float) -> list[int]:
    """How many runs each node would have room for, if it were empty."""
    return [room(node, threads, gpus) for node in nodes()]


def room(node: dict[str, float], threads: int, gpus: float) -> int:
    """How many runs of this size fit on an empty node with these resources."""
    by_cores = int(node.get("CPU", 0.0) // threads)
    return min(by_cores, int(node.get("GPU", 0.0) / gpus)) if gpus else by_cores


def nodes() -> list[dict[str, float]]:
    """The resources of each node that is alive, as Ray counts them."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]

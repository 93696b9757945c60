"""The connection: how many runs fit, and what is said when there is nothing there."""

import importlib.util

import pytest

from tessera import ray_cluster
from tessera.engines import EngineError


@pytest.mark.parametrize(
    ("node", "threads", "gpus", "runs"),
    [
        ({"CPU": 16.0}, 1, 0.0, 16),
        ({"CPU": 16.0}, 3, 0.0, 5),
        ({"CPU": 16.0}, 1, 0.25, 0),
        ({"CPU": 16.0, "GPU": 2.0}, 1, 0.25, 8),
        ({"CPU": 4.0, "GPU": 2.0}, 1, 0.25, 4),
        ({}, 1, 0.0, 0),
    ],
)
def test_a_node_has_room_for(
    node: dict[str, float], threads: int, gpus: float, runs: int
) -> None:
    assert ray_cluster.room(node, threads, gpus) == runs


def test_without_ray_the_message_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    expected = r"not installed.*pip install '\.\[ray\]'"
    with pytest.raises(EngineError, match=expected), ray_cluster.connected("auto"):
        pytest.fail("connected to nothing")


@pytest.mark.parametrize(
    ("address", "reason"),
    [("127.0.0.1:9", "refused"), ("here", "not auto, local or HOST:PORT")],
)
def test_an_address_where_nothing_answers_is_named(address: str, reason: str) -> None:
    expected = (
        f"Received: '{address}', .*{reason}.*ray start --head.*RAY_AUTH_MODE=token"
    )
    with (
        pytest.raises(EngineError, match=expected),
        ray_cluster.connected(address),
    ):
        pytest.fail("connected to nothing")

"""Uploads are counted as they come, whatever their headers say."""

import asyncio
from collections.abc import Iterable

import pytest
from fastapi import Request

from tessera.serve import body
from tessera.serve.problem import Problem


def request(
    parts: Iterable[bytes], *, pause: float = 0.0, **headers: str
) -> tuple[Request, list[int]]:
    """A request that sends its body in parts, and how many of them were taken."""
    taken: list[int] = []
    waiting = iter(parts)

    async def receive() -> dict[str, object]:
        await asyncio.sleep(pause)
        part = next(waiting, None)
        if part is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        taken.append(len(part))
        return {"type": "http.request", "body": part, "more_body": True}

    named = {"content-type": "image/png"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return Request({"type": "http", "headers": raw}, receive), taken


def refusal(sent: Request, **options: float) -> int:
    with pytest.raises(Problem) as caught:
        asyncio.run(body.read(sent, **options))
    return caught.value.status


def test_a_body_comes_back_whole() -> None:
    sent, _ = request([b"ab", b"", b"c"])
    assert asyncio.run(body.read(sent, limit=3)) == b"abc"


def test_a_body_is_cut_off_as_soon_as_it_is_too_large() -> None:
    sent, taken = request([b"x" * 10] * 1000)
    assert refusal(sent, limit=25) == 413
    assert len(taken) == 3


def test_a_small_declared_length_does_not_help() -> None:
    sent, _ = request([b"x" * 10] * 5, content_length="1")
    assert refusal(sent, limit=25) == 413


def test_a_large_declared_length_is_refused_before_reading() -> None:
    sent, taken = request([b"x"], content_length="26")
    assert refusal(sent, limit=25) == 413
    assert taken == []


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "", "text/html"])
def test_what_a_foreign_page_could_send_unasked_is_refused(kind: str) -> None:
    sent, taken = request([b"x"], content_type=kind)
    assert refusal(sent) == 415
    assert taken == []


def test_an_upload_that_trickles_is_given_up() -> None:
    sent, _ = request([b"x"] * 1000, pause=0.05)
    assert refusal(sent, seconds=0.2) == 408


def test_a_visitor_who_leaves_is_no_fault_of_the_server() -> None:
    async def gone() -> dict[str, object]:
        return {"type": "http.disconnect"}

    kind = (b"content-type", b"image/png")
    assert refusal(Request({"type": "http", "headers": [kind]}, gone)) == 400

"""An uploaded image's bytes: counted while they come, within a deadline."""

import asyncio
from http import HTTPStatus

from fastapi import Request
from starlette.requests import ClientDisconnect

from tessera.serve.problem import Problem

MAX_BYTES = 10 * 2**20
SECONDS = 10.0
"""That an upload may take."""

TYPES = ("image/", "application/octet-stream")
"""A page of another origin cannot send these without asking, which is not granted."""


async def read(
    request: Request, *, limit: int = MAX_BYTES, seconds: float = SECONDS
) -> bytes:
    """The whole body of a request, or a problem as soon as it is too large.

    Raises:
        Problem: 413 too large, 415 not declared as an image, 408 too slow, 400 the
            visitor has gone.
    """
    if not request.headers.get("content-type", "").lower().startswith(TYPES):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Send the image file itself as the body, with a Content-Type such as "
            "image/jpeg or application/octet-stream.",
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _counted(request, limit)
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT, f"The upload took longer than {seconds:g} s."
        ) from None
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "The upload ended early.") from None


async def _counted(request: Request, limit: int) -> bytes:
    parts, total = [], 0
    async for part in request.stream():
        total += len(part)
        if total > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"An image file may have at most {limit / 2**20:g} MiB.",
    )

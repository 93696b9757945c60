"""Errors of the endpoint as problem documents (RFC 9457), without traces."""

from http import HTTPStatus

from fastapi.responses import JSONResponse
from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"


class Document(BaseModel):
    """What an error says, as `MEDIA_TYPE`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Problem(Exception):
    """A request that gets no answer.

    Args:
        status: HTTP status.
        detail: For the person who asked; names no file and no code.
        retry_after: Seconds after which it is worth another try; None: never.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, *, retry_after: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


def response(problem: Problem) -> JSONResponse:
    """The problem as an HTTP response."""
    document = Document(
        title=problem.status.phrase, status=problem.status, detail=problem.detail
    )
    waits = problem.retry_after
    return JSONResponse(
        document.model_dump(),
        status_code=problem.status,
        headers=None if waits is None else {"Retry-After": str(waits)},
        media_type=MEDIA_TYPE,
    )

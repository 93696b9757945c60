"""The HTTP side: a page, its parts, and a JSON endpoint that documents itself.

No path from a visitor is ever opened: pages and examples are in memory, and an upload
is bytes that are decoded, answered and forgotten.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from importlib import resources
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from tessera import __version__
from tessera.data.decode import Unreadable
from tessera.explain.graph import ExplainError
from tessera.phrases import in_row
from tessera.serve import body, problem, schema
from tessera.serve import site as sites
from tessera.serve.insight import METHODS
from tessera.serve.problem import Problem
from tessera.serve.site import Site
from tessera.serve.work import Worker

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox"
)
"""The report is one file with its styles inside and no script."""

PARTS = {"style.css": "text/css", "page.js": "text/javascript"}

READ = ("GET", "HEAD")
"""How a page may be asked for (RFC 9110, 9.1: a server supports both)."""

LOCAL = ("127.0.0.1", "localhost", "[::1]")
"""Names under which a loopback server may be asked, so that no other site's name can
be made to point here."""

UPLOAD = {
    "requestBody": {
        "required": True,
        "description": "The image file itself: JPEG, PNG, WebP, BMP or GIF, at most "
        f"{body.MAX_BYTES // 2**20} MiB and {sites.MAX_PIXELS // 10**6} megapixels.",
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"}
            },
        },
    }
}


def _documented(*failures: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """Failures as OpenAPI's responses: each is a problem document."""
    form = {"schema": problem.Document.model_json_schema()}
    return {
        status: {"description": text, "content": {problem.MEDIA_TYPE: form}}
        for status, text in failures
    }


ELSEWHERE = (421, "Asked under a name that is not this server's.")
NO_PICTURE = _documented(
    ELSEWHERE, (404, "There is no such picture."), (422, "A number is expected.")
)
NO_ANSWER = _documented(
    ELSEWHERE,
    (400, "The request is no HTTP, or ended early."),
    (408, "The upload took too long."),
    (413, "The file is too large."),
    (415, "The body is not declared as an image."),
    (422, "The file cannot be read as an image, or a parameter is wrong."),
    (503, "Too busy; try again after `Retry-After` seconds."),
)

Next = Callable[[Request], Awaitable[Response]]


def create(
    site: Site, *, worker: Worker | None = None, hosts: tuple[str, ...] = LOCAL
) -> FastAPI:
    """The application.

    Args:
        site: What it serves.
        worker: Who asks the model; None: a new one.
        hosts: Names it answers to; none: to any.
    """
    app = FastAPI(title="Tessera", version=__version__, docs_url=None, redoc_url=None)
    _guard(app, hosts)
    _pages(app, site)
    _endpoint(app, site, worker or Worker())
    return app


def _guard(app: FastAPI, hosts: tuple[str, ...]) -> None:
    """Headers for every answer, and problems for every error."""

    @app.middleware("http")
    async def protect(request: Request, following: Next) -> Response:
        host = request.headers.get("host", "").lower()  # names have no case
        if hosts and not {host, host.rsplit(":", 1)[0]} & set(hosts):
            refused = Problem(
                HTTPStatus.MISDIRECTED_REQUEST, "Not a name of this server."
            )
            return _protected(problem.response(refused))
        return _protected(await following(request))

    @app.exception_handler(Problem)
    async def problems(_: Request, error: Problem) -> Response:
        return problem.response(error)

    @app.exception_handler(RequestValidationError)
    async def parameters(_: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors())
        return problem.response(Problem(HTTPStatus.UNPROCESSABLE_ENTITY, told))

    @app.exception_handler(HTTPException)
    async def others(_: Request, error: HTTPException) -> Response:
        told = problem.response(Problem(HTTPStatus(error.status_code), error.detail))
        told.headers.update(error.headers or {})
        return told

    @app.exception_handler(Exception)
    async def faults(_: Request, error: Exception) -> Response:
        logging.getLogger("tessera").error("a request failed", exc_info=error)
        detail = "The server made a mistake; its log has the details."
        fault = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail)
        return _protected(problem.response(fault))


def _protected(response: Response) -> Response:
    """The headers that keep a page from loading, or being loaded, from elsewhere."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    return response


def _pages(app: FastAPI, site: Site) -> None:
    page = resources.files("tessera.serve").joinpath("page")
    index = page.joinpath("index.html").read_bytes()
    parts = {name: page.joinpath(name).read_bytes() for name in PARTS}

    @app.api_route("/", methods=[*READ], include_in_schema=False)
    async def home() -> Response:
        return Response(index, media_type="text/html")

    @app.api_route("/{name}.{suffix}", methods=[*READ], include_in_schema=False)
    async def part(name: str, suffix: str) -> Response:
        file = f"{name}.{suffix}"
        if file not in parts:
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such page.")
        return Response(parts[file], media_type=PARTS[file])

    @app.api_route("/report", methods=[*READ], include_in_schema=False)
    async def report() -> Response:
        if site.report is None:
            raise Problem(HTTPStatus.NOT_FOUND, "The run belongs to no study's report.")
        headers = {"Content-Security-Policy": REPORT_POLICY}
        return Response(site.report, media_type="text/html", headers=headers)

    @app.api_route("/healthz", methods=[*READ], include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok", "version": __version__}


def _endpoint(app: FastAPI, site: Site, worker: Worker) -> None:
    names = site.trained.class_names

    elsewhere = _documented(ELSEWHERE)

    # A request is answered by the inner route, which the schema would list twice.
    @app.get("/api/model", summary="The model's card", responses=elsewhere)
    @app.api_route("/api/model", methods=[*READ], include_in_schema=False)
    async def model() -> schema.Model:
        return site.model

    @app.get(
        "/api/examples/{label}/{number}",
        summary="A picture of a class",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}, **NO_PICTURE},
    )
    @app.api_route(
        "/api/examples/{label}/{number}", methods=[*READ], include_in_schema=False
    )
    async def example(label: int, number: int) -> Response:
        if not (0 <= label < len(names) and 0 <= number < len(site.examples[label])):
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such picture.")
        return Response(site.examples[label][number], media_type="image/png")

    @app.post(
        "/api/predict",
        summary="What an image shows",
        openapi_extra=UPLOAD,
        responses=NO_ANSWER,
    )
    async def predict(
        request: Request,
        method: Annotated[
            str | None,
            Query(
                description="Also draw a heatmap.",
                json_schema_extra={"enum": list(METHODS)},
            ),
        ] = None,
        target: Annotated[
            str | None,
            Query(
                description="The class to explain; the answer if absent.",
                json_schema_extra={"enum": list(names)},
            ),
        ] = None,
    ) -> schema.Answer:
        _known("method", method, tuple(METHODS))
        _known("target", target, names)
        label = None if target is None else names.index(target)
        content = await body.read(request)
        try:
            return await worker.do(lambda: sites.answer(site, content, method, label))
        except (Unreadable, ExplainError) as error:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, f"This file has no answer: {error}."
            ) from None


def _known(parameter: str, given: str | None, names: Sequence[str]) -> None:
    """Refuse a parameter that is none of these names; absent is well."""
    if given is not None and given not in names:
        detail = f"{parameter}: expected one of {in_row(names)}."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
